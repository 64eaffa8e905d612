import type { Figures } from "./figures.ts";

/**
 * How urgent a queue is, in seconds of waiting: its oldest wait, 15 s for each further task that shares the available
 * agents, and five minutes when no agent is available. A queue without waiting tasks is not urgent.
 */
export function urgency(f: Figures, now: number): number {
  const waiting = f.pending ?? 0;
  if (waiting === 0 && f.oldestSince == null) return 0;
  const wait = f.oldestSince == null ? 0 : Math.max(0, (now - f.oldestSince) / 1000);
  const free = f.available ?? 0;
  return wait + (15 * waiting) / (free + 1) + (free === 0 ? 300 : 0);
}
