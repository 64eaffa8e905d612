/**
 * The service's feed, and while it can't be reached the queues in a Sync Map through Flex's own Sync client. The Map has
 * no metrics, so these are marked stale. As soon as the feed is open again it takes over, with a whole snapshot.
 */
import type { FeedEvent, Metric, QueueItem } from "@taskrouter-sync/shared/api/types.ts";
import type { Link, LiveListener, LiveSource } from "@taskrouter-sync/shared/live/source.ts";
import { decodeQueueItem } from "@taskrouter-sync/shared/live/sync/decode.ts";
import type { SyncClient } from "@taskrouter-sync/shared/live/sync/sdk.ts";
import { Semaphore, subscribeMap } from "@taskrouter-sync/shared/live/sync/subscription.ts";
import type { PluginTexts } from "../locales/index.ts";

/** A short loss is not worth another source. */
const PATIENCE_MS = 3000;
const FLUSH_MS = 100;

export interface MapFallback {
  /** Flex's Sync client; undefined where Flex has none. */
  client(): SyncClient | undefined;
  map: string;
  text: PluginTexts["source"];
  feedReason: string;
}

export function withMapFallback(feed: LiveSource, fallback: MapFallback): LiveSource {
  return {
    start(listener) {
      const watch = new Watch(feed, fallback, listener);
      return () => watch.stop();
    },
  };
}

class Watch {
  private readonly cursor = { lastEventId: "" };
  private readonly stopFeed: () => void;
  private stopMap: (() => void) | undefined;
  private patience: ReturnType<typeof setTimeout> | undefined;
  private flushTimer: ReturnType<typeof setTimeout> | undefined;
  private reading = false;
  private isMapLost = false;
  private watched: SyncClient | undefined;
  private feedLink: Link = { state: "connecting" };
  private seq = 0;
  private known = false;
  private metrics: readonly Metric[] = [];
  private items = new Map<string, QueueItem>();

  constructor(
    feed: LiveSource,
    private readonly fallback: MapFallback,
    private readonly listener: LiveListener,
  ) {
    listener.activeSource?.({ kind: "feed", reason: fallback.feedReason });
    this.stopFeed = feed.start(
      {
        event: (event) => this.take(event),
        link: (link) => {
          if (link.state === "open") this.toFeed();
          else if (link.state === "lost") this.feedLost();
          this.feedLink = link;
          if (!this.reading || this.isMapLost) listener.link(link);
        },
        activity: () => !this.reading && listener.activity(),
        unreadable: (count) => listener.unreadable?.(count),
      },
      this.cursor,
    );
  }

  stop(): void {
    clearTimeout(this.patience);
    this.closeMap();
    this.stopFeed();
  }

  private take(event: FeedEvent): void {
    this.seq = event.data.seq;
    this.known = true;
    if (event.data.metrics) this.metrics = event.data.metrics;
    this.listener.event(event);
  }

  private feedLost(): void {
    if (this.stopMap || this.patience !== undefined) return;
    this.patience = setTimeout(() => {
      this.patience = undefined;
      this.openMap();
    }, PATIENCE_MS);
  }

  private toFeed(): void {
    clearTimeout(this.patience);
    this.patience = undefined;
    if (!this.stopMap) return;
    this.closeMap();
    if (!this.reading) return;
    this.reading = false;
    this.listener.activeSource?.({ kind: "feed", reason: this.fallback.feedReason });
  }

  private openMap(): void {
    const client = this.fallback.client();
    if (!client) return;
    this.watchConnection(client);
    const put = (key: string, data: unknown) => {
      const item = decodeQueueItem(key, data);
      if (item && item !== "unreadable") this.items.set(key, item);
      else this.items.delete(key);
    };
    this.stopMap = subscribeMap(client, this.fallback.map, new Semaphore(), {
      all: (items) => {
        const before = [...this.items.keys()];
        this.items = new Map();
        for (const [key, data] of items) put(key, data);
        this.takeOver();
        this.mapAnswers();
        this.send(
          [...this.items.values()],
          before.filter((sid) => !this.items.has(sid)),
        );
      },
      put: (key, data) => {
        put(key, data);
        this.mapAnswers();
        this.flush();
      },
      gone: (key) => {
        this.items.delete(key);
        this.send([], [key]);
      },
      lost: () => this.mapLost(),
    });
  }

  /** A Map stays subscribed while its client has no connection; only the client says so. */
  private watchConnection(client: SyncClient): void {
    if (this.watched === client) return;
    this.watched = client;
    client.on("connectionStateChanged", (state) => {
      if (!this.stopMap) return;
      if (state === "connected") this.mapAnswers();
      else this.mapLost();
    });
  }

  /** Neither source answers: the numbers are as old as they are, and the feed's next try is what there is to say. */
  private mapLost(): void {
    if (!this.reading || this.isMapLost) return;
    this.isMapLost = true;
    this.listener.link(this.feedLink);
  }

  private mapAnswers(): void {
    if (!this.isMapLost) return;
    this.isMapLost = false;
    this.listener.link({ state: "open" });
  }

  private closeMap(): void {
    this.isMapLost = false;
    clearTimeout(this.flushTimer);
    this.flushTimer = undefined;
    this.stopMap?.();
    this.stopMap = undefined;
  }

  private takeOver(): void {
    if (this.reading) return;
    this.reading = true;
    // What the feed sends next must be whole: numbers of both are mixed by then.
    this.cursor.lastEventId = "";
    const { text, map } = this.fallback;
    this.listener.activeSource?.({ kind: "sync", reason: text.syncMap(map) });
    this.listener.link({ state: "open" });
    const since = new Date().toISOString();
    const stale = { since, reason: text.metricsNeedService };
    this.metrics = this.metrics.map((metric) => ({ ...metric, stale: metric.stale ?? stale }));
    if (!this.known) {
      this.listener.event({
        type: "snapshot",
        data: {
          seq: 0,
          now: since,
          queues: [],
          workspace: null,
          metrics: [],
          health: { taskrouter: { ok: true }, sync: { ok: true } },
        },
      });
      return;
    }
    this.listener.event({
      type: "change",
      data: { seq: this.next(), now: since, metrics: [...this.metrics] },
    });
  }

  private flush(): void {
    this.flushTimer ??= setTimeout(() => {
      this.flushTimer = undefined;
      this.send([...this.items.values()], []);
    }, FLUSH_MS);
  }

  private send(queues: QueueItem[], removed: string[]): void {
    if (!this.reading) return;
    const known = [...this.items.values()].flatMap((item) => item.asOf ?? []);
    const asOf = known.reduce<string | null>(
      (newest, at) => (newest === null || at > newest ? at : newest),
      null,
    );
    const data = { seq: this.next(), now: new Date().toISOString(), asOf, queues, removed };
    this.listener.event({ type: "change", data });
  }

  private next(): number {
    this.seq += 1;
    return this.seq;
  }
}
