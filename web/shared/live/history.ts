/** The curves' points: what the service remembers, then what events bring. A gap is a null, never a line across it. */
import type { Metric, Points } from "../api/types.ts";
import { instant } from "./clock.ts";

/** Every curve shows the same span: as far back as anything is known, within these limits. */
const SHORTEST_S = 5 * 60;
const LONGEST_S = 4 * 3600;
/** One point for each step of this length: the step's last value. */
const STEP_S = 10;

export function span(curves: Iterable<Points>, now: number): number {
  let oldest = now;
  for (const points of curves) oldest = Math.min(oldest, points[0]?.[0] ?? now);
  return Math.min(LONGEST_S, Math.max(SHORTEST_S, now - oldest));
}

const NONE: Points = [];

export class MetricHistory {
  private points = new Map<string, Points>();
  /** Metrics whose past was asked for, and whether the answer still holds. */
  private readonly asked = new Map<string, "current" | "outdated">();
  private readonly listeners = new Set<() => void>();

  constructor(private readonly read: (metric: string) => Promise<Points>) {}

  push(metrics: readonly Metric[], now: number): void {
    for (const metric of metrics) {
      const t = Math.floor((instant(metric.asOf) ?? now) / 1000);
      const value = typeof metric.value === "number" && Number.isFinite(metric.value) ? metric.value : null;
      this.points.set(metric.name, append(this.points.get(metric.name) ?? NONE, t, value));
    }
    this.notify();
  }

  /** The source was lost: what comes next is not joined to what was before. */
  gap(now: number): void {
    const t = Math.floor(now / 1000);
    for (const [name, points] of this.points) {
      if (points.at(-1)?.[1] != null) this.points.set(name, append(points, t, null));
    }
    for (const name of this.asked.keys()) this.asked.set(name, "outdated");
    this.notify();
  }

  /** The source is back: the service has the points that were missed. */
  refill(): void {
    for (const [name, state] of this.asked) if (state === "outdated") void this.ask(name);
  }

  async ask(name: string): Promise<void> {
    const before = this.asked.get(name);
    if (before === "current") return;
    this.asked.set(name, "current");
    try {
      const past = await this.read(name);
      this.points.set(name, join(past, this.points.get(name) ?? NONE));
      this.notify();
    } catch {
      if (before === undefined) this.asked.delete(name);
      else this.asked.set(name, "outdated");
    }
  }

  of(name: string): Points {
    return this.points.get(name) ?? NONE;
  }

  /** Seconds that all curves show. */
  span(now: number): number {
    return span(this.points.values(), now);
  }

  subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  };

  private notify(): void {
    for (const listener of this.listeners) listener();
  }
}

/** Adds a point, at most one a step, and drops what no curve shows any more. */
export function append(points: Points, t: number, value: number | null): Points {
  const last = points.at(-1);
  if (last && t < last[0]) return points;
  // A gap stays between what was before it and what comes after.
  const same = last && (t === last[0] || (last[1] !== null && value !== null && step(t) === step(last[0])));
  const kept = same ? points.slice(0, -1) : points.slice();
  kept.push([t, value]);
  const from = t - LONGEST_S - 60;
  const first = kept.findIndex(([at]) => at >= from);
  return first > 20 ? kept.slice(first) : kept;
}

const step = (t: number) => Math.floor(t / STEP_S);

/** The service's points where it has some, our own before and after them. */
export function join(past: Points, own: Points): Points {
  const start = past[0]?.[0] ?? Number.POSITIVE_INFINITY;
  const end = past.at(-1)?.[0] ?? Number.NEGATIVE_INFINITY;
  return [...own.filter(([t]) => t < start), ...past, ...own.filter(([t]) => t > end && t >= start)];
}
