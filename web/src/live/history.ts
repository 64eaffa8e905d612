/** The curves' points: what the service remembers, then what the feed tells. A gap is a null, never a line across it. */
import { useEffect, useSyncExternalStore } from "react";
import { history } from "../api.ts";
import type { Metric, Points } from "../types.ts";
import { instant } from "./clock.ts";

/** Every curve shows the same span: as far back as anything is known, but this long at least and at most. */
const SHORTEST_S = 5 * 60;
const LONGEST_S = 4 * 3600;
/** One point for so many seconds: of a step, the last value. */
const STEP_S = 10;

export function span(curves: Iterable<Points>, now: number): number {
  let oldest = now;
  for (const points of curves) oldest = Math.min(oldest, points[0]?.[0] ?? now);
  return Math.min(LONGEST_S, Math.max(SHORTEST_S, now - oldest));
}

const NONE: Points = [];

export class MetricHistory {
  private points = new Map<string, Points>();
  private asked = new Set<string>();
  private subscribers = new Set<() => void>();

  push(metrics: readonly Metric[], now: number): void {
    for (const metric of metrics) {
      const t = Math.floor((instant(metric.asOf) ?? now) / 1000);
      const value = typeof metric.value === "number" && Number.isFinite(metric.value) ? metric.value : null;
      this.points.set(metric.name, append(this.points.get(metric.name) ?? NONE, t, value));
    }
    this.tell();
  }

  /** The feed was lost: whatever comes next is not joined to what was before. */
  gap(now: number): void {
    const t = Math.floor(now / 1000);
    for (const [name, points] of this.points) {
      if (points.at(-1)?.[1] != null) this.points.set(name, append(points, t, null));
    }
    this.tell();
  }

  async ask(name: string): Promise<void> {
    if (this.asked.has(name)) return;
    this.asked.add(name);
    try {
      const past = await history(name);
      this.points.set(name, join(past, this.points.get(name) ?? NONE));
      this.tell();
    } catch {
      this.asked.delete(name);
    }
  }

  of(name: string): Points {
    return this.points.get(name) ?? NONE;
  }

  /** Seconds that all curves show. */
  span(now: number): number {
    return span(this.points.values(), now);
  }

  subscribe = (tell: () => void) => {
    this.subscribers.add(tell);
    return () => this.subscribers.delete(tell);
  };

  private tell(): void {
    for (const tell of this.subscribers) tell();
  }
}

/** Adds a point, at most one a step, and forgets what no curve shows any more. */
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

/** The service's past, then our own points where they are newer. */
export function join(past: Points, own: Points): Points {
  const end = past.at(-1)?.[0] ?? Number.NEGATIVE_INFINITY;
  return [...past, ...own.filter(([t]) => t > end)];
}

/** `past` is false for what the service knows nothing of. */
export function useHistory(store: MetricHistory, name: string, past: boolean): Points {
  useEffect(() => {
    if (past) void store.ask(name);
  }, [store, name, past]);
  return useSyncExternalStore(store.subscribe, () => store.of(name));
}
