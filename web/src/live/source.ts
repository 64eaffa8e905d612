/** Where live numbers come from: the feed of the service (`src/api.ts`), or Twilio Sync beside it (`sync/`). */
import type { FeedEvent } from "../types.ts";

export type Link =
  | { state: "connecting" }
  | { state: "open" }
  /** `whose`: who does not answer, if not the service. */
  | { state: "lost"; retryAt: number; whose?: string };

/** By which way numbers come at present, and why by this one. */
export interface Route {
  via: "feed" | "sync";
  why: string;
}

export interface LiveListener {
  event(event: FeedEvent): void;
  link(link: Link): void;
  /** Something arrived, were it only a keep-alive: the connection lives and nothing was missed. */
  heard(): void;
  route?(route: Route): void;
}

export interface LiveSource {
  /** Starts, keeps trying for ever, and returns how to stop. */
  start(listener: LiveListener): () => void;
}
