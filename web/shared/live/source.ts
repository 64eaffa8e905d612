/** Where live numbers come from: the service's feed (`feed/`), or Twilio Sync beside it (`sync/`). */
import type { FeedEvent } from "../api/types.ts";

export type Link =
  /** `retry`: the attempt before this one failed. */
  | { state: "connecting"; retry?: boolean }
  | { state: "open" }
  | { state: "lost"; retryAt: number }
  /** The page is hidden, and holds no connection that another tab of this browser may need. */
  | { state: "paused" };

/** Which source numbers come from at present, and why from this one. */
export interface ActiveSource {
  kind: "feed" | "sync";
  reason: string;
}

export interface LiveListener {
  /** `id` is where a feed resumes after this event. */
  event(event: FeedEvent, id?: string): void;
  link(link: Link): void;
  /** Bytes arrived, if only a keep-alive: the connection lives and no event was missed. */
  activity(): void;
  activeSource?(source: ActiveSource): void;
  /** How many items of the data can't be read at present. */
  unreadable?(count: number): void;
}

/** Where a feed resumes. It belongs to the board that was built from the events so far. */
export interface FeedCursor {
  lastEventId: string;
}

export interface LiveSource {
  /** Starts, retries until stopped, and returns how to stop. */
  start(listener: LiveListener, cursor?: FeedCursor): () => void;
}
