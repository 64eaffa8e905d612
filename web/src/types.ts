/** What the service says, field by field: the contract of `src/api.ts`. Instants are ISO 8601 in UTC. */

export type Instant = string;

export interface Session {
  user: string;
  role: "viewer" | "editor";
  csrfToken: string;
  channels: string[];
  slaThresholds: number[];
  timeZone: string;
  dayStart: string;
  workspaceSid: string;
  /** Whether the service can give tokens for Twilio's Sync SDK. */
  syncToken: boolean;
}

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
  oldestTaskSince?: Instant;
  realTimeStatsMessage?: string;
  cumulativeStatsMessage?: string;
  cut?: string[];
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
  error?: string | Problem | null;
}

export interface Health {
  taskrouter: { ok: boolean; since?: Instant | null; reason?: string | null };
  sync: { ok: boolean; unwritten?: number; failing?: number };
}

export interface Snapshot {
  seq: number;
  now: Instant;
  asOf?: Instant | null;
  queues: QueueItem[];
  workspace: unknown;
  metrics: Metric[];
  health: Health;
}

/** `queues` holds only what changed; `workspace`, `metrics` and `health` are whole where they are present. */
export interface Change {
  seq: number;
  now: Instant;
  queues?: QueueItem[];
  removed?: string[];
  workspace?: unknown;
  metrics?: Metric[];
  health?: Health;
}

export type FeedEvent = { type: "snapshot"; data: Snapshot } | { type: "change"; data: Change };

export interface Task {
  TaskSid: string;
  Priority: number;
  TaskStatus: string;
  WorkerName: string | null;
  RecordingUrl: string | null;
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
  [other: string]: unknown;
}

export type Definitions = Record<string, { metric: Definition }>;

export interface Problem {
  metric?: string;
  field?: string;
  line?: number;
  column?: number;
  message: string;
}

export interface Preview {
  value: unknown;
  text: string;
  style: Style;
  error?: string | Problem | null;
}

export type Points = [seconds: number, value: number | null][];
