/** A Sync client in memory, for tests: objects that can be written, removed and refused, and a connection. */
import type { SyncClient, SyncDocument, SyncMap, SyncPage } from "../live/sync/sdk.ts";

type Listener = (...args: never[]) => void;

class Emitter {
  private listeners = new Map<string, Listener[]>();
  on(event: string, listener: Listener): this {
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), listener]);
    return this;
  }
  emit(event: string, ...args: unknown[]): void {
    for (const listener of this.listeners.get(event) ?? []) listener(...(args as never[]));
  }
}

class FakeDocument extends Emitter implements SyncDocument {
  closed = false;
  constructor(public data: unknown) {
    super();
  }
  close(): void {
    this.closed = true;
  }
}

class FakeMap extends Emitter implements SyncMap {
  closed = false;
  /** While it is set, pages wait for it. */
  hold: Promise<void> | undefined;
  constructor(readonly items: Map<string, unknown>) {
    super();
  }
  async getItems({ pageSize }: { pageSize: number }): Promise<SyncPage> {
    const all = [...this.items].map(([key, data]) => ({ key, data }));
    const page = async (from: number): Promise<SyncPage> => {
      await this.hold;
      // As the SDK asks: one more from the second page on; and Sync gives at most 100.
      if (pageSize + Number(from > 0) > 100) throw Object.assign(new Error("PageSize"), { status: 400 });
      const items = all.slice(from, from + pageSize);
      return { items, hasNextPage: from + pageSize < all.length, nextPage: () => page(from + pageSize) };
    };
    return page(0);
  }
  close(): void {
    this.closed = true;
  }
}

const notFound = () => Object.assign(new Error("Not Found"), { status: 404 });

export class FakeClient extends Emitter implements SyncClient {
  connectionState = "connecting";
  tokens: string[] = [];
  ended = false;
  readonly documents = new Map<string, unknown>();
  readonly maps = new Map<string, Map<string, unknown>>();
  readonly refused = new Map<string, Error>();
  private opened = new Map<string, (FakeDocument | FakeMap)[]>();
  hold: Promise<void> | undefined;

  async document({ id }: { id: string }): Promise<FakeDocument> {
    const refusal = this.refused.get(id);
    if (refusal) throw refusal;
    if (!this.documents.has(id)) throw notFound();
    return this.remember(id, new FakeDocument(this.documents.get(id)));
  }
  async map({ id }: { id: string }): Promise<FakeMap> {
    const refusal = this.refused.get(id);
    if (refusal) throw refusal;
    const items = this.maps.get(id);
    if (!items) throw notFound();
    const map = this.remember(id, new FakeMap(items));
    map.hold = this.hold;
    return map;
  }
  async updateToken(token: string): Promise<void> {
    this.tokens.push(token);
  }
  async shutdown(): Promise<void> {
    this.ended = true;
  }

  state(now: string): void {
    this.connectionState = now;
    this.emit("connectionStateChanged", now);
  }
  /** How many times it is open now. */
  open(id: string): number {
    return (this.opened.get(id) ?? []).filter((one) => !one.closed).length;
  }
  write(id: string, data: unknown): void {
    this.documents.set(id, data);
    this.each(id, (one) => one.emit("updated", { data }));
  }
  put(id: string, key: string, data: unknown): void {
    const items = this.maps.get(id);
    const event = items?.has(key) ? "itemUpdated" : "itemAdded";
    items?.set(key, data);
    this.each(id, (one) => one.emit(event, { item: { key, data } }));
  }
  drop(id: string, key: string): void {
    this.maps.get(id)?.delete(key);
    this.each(id, (one) => one.emit("itemRemoved", { key }));
  }
  remove(id: string): void {
    this.documents.delete(id);
    this.maps.delete(id);
    this.each(id, (one) => one.emit("removed"));
  }
  fail(id: string, error: Error): void {
    this.each(id, (one) => one.emit("failure", error));
  }

  private remember<T extends FakeDocument | FakeMap>(id: string, one: T): T {
    this.opened.set(id, [...(this.opened.get(id) ?? []), one]);
    return one;
  }
  private each(id: string, act: (one: FakeDocument | FakeMap) => void): void {
    for (const one of this.opened.get(id) ?? []) if (!one.closed) act(one);
  }
}
