/** The history's requests, for views that load later than the live data: `docs/history.md`. */
import type { Client } from "./client.ts";
import type { Instant, Metric, QueueItem } from "./types.ts";

export interface HistoryState {
  state: "ok" | "off" | "degraded";
  store: "sqlite" | "postgres" | null;
  /** Why it is off or degraded. */
  reason: string | null;
  /** When the first row was stored. */
  since: Instant | null;
  timezone: string;
  detailDays: number;
  intervalDays: number;
  /** Rows that could not be stored. */
  lost: number;
}

export interface Gap {
  /** Seconds, as all of a curve's times. */
  from: number;
  to: number;
  reason: string;
}

interface Curve {
  step: number;
  timezone: string;
  times: number[];
  gaps: Gap[];
}

export const MEASURES = [
  "waiting",
  "oldest",
  "offered",
  "inProgress",
  "wrapping",
  "available",
  "eligible",
  "entered",
  "accepted",
  "abandoned",
  "completed",
  "serviceLevel",
] as const;
export type Measure = (typeof MEASURES)[number];

export interface QueueCurve extends Curve {
  queue: string;
  friendlyName: string;
  channel: string;
  series: Partial<Record<Measure, (number | null)[]>>;
}

export interface MetricCurve extends Curve {
  metric: string;
  values: (number | null)[];
  thresholds: { value: number; style: string }[];
}

export interface IntervalTotals {
  channel: string;
  entered: number | null;
  accepted: number | null;
  abandoned: number | null;
  shortAbandons: number | null;
  completed: number | null;
  /** Accepted within a threshold, by its seconds. */
  within: Record<string, number | null>;
  /** In per cent, at the first threshold; below at each. */
  serviceLevel: number | null;
  serviceLevels?: Record<string, number | null>;
  waitMean: number | null;
  waitMax: number | null;
  waitingMean: number | null;
  waitingMax: number | null;
  /** Agents by Activity, weighted by time. */
  agents: Record<string, number | null>;
  /** The share of the time that was observed. */
  covered?: number | null;
}

export interface IntervalRow extends IntervalTotals {
  queue: string;
  friendlyName: string;
  /** With the zone's offset. */
  start: Instant;
  seconds: number;
  source: "measured" | "twilio";
  covered: number;
  /** Where Twilio's own figures are other than these. */
  difference?: Record<string, number> | null;
}

export interface Intervals {
  from: Instant;
  to: Instant;
  step: number;
  timezone: string;
  slaSeconds: number[];
  shortAbandonSeconds: number | null;
  rows: IntervalRow[];
  /** Over all rows of the query, also those of other pages. */
  totals: IntervalTotals[];
  next: string | null;
}

export interface Moment {
  time: Instant;
  known: boolean;
  gap: { from: number | Instant; to: number | Instant | null; reason: string } | null;
  queues: QueueItem[];
  workspace: unknown;
  tiles: Metric[];
}

export interface CurveQuery {
  /** Milliseconds. */
  from: number;
  to: number;
  step?: number;
}

export interface IntervalQuery {
  from: number;
  to: number;
  step: number;
  queues?: readonly string[];
  channels?: readonly string[];
  cursor?: string;
  limit?: number;
}

export interface HistoryApi {
  state(signal?: AbortSignal): Promise<HistoryState>;
  queue(sid: string, channel: string, query: CurveQuery, signal?: AbortSignal): Promise<QueueCurve>;
  metric(name: string, query: CurveQuery, signal?: AbortSignal): Promise<MetricCurve>;
  intervals(query: IntervalQuery, signal?: AbortSignal): Promise<Intervals>;
  /** All rows as one file. */
  csv(query: IntervalQuery, signal?: AbortSignal): Promise<Blob>;
  at(time: number, signal?: AbortSignal): Promise<Moment>;
}

const seconds = (ms: number) => String(Math.round(ms / 1000));

function parameters(values: Record<string, string | undefined>): string {
  const given = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return new URLSearchParams(given).toString();
}

const curve = ({ from, to, step }: CurveQuery) => ({
  from: seconds(from),
  to: seconds(to),
  step: step === undefined ? undefined : String(step),
});

const list = (values: readonly string[] | undefined) => (values?.length ? values.join(",") : undefined);

export const intervalParameters = (query: IntervalQuery): string =>
  parameters({
    from: seconds(query.from),
    to: seconds(query.to),
    step: String(query.step),
    queues: list(query.queues),
    channels: list(query.channels),
    cursor: query.cursor,
    limit: query.limit === undefined ? undefined : String(query.limit),
  });

/** Column names are words without quotes or line breaks. */
async function withoutHeader(content: Blob): Promise<Blob> {
  const text = await content.text();
  return new Blob([text.slice(text.indexOf("\n") + 1)]);
}

export function historyApi(client: Pick<Client, "get" | "download">): HistoryApi {
  const path = (name: string) => `api/history/${name}`;
  return {
    state: (signal) => client.get(path("state"), signal),
    queue: (sid, channel, query, signal) =>
      client.get(
        `${path(`queues/${encodeURIComponent(sid)}`)}?${parameters({ ...curve(query), channel })}`,
        signal,
      ),
    metric: (name, query, signal) =>
      client.get(`${path(`metrics/${encodeURIComponent(name)}`)}?${parameters(curve(query))}`, signal),
    intervals: (query, signal) => client.get(`${path("intervals")}?${intervalParameters(query)}`, signal),
    async csv(query, signal) {
      const parts: Blob[] = [];
      let cursor: string | null = null;
      do {
        const asked: string = intervalParameters({ ...query, ...(cursor === null ? {} : { cursor }) });
        const part = await client.download(`${path("intervals")}?${asked}`, "text/csv", signal);
        parts.push(parts.length === 0 ? part.content : await withoutHeader(part.content));
        cursor = part.next;
      } while (cursor !== null);
      return new Blob(parts, { type: "text/csv" });
    },
    at: (time, signal) => client.get(`${path("at")}?time=${seconds(time)}`, signal),
  };
}
