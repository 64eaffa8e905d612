/**
 * Objects in Sync, decoded into what the feed would send. Others may write to the same Sync Service, so that everything
 * is checked field by field: a field of the wrong type counts as missing. Pure.
 */
import * as v from "valibot";
import { decodeThreshold, type Fields, isFields } from "../../api/decode.ts";
import type { CumulativeStats, Metric, QueueItem, RealTimeStats, Style } from "../../api/types.ts";

/** A field that is missing where it has another type. */
const lenient = <S extends v.GenericSchema>(schema: S) => v.fallback(v.optional(schema), undefined);
const number = lenient(v.pipe(v.number(), v.finite()));
const text = lenient(v.string());
const counts = lenient(v.pipe(v.custom<Fields>(isFields), v.record(v.string(), v.number())));

const realTimeStats = v.object({
  activityStatistics: lenient(v.array(v.object({ friendly_name: v.string(), workers: v.number() }))),
  oldestTask: number,
  oldestTaskSince: text,
  tasksByPriority: counts,
  tasksByStatus: counts,
  availableWorkers: number,
  eligibleWorkers: number,
  totalTasks: number,
});
const wait = lenient(v.object({ avg: v.number(), min: v.number(), max: v.number(), total: v.number() }));
const side = v.object({ tasks_canceled: v.number(), reservations_accepted: v.number() });
const cumulativeStats = v.object({
  rCreated: number,
  rRej: number,
  rAccepted: number,
  rTimedOut: number,
  rCancel: number,
  rRescind: number,
  tCompl: number,
  tMoved: number,
  tEnter: number,
  tCanc: number,
  tDel: number,
  waitUntilCancel: wait,
  waitUntilAccept: wait,
  splitByWaitTime: lenient(v.record(v.string(), v.object({ above: side, below: side }))),
  startTime: text,
  endTime: text,
  avgTaskAcceptanceTime: number,
});
const common = v.object({
  asOf: text,
  readBy: lenient(v.picklist(["event", "timer"])),
  oldestTaskSince: text,
  realTimeStatsMessage: text,
  cumulativeStatsMessage: text,
  cut: lenient(v.array(v.string())),
  sla: text,
});
const style = v.object({
  styleName: v.string(),
  headlineColour: v.string(),
  statColour: v.string(),
  backgroundColour: v.string(),
});
const problem = v.union([v.string(), v.looseObject({ message: v.string() })]);
const publishedMetric = v.object({
  label: text,
  value: v.optional(v.unknown()),
  text,
  format: text,
  style: lenient(style),
  increment: lenient(v.boolean()),
  asOf: text,
  readBy: lenient(v.picklist(["event", "timer"])),
  position: number,
  error: lenient(problem),
  sla: text,
  threshold: v.optional(v.unknown()),
  stale: lenient(v.object({ since: v.string(), reason: v.string() })),
});

const PLAIN: Style = {
  styleName: "Default",
  headlineColour: "colorTextWeak",
  statColour: "colorText",
  backgroundColour: "transparent",
};

const REALTIME = "realTimeStats_";
const CUMULATIVE = "cumulativeStats_";

/** Fields without those that are undefined. */
function present<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

const statsOf = (value: Fields): RealTimeStats => present(v.parse(realTimeStats, value)) as RealTimeStats;
const totalsOf = (value: Fields): CumulativeStats =>
  present(v.parse(cumulativeStats, value)) as CumulativeStats;

/** An item of the Map of whole queues; undefined for an item of someone else, which a Map may hold. */
export function decodeQueueItem(key: string, data: unknown): QueueItem | "unreadable" | undefined {
  if (!isFields(data) || data.sid !== key) return undefined;
  if (typeof data.friendlyName !== "string") return "unreadable";
  const item: QueueItem = {
    sid: key,
    friendlyName: data.friendlyName,
    ...(present(v.parse(common, data)) as Partial<QueueItem>),
  };
  for (const [name, value] of Object.entries(data)) {
    if (!isFields(value)) continue;
    if (name.startsWith(REALTIME)) item[`${REALTIME}${name.slice(REALTIME.length)}`] = statsOf(value);
    else if (name.startsWith(CUMULATIVE))
      item[`${CUMULATIVE}${name.slice(CUMULATIVE.length)}`] = totalsOf(value);
  }
  return item;
}

/** An item of the Map that lists the queues' Documents. */
export interface Entry {
  sid: string;
  friendlyName: string;
  realtime: string;
  today: string;
}

export function entryOf(key: string, data: unknown): Entry | "unreadable" | undefined {
  if (!isFields(data) || data.sid !== key) return undefined;
  const { friendlyName, realtime, today } = data;
  if (typeof friendlyName !== "string" || typeof realtime !== "string" || typeof today !== "string")
    return "unreadable";
  return { sid: key, friendlyName, realtime, today };
}

/** The two Documents of a queue as one item; either may be missing. */
export function itemOfDocuments(entry: Entry, realtime: unknown, today: unknown): QueueItem {
  const item: QueueItem = { sid: entry.sid, friendlyName: entry.friendlyName };
  // The realtime Document's moment and age win: they are read more often.
  for (const source of [today, realtime])
    if (isFields(source)) Object.assign(item, present(v.parse(common, source)));
  if (isFields(realtime)) {
    const { activities } = realtime;
    const activityStatistics = isFields(activities)
      ? Object.entries(activities).flatMap(([friendly_name, workers]) =>
          typeof workers === "number" ? [{ friendly_name, workers }] : [],
        )
      : undefined;
    for (const [scope, numbers] of Object.entries(realtime)) {
      if (scope === "activities" || !isFields(numbers) || typeof numbers.pending !== "number") continue;
      item[`realTimeStats_${scope}`] = realtimeOf(numbers, scope === "all" ? activityStatistics : undefined);
    }
  }
  if (isFields(today)) {
    for (const [scope, numbers] of Object.entries(today))
      if (isFields(numbers)) item[`cumulativeStats_${scope}`] = totalsOf(numbers);
  }
  return item;
}

function realtimeOf(numbers: Fields, activityStatistics: RealTimeStats["activityStatistics"]): RealTimeStats {
  const { pending, reserved, assigned, wrapping, tasks, available, eligible } = numbers;
  return statsOf({
    activityStatistics,
    tasksByStatus: present({ pending, reserved, assigned, wrapping }),
    totalTasks: tasks,
    availableWorkers: available,
    eligibleWorkers: eligible,
    // The Document leaves the age out when no task waits.
    oldestTask: typeof numbers.oldestTask === "number" ? numbers.oldestTask : 0,
    oldestTaskSince: numbers.oldestTaskSince,
  });
}

/**
 * All metrics of all Documents in their order. One that is in two, because it is moving from one Document to the next,
 * is shown once, as it was computed last.
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

function metricOf(name: string, data: Fields): Metric & { position: number } {
  const value = v.parse(publishedMetric, data);
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
    position: value.position ?? Number.MAX_SAFE_INTEGER,
    ...(value.error ? { error: value.error as NonNullable<Metric["error"]> } : {}),
    ...(value.sla ? { sla: value.sla } : {}),
    ...(value.stale ? { stale: value.stale } : {}),
    ...(value.threshold === undefined ? {} : { threshold: decodeThreshold(value.threshold) }),
  };
}
