/** The figures of one table row, from a queue's item and a scope. Pure. Undefined is "no data". */

import type { QueueItem } from "../api/types.ts";
import { instant } from "../live/clock.ts";
import { DEFAULT_SLA, serviceLevel } from "./serviceLevel.ts";

export interface Figures {
  pending?: number;
  reserved?: number;
  assigned?: number;
  wrapping?: number;
  /** The sum of the four: `total_tasks` also counts tasks that were cancelled minutes ago. */
  total?: number;
  /** Since when the oldest task waits; null when no task does, undefined when unknown. */
  oldestSince?: number | null;
  available?: number;
  eligible?: number;
  activities?: { name: string; workers: number }[];
  handled?: number;
  abandoned?: number;
  waitAccept?: number;
  waitCancel?: number;
  /** The name of the service level in `sla`. */
  slaName: string;
  /** Share by threshold; null while no task qualifies. */
  sla: Record<number, number | null | undefined>;
  since?: string;
}

export function figures(
  item: QueueItem,
  scope: string,
  thresholds: readonly number[],
  usualSla = DEFAULT_SLA,
): Figures {
  const now = item[`realTimeStats_${scope}`];
  const today = item[`cumulativeStats_${scope}`];
  const status = now?.tasksByStatus;
  const slaName = item.sla || usualSla;
  const { pending, reserved, assigned, wrapping } = status ?? {};
  // The item's own field is over all channels; the scope's is its own.
  const since = now?.oldestTaskSince ?? (scope === "all" ? item.oldestTaskSince : undefined);
  return {
    pending,
    reserved,
    assigned,
    wrapping,
    total: status && (pending ?? 0) + (reserved ?? 0) + (assigned ?? 0) + (wrapping ?? 0),
    oldestSince: oldest(since, now?.oldestTask, item.asOf),
    available: now?.availableWorkers,
    eligible: now?.eligibleWorkers,
    activities: now?.activityStatistics?.map((a) => ({ name: a.friendly_name, workers: a.workers })),
    handled: today?.tCompl,
    abandoned: today?.tCanc,
    // With nothing accepted or cancelled an average of 0 would be a claim.
    waitAccept: today?.rAccepted === 0 ? undefined : today?.waitUntilAccept?.avg,
    waitCancel: today?.tCanc === 0 ? undefined : today?.waitUntilCancel?.avg,
    slaName,
    sla: Object.fromEntries(thresholds.map((t) => [t, serviceLevel(today, t, slaName)])),
    since: today?.startTime,
  };
}

function oldest(since: string | undefined, seconds: number | undefined, asOf: string | undefined) {
  const at = instant(since);
  if (at !== undefined) return at;
  if (seconds === undefined) return undefined;
  const read = instant(asOf);
  return seconds > 0 ? (read === undefined ? undefined : read - seconds * 1000) : null;
}
