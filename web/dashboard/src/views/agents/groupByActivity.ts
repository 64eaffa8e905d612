import type { Worker } from "@taskrouter-sync/shared/api/types.ts";
import { instant } from "@taskrouter-sync/shared/live/clock.ts";

/** Agents by Activity: the largest group first, within one the longest time first. Pure. */
export function groupByActivity(workers: readonly Worker[], search: string): [string, Worker[]][] {
  const wanted = search.trim().toLocaleLowerCase();
  const found = new Map<string, Worker[]>();
  for (const worker of workers) {
    if (!worker.friendly_name.toLocaleLowerCase().includes(wanted)) continue;
    const group = found.get(worker.activity_name) ?? [];
    group.push(worker);
    found.set(worker.activity_name, group);
  }
  const since = (worker: Worker) => instant(worker.date_status_changed) ?? Number.MAX_VALUE;
  for (const group of found.values()) group.sort((a, b) => since(a) - since(b));
  return [...found].sort(([a, as], [b, bs]) => bs.length - as.length || a.localeCompare(b));
}
