/**
 * The service's feed of server-sent events. It is read with `fetch` because an `EventSource` hides keep-alive comments
 * and a 401.
 */
import type { Client } from "../../api/client.ts";
import { decodeFeedEvent } from "../../api/decode.ts";
import { ApiError } from "../../api/errors.ts";
import { backoff, WakeableDelay } from "../backoff.ts";
import type { FeedCursor, LiveListener, LiveSource } from "../source.ts";
import { SseParser } from "./sse.ts";

/** Without a byte for this long the connection is dead, whatever the socket says: keep-alives come every 15 s. */
const SILENCE_MS = 30_000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 15_000;

export function feedSource(client: Pick<Client, "stream">, path = "api/feed"): LiveSource {
  return {
    start(listener, cursor = { lastEventId: "" }) {
      const feed = new Feed(client, path, listener, cursor);
      void feed.run();
      const hurry = () => feed.hurry();
      // In a shared worker there is no window.
      globalThis.addEventListener("online", hurry);
      return () => {
        globalThis.removeEventListener("online", hurry);
        feed.stop();
      };
    },
  };
}

class Feed {
  private stopped = false;
  private failures = 0;
  private abort = new AbortController();
  private readonly delay = new WakeableDelay();
  private readonly unreadable = new Set<string>();

  constructor(
    private readonly client: Pick<Client, "stream">,
    private readonly path: string,
    private readonly listener: LiveListener,
    private readonly cursor: FeedCursor,
  ) {}

  async run(): Promise<void> {
    let retry = false;
    while (!this.stopped) {
      this.listener.link(retry ? { state: "connecting", retry } : { state: "connecting" });
      const ended = await this.read().catch((error: unknown) => error);
      // `onUnauthorized` was called: without a session there is no feed to wait for.
      if (this.stopped || (ended instanceof ApiError && ended.status === 401)) return;
      const ms = backoff(this.failures, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
      this.failures += 1;
      retry = true;
      this.listener.link({ state: "lost", retryAt: Date.now() + ms });
      await this.delay.wait(ms);
    }
  }

  hurry(): void {
    this.failures = 0;
    this.delay.wake();
  }

  stop(): void {
    this.stopped = true;
    this.abort.abort();
    this.delay.wake();
  }

  /** Reads one connection to its end. */
  private async read(): Promise<void> {
    const abort = new AbortController();
    this.abort = abort;
    let silence = setTimeout(() => abort.abort(), SILENCE_MS);
    try {
      const headers: Record<string, string> = { Accept: "text/event-stream" };
      if (this.cursor.lastEventId) headers["Last-Event-ID"] = this.cursor.lastEventId;
      const response = await this.client.stream(this.path, headers, abort.signal);
      if (!response.ok || !response.body) throw new Error(`status ${response.status}`);
      this.listener.link({ state: "open" });
      const parser = new SseParser();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done || this.stopped) return;
        clearTimeout(silence);
        silence = setTimeout(() => abort.abort(), SILENCE_MS);
        this.listener.activity();
        this.failures = 0;
        for (const message of parser.push(value)) {
          if (message.event === "snapshot" || message.event === "change")
            this.take(message.event, message.data, message.id);
          if (message.id !== undefined) this.cursor.lastEventId = message.id;
        }
      }
    } finally {
      clearTimeout(silence);
      abort.abort();
    }
  }

  /** An event that can't be read is no place to resume from: the next connection asks for everything. */
  private take(type: "snapshot" | "change", text: string, id: string | undefined): void {
    const resume = this.cursor.lastEventId;
    this.cursor.lastEventId = "";
    const decoded = decodeFeedEvent(type, JSON.parse(text));
    if (!decoded) throw new Error("an event without its envelope");
    const before = this.unreadable.size;
    if (type === "snapshot") this.unreadable.clear();
    for (const { sid } of decoded.event.data.queues ?? []) this.unreadable.delete(sid);
    for (const key of decoded.unreadable) this.unreadable.add(key);
    this.listener.event(decoded.event, id);
    if (this.unreadable.size !== before) this.listener.unreadable?.(this.unreadable.size);
    this.cursor.lastEventId = resume;
  }
}
