/**
 * All numbers that Sync holds, kept current: which objects they are, what is missing of them, and what changed.
 * Changes are coalesced, at most ten flushes a second.
 */
import type { Metric, QueueItem, SyncObjectNames } from "../../api/types.ts";
import { en } from "../../locales/en.ts";
import type { Texts } from "../../locales/index.ts";
import { decodeQueueItem, type Entry, entryOf, itemOfDocuments, metricsOf } from "./decode.ts";
import type { SyncClient } from "./sdk.ts";
import { type Lost, Semaphore, subscribeDocument, subscribeMap } from "./subscription.ts";

const FLUSH_MS = 100;

export interface SyncChange {
  queues?: QueueItem[];
  removed?: string[];
  metrics?: Metric[];
  workspace?: unknown;
}

export interface SyncObjectsListener {
  changed(change: SyncChange): void;
  /** What is missing; undefined once everything is here. */
  missing(why: string | undefined): void;
  /** How many queues can't be read at present. */
  unreadable(count: number): void;
}

export class SyncObjects {
  private readonly semaphore = new Semaphore();
  private readonly stops = new Map<string, () => void>();
  /** Why an object is missing, by its name. */
  private readonly missing = new Map<string, string>();
  private lastReported: string | undefined | null = null;
  /** Once everything was here, objects that are added later are not reported while they are read. */
  private wasComplete = false;

  private queues = new Map<string, QueueItem>();
  private readonly entries = new Map<string, Entry>();
  private readonly documents = new Map<string, unknown>();
  private readonly owners = new Map<string, string>();
  private readonly metrics = new Map<string, unknown>();
  private workspace: unknown;

  private readonly unreadable = new Set<string>();
  private readonly changedQueues = new Set<string>();
  private readonly goneQueues = new Set<string>();
  private metricsChanged = false;
  private workspaceChanged = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly client: SyncClient,
    names: SyncObjectNames,
    private readonly listener: SyncObjectsListener,
    private readonly text: Texts = en,
  ) {
    if (names.queues && "map" in names.queues) this.watchItems(names.queues.map);
    else if (names.queues) this.watchIndex(names.queues.index);
    else this.missing.set("queues", text.source.queuesNotInSync);
    if (names.workspace) this.watchWorkspace(names.workspace);
    this.setMetricsDocuments([names.metrics]);
    this.reportMissing();
  }

  /** The Documents that hold metrics, in order. */
  setMetricsDocuments(names: readonly string[]): void {
    for (const name of [...this.metrics.keys()]) {
      if (names.includes(name)) continue;
      this.stop(name);
      this.metrics.delete(name);
      this.missing.delete(name);
      this.touchMetrics();
    }
    for (const name of names) {
      if (this.metrics.has(name)) continue;
      this.metrics.set(name, undefined);
      this.watchDocument(name, (data) => {
        this.metrics.set(name, data);
        this.touchMetrics();
      });
    }
    this.reportMissing();
  }

  /** All of it, as it is now. */
  snapshot() {
    return { queues: [...this.queues.values()], workspace: this.workspace, metrics: this.allMetrics() };
  }

  close(): void {
    clearTimeout(this.timer);
    for (const stop of this.stops.values()) stop();
    this.stops.clear();
  }

  private allMetrics(): Metric[] {
    return metricsOf([...this.metrics.values()]);
  }

  private watchDocument(id: string, take: (data: unknown) => void): void {
    this.markPending(id, this.text.source.documentPending(id));
    const stop = subscribeDocument(this.client, id, this.semaphore, {
      data: (data) => {
        take(data);
        this.markPresent(id);
      },
      lost: (lost) => this.markMissing(id, this.documentLost(id, lost)),
    });
    this.stops.set(id, stop);
  }

  private watchWorkspace(id: string): void {
    this.watchDocument(id, (data) => {
      this.workspace = (data as { workspace_statistics?: unknown } | null)?.workspace_statistics ?? data;
      this.workspaceChanged = true;
      this.scheduleFlush();
    });
  }

  private watchItems(id: string): void {
    this.watchMap(id, {
      all: (items) => {
        const before = this.queues;
        this.queues = new Map();
        for (const [key, data] of items) this.putItem(key, data);
        for (const sid of before.keys()) if (!this.queues.has(sid)) this.removeQueue(sid);
      },
      put: (key, data) => this.putItem(key, data),
      gone: (key) => {
        this.countUnreadable(key, false);
        this.removeQueue(key);
      },
    });
  }

  private putItem(key: string, data: unknown): void {
    const item = decodeQueueItem(key, data);
    if (item === "unreadable") {
      this.removeQueue(key);
      this.countUnreadable(key, true);
    } else if (item) {
      this.countUnreadable(key, false);
      this.putQueue(item);
    }
  }

  private watchIndex(id: string): void {
    const put = (key: string, data: unknown) => {
      const entry = entryOf(key, data);
      this.countUnreadable(key, entry === "unreadable");
      if (entry && entry !== "unreadable") this.putEntry(entry);
    };
    const gone = (key: string) => {
      this.countUnreadable(key, false);
      this.removeEntry(key);
    };
    this.watchMap(id, {
      all: (items) => {
        for (const key of [...this.entries.keys()]) if (!items.has(key)) gone(key);
        for (const [key, data] of items) put(key, data);
      },
      put,
      gone,
    });
  }

  private watchMap(id: string, take: Pick<Parameters<typeof subscribeMap>[3], "all" | "put" | "gone">): void {
    this.markPending(id, this.text.source.mapPending(id));
    const stop = subscribeMap(this.client, id, this.semaphore, {
      ...take,
      all: (items) => {
        take.all(items);
        this.markPresent(id);
      },
      lost: (lost) => this.markMissing(id, this.mapLost(id, lost)),
    });
    this.stops.set(id, stop);
  }

  private putEntry(entry: Entry): void {
    const before = this.entries.get(entry.sid);
    this.entries.set(entry.sid, entry);
    for (const old of before ? [before.realtime, before.today] : [])
      if (old !== entry.realtime && old !== entry.today) this.dropDocument(old);
    for (const id of [entry.realtime, entry.today]) {
      if (this.owners.has(id)) continue;
      this.owners.set(id, entry.sid);
      this.markPending(id, this.text.source.queueDocumentsPending);
      const stop = subscribeDocument(this.client, id, this.semaphore, {
        data: (data) => {
          this.documents.set(id, data);
          this.rebuildQueue(entry.sid);
          this.markPresent(id);
        },
        lost: (lost) => {
          // A queue that was just made has no numbers yet; that is no reason to wait for it.
          this.documents.delete(id);
          this.rebuildQueue(entry.sid);
          if (lost.missing) this.markPresent(id);
          else this.markMissing(id, this.documentLost(id, lost));
        },
      });
      this.stops.set(id, stop);
    }
    this.rebuildQueue(entry.sid);
  }

  private removeEntry(sid: string): void {
    const entry = this.entries.get(sid);
    if (!entry) return;
    this.entries.delete(sid);
    for (const id of [entry.realtime, entry.today]) this.dropDocument(id);
    this.removeQueue(sid);
    this.reportMissing();
  }

  private dropDocument(id: string): void {
    this.stop(id);
    this.owners.delete(id);
    this.documents.delete(id);
    this.missing.delete(id);
  }

  private rebuildQueue(sid: string): void {
    const entry = this.entries.get(sid);
    if (!entry) return;
    const { documents } = this;
    this.putQueue(itemOfDocuments(entry, documents.get(entry.realtime), documents.get(entry.today)));
  }

  private putQueue(item: QueueItem): void {
    this.queues.set(item.sid, item);
    this.goneQueues.delete(item.sid);
    this.changedQueues.add(item.sid);
    this.scheduleFlush();
  }

  private removeQueue(sid: string): void {
    this.queues.delete(sid);
    this.changedQueues.delete(sid);
    this.goneQueues.add(sid);
    this.scheduleFlush();
  }

  private countUnreadable(key: string, isUnreadable: boolean): void {
    const before = this.unreadable.size;
    if (isUnreadable) this.unreadable.add(key);
    else this.unreadable.delete(key);
    if (this.unreadable.size !== before) this.listener.unreadable(this.unreadable.size);
  }

  private documentLost(id: string, lost: Lost): string {
    const { source } = this.text;
    return lost.missing ? source.noDocument(id) : source.documentRefused(id, lost.why);
  }

  private mapLost(id: string, lost: Lost): string {
    const { source } = this.text;
    return lost.missing ? source.noMap(id) : source.mapRefused(id, lost.why);
  }

  private touchMetrics(): void {
    this.metricsChanged = true;
    this.scheduleFlush();
  }

  private stop(id: string): void {
    this.stops.get(id)?.();
    this.stops.delete(id);
  }

  private markPending(id: string, why: string): void {
    if (!this.wasComplete) this.missing.set(id, why);
  }

  private markPresent(id: string): void {
    this.missing.delete(id);
    this.reportMissing();
  }

  private markMissing(id: string, why: string): void {
    this.missing.set(id, why);
    this.reportMissing();
  }

  private reportMissing(): void {
    const why = this.missing.values().next().value;
    if (why === this.lastReported) return;
    this.lastReported = why;
    this.wasComplete ||= why === undefined;
    this.listener.missing(why);
  }

  private scheduleFlush(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const { changedQueues, goneQueues } = this;
      const change: SyncChange = {};
      if (changedQueues.size > 0)
        change.queues = [...changedQueues].flatMap((sid) => this.queues.get(sid) ?? []);
      if (goneQueues.size > 0) change.removed = [...goneQueues];
      if (this.metricsChanged) change.metrics = this.allMetrics();
      if (this.workspaceChanged) change.workspace = this.workspace;
      changedQueues.clear();
      goneQueues.clear();
      this.metricsChanged = false;
      this.workspaceChanged = false;
      this.listener.changed(change);
    }, FLUSH_MS);
  }
}
