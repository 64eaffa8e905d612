/**
 * Where live numbers come from. Today the feed of the service (`src/api.ts`); Twilio's Sync SDK fits as well: it reads
 * the Map and the Document once, tells them as a snapshot, and each `itemUpdated` or `updated` as a change.
 */
import type { FeedEvent } from "../types.ts";

export type Link = { state: "connecting" } | { state: "open" } | { state: "lost"; retryAt: number };

export interface LiveListener {
  event(event: FeedEvent): void;
  link(link: Link): void;
  /** Something arrived, were it only a keep-alive: the connection lives and nothing was missed. */
  heard(): void;
}

export interface LiveSource {
  /** Starts, keeps trying for ever, and returns how to stop. */
  start(listener: LiveListener): () => void;
}
