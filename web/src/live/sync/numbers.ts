/**
 * All numbers that stand in Sync, kept up to date: which objects they are, what is missing of them, and what changed.
 * Changes are told together, at most ten times a second.
 */
import type { Metric, QueueItem, SyncPlaces } from "../../types.ts";
import type { SyncClient } from "./client.ts";
import { Gate, keepDocument, keepMap, type Lost } from "./keep.ts";
import { type Entry, entryOf, itemOfDocuments, metricsOf, queueItem } from "./shapes.ts";

const TOGETHER_MS = 100;

export interface NumbersChange {
  queues?: QueueItem[];
  removed?: string[];
  metrics?: Metric[];
  workspace?: unknown;
}

export interface NumbersTold {
  changed(change: NumbersChange): void;
  /** What is missing, in words; undefined once everything is here. */
  missing(why: string | undefined): void;
}

const words = (kind: string, id: string, lost: Lost) =>
  lost.missing
    ? `there is no ${kind} \`${id}\` in Sync (yet)`
    : `Sync refuses the ${kind} \`${id}\`: ${lost.why}`;

export class Numbers {
  private readonly gate = new Gate();
  private readonly stops = new Map<string, () => void>();
  /** What is not here, by object. */
  private readonly lacking = new Map<string, string>();
  private said: string | undefined | null = null;
  /** Once everything was here, what is added later is waited for without a word. */
  private wasWhole = false;

  private queues = new Map<string, QueueItem>();
  private readonly entries = new Map<string, Entry>();
  private readonly documents = new Map<string, unknown>();
  private readonly owners = new Map<string, string>();
  private readonly metrics = new Map<string, unknown>();
  private workspace: unknown;

  private readonly changedQueues = new Set<string>();
  private readonly goneQueues = new Set<string>();
  private metricsChanged = false;
  private workspaceChanged = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly client: SyncClient,
    places: SyncPlaces,
    private readonly told: NumbersTold,
  ) {
    if (places.queues && "map" in places.queues) this.watchItems(places.queues.map);
    else if (places.queues) this.watchIndex(places.queues.index);
    else this.lacking.set("queues", "the queues' numbers are not written to Sync (SYNC_LAYOUTS)");
    if (places.workspace) this.watchWorkspace(places.workspace);
    this.setMetricsDocuments([places.metrics]);
    this.say();
  }

  /** The Documents that hold metrics, in order. */
  setMetricsDocuments(names: readonly string[]): void {
    for (const name of [...this.metrics.keys()]) {
      if (names.includes(name)) continue;
      this.stop(name);
      this.metrics.delete(name);
      this.lacking.delete(name);
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
    this.say();
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
    this.expect(id, `the Document \`${id}\` is not read yet`);
    const stop = keepDocument(this.client, id, this.gate, {
      data: (data) => {
        take(data);
        this.have(id);
      },
      lost: (lost) => this.lack(id, words("Document", id, lost)),
    });
    this.stops.set(id, stop);
  }

  private watchWorkspace(id: string): void {
    this.watchDocument(id, (data) => {
      this.workspace = (data as { workspace_statistics?: unknown } | null)?.workspace_statistics ?? data;
      this.workspaceChanged = true;
      this.soon();
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
      gone: (key) => this.removeQueue(key),
    });
  }

  private putItem(key: string, data: unknown): void {
    const item = queueItem(key, data);
    if (item) this.putQueue(item);
  }

  private watchIndex(id: string): void {
    const put = (key: string, data: unknown) => {
      const entry = entryOf(key, data);
      if (entry) this.putEntry(entry);
    };
    const gone = (key: string) => this.removeEntry(key);
    this.watchMap(id, {
      all: (items) => {
        for (const key of [...this.entries.keys()]) if (!items.has(key)) gone(key);
        for (const [key, data] of items) put(key, data);
      },
      put,
      gone,
    });
  }

  private watchMap(id: string, take: Pick<Parameters<typeof keepMap>[3], "all" | "put" | "gone">): void {
    this.expect(id, `the Map \`${id}\` is not read yet`);
    const stop = keepMap(this.client, id, this.gate, {
      ...take,
      all: (items) => {
        take.all(items);
        this.have(id);
      },
      lost: (lost) => this.lack(id, words("Map", id, lost)),
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
      this.expect(id, "the queues' Documents are not all read yet");
      const stop = keepDocument(this.client, id, this.gate, {
        data: (data) => {
          this.documents.set(id, data);
          this.drawUp(entry.sid);
          this.have(id);
        },
        lost: (lost) => {
          // A queue that was just made has no numbers yet; that is no reason to wait for it.
          this.documents.delete(id);
          this.drawUp(entry.sid);
          if (lost.missing) this.have(id);
          else this.lack(id, words("Document", id, lost));
        },
      });
      this.stops.set(id, stop);
    }
    this.drawUp(entry.sid);
  }

  private removeEntry(sid: string): void {
    const entry = this.entries.get(sid);
    if (!entry) return;
    this.entries.delete(sid);
    for (const id of [entry.realtime, entry.today]) this.dropDocument(id);
    this.removeQueue(sid);
    this.say();
  }

  private dropDocument(id: string): void {
    this.stop(id);
    this.owners.delete(id);
    this.documents.delete(id);
    this.lacking.delete(id);
  }

  private drawUp(sid: string): void {
    const entry = this.entries.get(sid);
    if (!entry) return;
    const { documents } = this;
    this.putQueue(itemOfDocuments(entry, documents.get(entry.realtime), documents.get(entry.today)));
  }

  private putQueue(item: QueueItem): void {
    this.queues.set(item.sid, item);
    this.goneQueues.delete(item.sid);
    this.changedQueues.add(item.sid);
    this.soon();
  }

  private removeQueue(sid: string): void {
    this.queues.delete(sid);
    this.changedQueues.delete(sid);
    this.goneQueues.add(sid);
    this.soon();
  }

  private touchMetrics(): void {
    this.metricsChanged = true;
    this.soon();
  }

  private stop(id: string): void {
    this.stops.get(id)?.();
    this.stops.delete(id);
  }

  private expect(id: string, why: string): void {
    if (!this.wasWhole) this.lacking.set(id, why);
  }

  private have(id: string): void {
    this.lacking.delete(id);
    this.say();
  }

  private lack(id: string, why: string): void {
    this.lacking.set(id, why);
    this.say();
  }

  private say(): void {
    const why = this.lacking.values().next().value;
    if (why === this.said) return;
    this.said = why;
    this.wasWhole ||= why === undefined;
    this.told.missing(why);
  }

  private soon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const { changedQueues, goneQueues } = this;
      const change: NumbersChange = {};
      if (changedQueues.size > 0)
        change.queues = [...changedQueues].flatMap((sid) => this.queues.get(sid) ?? []);
      if (goneQueues.size > 0) change.removed = [...goneQueues];
      if (this.metricsChanged) change.metrics = this.allMetrics();
      if (this.workspaceChanged) change.workspace = this.workspace;
      changedQueues.clear();
      goneQueues.clear();
      this.metricsChanged = false;
      this.workspaceChanged = false;
      this.told.changed(change);
    }, TOGETHER_MS);
  }
}
