/** The curves' points: what the service remembers, then what the feed tells. A gap is a null, never a line across it. */
import { useEffect, useSyncExternalStore } from "react";
import { history } from "../api.ts";
import type { Metric, Points } from "../types.ts";
import { instant } from "./clock.ts";

/** Every spark line shows the same span. */
export const SPAN_S = 30 * 60;

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

  subscribe = (tell: () => void) => {
    this.subscribers.add(tell);
    return () => this.subscribers.delete(tell);
  };

  private tell(): void {
    for (const tell of this.subscribers) tell();
  }
}

/** Adds a point, at most one a second, and forgets what no curve shows any more. */
export function append(points: Points, t: number, value: number | null): Points {
  const last = points.at(-1);
  if (last && t < last[0]) return points;
  const kept = last && t === last[0] ? points.slice(0, -1) : points.slice();
  kept.push([t, value]);
  const from = t - SPAN_S - 60;
  const first = kept.findIndex(([at]) => at >= from);
  return first > 120 ? kept.slice(first) : kept;
}

/** The service's past, then our own points where they are newer. */
export function join(past: Points, own: Points): Points {
  const end = past.at(-1)?.[0] ?? Number.NEGATIVE_INFINITY;
  return [...past, ...own.filter(([t]) => t > end)];
}

export function useHistory(store: MetricHistory, name: string): Points {
  useEffect(() => void store.ask(name), [store, name]);
  return useSyncExternalStore(store.subscribe, () => store.of(name));
}
