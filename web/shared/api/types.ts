/**
 * What the service sends, field by field. Instants are ISO 8601 in UTC. `schema.d.ts` is generated from the service's
 * interface; what is narrower or longer here is checked against it at the end of this file.
 */
import type { components } from "./schema.d.ts";

type Schemas = components["schemas"];

export type Instant = string;

export type ReadBy = "event" | "timer";

/** As the service describes it; what an older one does not send may be missing. */
export type Session = Omit<Schemas["Session"], "csrfToken" | "timeZone" | "sync" | "now" | SinceNewer> &
  Partial<Pick<Schemas["Session"], SinceNewer>> & {
    csrfToken: string;
    timeZone: string;
    /** Where the same numbers stand in Twilio Sync; null or missing without an API key. */
    sync?: SyncObjectNames | null;
    /** What the contact centre is called. */
    centreName?: string | null;
    /** Whether this user may see statistics; only Flex users may lack that. */
    watches?: boolean;
    /** Numbers that this Flex user's calls may show; null for users who place none. */
    callerIds?: string[] | null;
  };

type SinceNewer = "sla" | "slaNames" | "slaOfQueues" | "version" | "watches";

export interface SyncObjectNames {
  /** A Map of whole items, or the Map that lists the queues' Documents; null when neither layout is kept. */
  queues: { map: string } | { index: string } | null;
  workspace: string | null;
  /** The first Document of metrics; further ones are named by `/api/health`. */
  metrics: string;
  /** Set only where the service does not talk to Twilio itself. */
  endpoint?: { cds: string; twilsock: string };
}

export type SlaName = Schemas["SlaName"];

export type SyncToken = Schemas["AccessToken"];

/** Fields may be missing: the service cuts what does not fit into Sync, and names it in `cut`. */
export interface RealTimeStats {
  activityStatistics?: { friendly_name: string; workers: number }[];
  oldestTask?: number;
  oldestTaskSince?: Instant;
  tasksByPriority?: Record<string, number>;
  tasksByStatus?: Partial<Record<TaskStatus, number>>;
  availableWorkers?: number;
  eligibleWorkers?: number;
  totalTasks?: number;
}

export type TaskStatus = "pending" | "reserved" | "assigned" | "wrapping";

export interface Wait {
  avg: number;
  min: number;
  max: number;
  total: number;
}

export interface SplitSide {
  tasks_canceled: number;
  reservations_accepted: number;
}

export interface CumulativeStats {
  rCreated?: number;
  rRej?: number;
  rAccepted?: number;
  rTimedOut?: number;
  rCancel?: number;
  rRescind?: number;
  tCompl?: number;
  tMoved?: number;
  tEnter?: number;
  tCanc?: number;
  tDel?: number;
  waitUntilCancel?: Wait;
  waitUntilAccept?: Wait;
  splitByWaitTime?: Record<string, { above: SplitSide; below: SplitSide }>;
  startTime?: Instant;
  endTime?: Instant;
  avgTaskAcceptanceTime?: number;
}

/** One TaskQueue. The scope is `all` or a channel's name. */
export interface QueueItem {
  sid: string;
  friendlyName: string;
  asOf?: Instant;
  /** Why that was read. */
  readBy?: ReadBy;
  oldestTaskSince?: Instant;
  realTimeStatsMessage?: string;
  cumulativeStatsMessage?: string;
  cut?: string[];
  /** The service level's name, where this queue has its own. */
  sla?: string;
  [realtime: `realTimeStats_${string}`]: RealTimeStats | undefined;
  [cumulative: `cumulativeStats_${string}`]: CumulativeStats | undefined;
}

/** Colours are names of Paste's tokens, or `transparent`. */
export interface Style {
  styleName: string;
  headlineColour: string;
  statColour: string;
  backgroundColour: string;
}

export interface Metric {
  name: string;
  label: string;
  value: unknown;
  text: string;
  format: string;
  style: Style;
  increment: boolean;
  asOf: Instant | null;
  readBy?: ReadBy;
  /** Which threshold the value has passed, as the service judged it; missing from older services. */
  threshold?: Threshold | null;
  /** Set while formulas can't be evaluated: the value is the last one. */
  stale?: { since: Instant; reason: string } | null;
  /** For editors only, and only in the feed. */
  error?: string | Problem | null;
  /** The service level that the formula used, in words. */
  sla?: string;
  /** Its threshold in seconds. */
  slaThreshold?: number;
  /** How a TV shows it: in turn unless this says otherwise. */
  tv?: OnTv;
}

export type OnTv = "always" | "never" | "";

export interface Threshold {
  level: 1 | 2;
  limit: number;
  direction: "above" | "below";
}

/** A metric as it stands in Sync, under its name. `position` is the order over all Documents. */
export type PublishedMetric = Partial<Omit<Metric, "name">> & { position?: number };

/** Alerts about the quality of calls; the whole part is missing when there was none. */
export interface Voice {
  today: number;
  agents: { agent: string; today: number }[];
  /** Newest first. */
  recent: VoiceAlert[];
}

export interface VoiceAlert {
  at: Instant;
  agent: string | null;
  callerId: string | null;
  dnis: string | null;
  issues: string;
  action: string;
}

/** What Sync does not carry: `GET /api/health`. */
export interface HealthAnswer {
  now: Instant;
  /** When the oldest of what is shown was read. */
  asOf?: Instant | null;
  health: Health;
  queuesKnown?: boolean;
  voice?: Voice | null;
  metricsDocuments?: string[];
}

export interface Health {
  taskrouter: { ok: boolean; since?: Instant | null; reason?: string | null };
  sync: { ok: boolean; unwritten?: number; failing?: number; beyondLimit?: BeyondLimit | null };
}

/** The Sync object with more changes than Sync's limit lets through. */
export interface BeyondLimit {
  object: string;
  waiting: number;
  writesASecond: number;
}

export interface Snapshot {
  seq: number;
  now: Instant;
  asOf?: Instant | null;
  queues: QueueItem[];
  workspace: unknown;
  metrics?: Metric[];
  health: Health;
  voice?: Voice | null;
  /** False until the service has read which queues there are. */
  queuesKnown?: boolean;
}

/** `queues` holds only what changed; the other parts are whole where they are present. */
export interface Change {
  seq: number;
  now: Instant;
  /** When the oldest of what is shown was read, where that moved. */
  asOf?: Instant | null;
  queues?: QueueItem[];
  removed?: string[];
  workspace?: unknown;
  metrics?: Metric[];
  health?: Health;
  voice?: Voice | null;
  queuesKnown?: boolean;
}

export type FeedEvent = { type: "snapshot"; data: Snapshot } | { type: "change"; data: Change };

export interface Task {
  TaskSid: string;
  Priority: number;
  TaskStatus: string;
  /** Empty while no agent has it. */
  WorkerName: string;
  /** Empty while there is none. */
  RecordingUrl: string;
  TaskQueueName: string | null;
  TaskChannel: string | null;
  DateCreated: Instant;
  [attribute: string]: unknown;
}

export interface Worker {
  worker_sid: string;
  friendly_name: string;
  activity_name: string;
  date_status_changed: Instant | null;
  [attribute: string]: unknown;
}

export type QueueName = Schemas["QueueName"];

/** A metric's definition. What we do not know is kept as it is. */
export interface Definition {
  label: string;
  formula: string;
  format?: string;
  value?: unknown;
  increment?: boolean;
  defaultStyle?: Style;
  firstThresholdValue?: string;
  firstThresholdStyle?: Style;
  secondThresholdValue?: string;
  secondThresholdStyle?: Style;
  invertThresholds?: boolean;
  /** The service level that `sla()` uses in this formula; empty is the service's own choice. */
  slaName?: string;
  /** How a TV shows it; empty or missing is in turn. */
  tv?: OnTv;
  /** The queues that the tile opens: a name of `queues/filters.ts`. */
  opens?: string;
  [other: string]: unknown;
}

export type Definitions = Record<string, { metric: Definition }>;

export type Problem = Schemas["Problem"];

export interface Preview {
  value: unknown;
  text: string;
  style: Style;
  error?: string | Problem | null;
  /** What an editor should know before saving it. */
  warnings?: Problem[];
}

export type Points = [seconds: number, value: number | null][];

/** Fails to compile where a type of ours no longer fits the service's interface. */
type Fits<Ours extends Theirs, Theirs> = Ours;
export type Contract = [
  Fits<SyncObjectNames["queues"], Schemas["QueueObjects"] | null>,
  Fits<Pick<QueueItem, "sid" | "friendlyName">, Pick<Schemas["QueueItem"], "sid" | "friendlyName">>,
  Fits<keyof HealthAnswer, keyof Schemas["Health"]>,
];
