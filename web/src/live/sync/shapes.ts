/** What stands in Sync, turned into what the feed would tell. Pure. */
import type {
  CumulativeStats,
  Metric,
  PublishedMetric,
  QueueItem,
  RealTimeStats,
  Style,
} from "../../types.ts";

type Fields = Record<string, unknown>;

export const isFields = (value: unknown): value is Fields =>
  value !== null && typeof value === "object" && !Array.isArray(value);

const PLAIN: Style = {
  styleName: "Default",
  headlineColour: "colorTextWeak",
  statColour: "colorText",
  backgroundColour: "transparent",
};

/** An item of the Map of whole queues; a Map may hold items of others. */
export function queueItem(key: string, data: unknown): QueueItem | undefined {
  return isFields(data) && data.sid === key ? (data as unknown as QueueItem) : undefined;
}

/** An item of the Map that lists the queues' Documents. */
export interface Entry {
  sid: string;
  friendlyName: string;
  realtime: string;
  today: string;
}

export function entryOf(key: string, data: unknown): Entry | undefined {
  if (!isFields(data) || data.sid !== key) return undefined;
  const { friendlyName, realtime, today } = data;
  if (typeof friendlyName !== "string" || typeof realtime !== "string" || typeof today !== "string")
    return undefined;
  return { sid: key, friendlyName, realtime, today };
}

/** Fields of these two Documents that are not scopes. */
const COMMON = [
  "asOf",
  "readBy",
  "oldestTaskSince",
  "realTimeStatsMessage",
  "cumulativeStatsMessage",
  "cut",
  "sla",
] as const;

/** The two Documents of a queue as one item; either may be missing. */
export function itemOfDocuments(entry: Entry, realtime: unknown, today: unknown): QueueItem {
  const item: QueueItem = { sid: entry.sid, friendlyName: entry.friendlyName };
  const parts = item as unknown as Fields;
  // The realtime Document's moment and age win: they are read more often.
  for (const source of [today, realtime]) {
    if (!isFields(source)) continue;
    for (const name of COMMON) if (source[name] !== undefined) parts[name] = source[name];
  }
  if (isFields(realtime)) {
    const { activities } = realtime;
    const activityStatistics = isFields(activities)
      ? Object.entries(activities).map(([friendly_name, workers]) => ({
          friendly_name,
          workers: Number(workers),
        }))
      : undefined;
    for (const [scope, numbers] of Object.entries(realtime)) {
      if (scope === "activities" || !isFields(numbers) || typeof numbers.pending !== "number") continue;
      item[`realTimeStats_${scope}`] = realtimeOf(numbers, scope === "all" ? activityStatistics : undefined);
    }
  }
  if (isFields(today)) {
    for (const [scope, numbers] of Object.entries(today))
      if (isFields(numbers)) item[`cumulativeStats_${scope}`] = numbers as CumulativeStats;
  }
  return item;
}

function realtimeOf(numbers: Fields, activityStatistics: RealTimeStats["activityStatistics"]): RealTimeStats {
  const { pending, reserved, assigned, wrapping, tasks, available, eligible } = numbers as Record<
    string,
    number
  >;
  return {
    activityStatistics,
    tasksByStatus: { pending, reserved, assigned, wrapping },
    totalTasks: tasks,
    availableWorkers: available,
    eligibleWorkers: eligible,
    // The Document leaves the age out when nobody waits.
    oldestTask: typeof numbers.oldestTask === "number" ? numbers.oldestTask : 0,
    oldestTaskSince: numbers.oldestTaskSince as string | undefined,
  };
}

/**
 * All metrics of all Documents in their order. One that is in two, because it is just moving from one Document to the
 * next, is shown once, as it was computed last.
 */
export function metricsOf(documents: readonly unknown[]): Metric[] {
  const found = new Map<string, Metric & { position: number }>();
  for (const document of documents) {
    if (!isFields(document)) continue;
    for (const [name, value] of Object.entries(document)) {
      if (!isFields(value)) continue;
      const metric = metricOf(name, value);
      const known = found.get(name);
      if (!known || (metric.asOf ?? "") > (known.asOf ?? "")) found.set(name, metric);
    }
  }
  return [...found.values()]
    .sort((a, b) => a.position - b.position || (a.name < b.name ? -1 : 1))
    .map(({ position: _, ...metric }) => metric);
}

function metricOf(name: string, value: PublishedMetric): Metric & { position: number } {
  return {
    name,
    label: value.label ?? name,
    value: value.value ?? null,
    text: value.text ?? "",
    format: value.format ?? "",
    style: value.style ?? PLAIN,
    increment: value.increment === true,
    asOf: value.asOf ?? null,
    ...(value.readBy ? { readBy: value.readBy } : {}),
    position: typeof value.position === "number" ? value.position : Number.MAX_SAFE_INTEGER,
    ...(value.error ? { error: value.error } : {}),
    ...(value.sla ? { sla: value.sla } : {}),
  };
}
