/**
 * Checks what arrives from outside against its shape. Feed events come from our own service, so that only the envelope
 * and what every row needs are checked: a thousand queues five times a second must stay cheap.
 */
import type { Change, FeedEvent, Metric, QueueItem, Snapshot, Threshold } from "./types.ts";

export type Fields = Record<string, unknown>;

export const isFields = (value: unknown): value is Fields =>
  value !== null && typeof value === "object" && !Array.isArray(value);

export const isQueueItem = (value: unknown): value is QueueItem =>
  isFields(value) && typeof value.sid === "string" && typeof value.friendlyName === "string";

/** The key under which an unreadable item is counted. */
const keyOf = (value: unknown, index: number) =>
  isFields(value) && typeof value.sid === "string" ? value.sid : `#${index}`;

export interface DecodedEvent {
  event: FeedEvent;
  /** Keys of items that can't be read; a row is never drawn from them. */
  unreadable: string[];
}

/** Undefined where the envelope itself can't be read. */
export function decodeFeedEvent(type: "snapshot" | "change", data: unknown): DecodedEvent | undefined {
  if (!isFields(data) || typeof data.seq !== "number") return undefined;
  if (type === "snapshot" && !Array.isArray(data.queues)) return undefined;
  const list = Array.isArray(data.queues) ? data.queues : undefined;
  const queues = list?.filter(isQueueItem);
  const unreadable = list?.flatMap((item, index) => (isQueueItem(item) ? [] : [keyOf(item, index)])) ?? [];
  const metrics = Array.isArray(data.metrics) ? data.metrics.filter(isMetric).map(withThreshold) : undefined;
  const known = { ...data, ...(queues ? { queues } : {}), ...(metrics ? { metrics } : {}) } as unknown;
  const event: FeedEvent =
    type === "snapshot" ? { type, data: known as Snapshot } : { type, data: known as Change };
  return { event, unreadable };
}

const isMetric = (value: unknown): value is Metric =>
  isFields(value) && typeof value.name === "string" && typeof value.text === "string";

const withThreshold = (metric: Metric): Metric =>
  metric.threshold === undefined ? metric : { ...metric, threshold: decodeThreshold(metric.threshold) };

/** Which threshold a metric has passed, as the service judged it; null when none is passed or it can't be read. */
export function decodeThreshold(value: unknown): Threshold | null {
  if (!isFields(value)) return null;
  const { level, limit, direction } = value;
  if ((level !== 1 && level !== 2) || typeof limit !== "number") return null;
  if (direction !== "above" && direction !== "below") return null;
  return { level, limit, direction };
}
