/**
 * Keeps a Document or a Map subscribed. One that doesn't exist yet, was removed, or whose subscription was refused is
 * reported as lost and opened again after a backoff.
 */
import { backoff } from "../backoff.ts";
import type { SyncClient } from "./sdk.ts";

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 15_000;
/** From the second page on the SDK asks for one item more, and Sync gives at most 100. */
const PAGE = 99;

/** Limits how many objects are opened at once: a thousand queues must not be a thousand requests. */
export class Semaphore {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  constructor(places = 8) {
    this.free = places;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.free += 1;
    }
  }
}

export type Lost = { missing: true } | { missing: false; why: string };

const NOT_FOUND = 404;
const lostBy = (error: unknown): Lost => {
  const { status, message } = (error ?? {}) as { status?: number; message?: string };
  return status === NOT_FOUND ? { missing: true } : { missing: false, why: message ?? String(error) };
};

const nothing = (): void => undefined;

/** `open` answers how to close; it calls `ended` when the object is gone. */
function subscribe(
  semaphore: Semaphore,
  open: (ended: (lost: Lost) => void) => Promise<() => void>,
  lost: (lost: Lost) => void,
): () => void {
  let stopped = false;
  let failures = 0;
  let close: (() => void) | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const attempt = async (): Promise<void> => {
    let over = false;
    const end = (by: Lost) => {
      if (stopped || over) return;
      over = true;
      close?.();
      close = undefined;
      lost(by);
      timer = setTimeout(() => void attempt(), backoff(failures, FIRST_PAUSE_MS, LONGEST_PAUSE_MS));
      failures += 1;
    };
    try {
      const opened = await semaphore.run(() => (stopped ? Promise.resolve(nothing) : open(end)));
      if (stopped || over) return opened();
      close = opened;
      failures = 0;
    } catch (error) {
      end(lostBy(error));
    }
  };
  void attempt();
  return () => {
    stopped = true;
    clearTimeout(timer);
    close?.();
  };
}

export function subscribeDocument(
  client: SyncClient,
  id: string,
  semaphore: Semaphore,
  listener: { data(data: unknown): void; lost(lost: Lost): void },
): () => void {
  const open = async (ended: (lost: Lost) => void) => {
    const document = await client.document({ id, mode: "open_existing" });
    document.on("updated", ({ data }) => listener.data(data));
    document.on("removed", () => ended({ missing: true }));
    document.on("failure", (error) => ended(lostBy(error)));
    listener.data(document.data);
    return () => document.close();
  };
  return subscribe(semaphore, open, listener.lost);
}

export interface MapListener {
  /** Everything, once it is read. */
  all(items: ReadonlyMap<string, unknown>): void;
  put(key: string, data: unknown): void;
  gone(key: string): void;
  lost(lost: Lost): void;
}

export function subscribeMap(
  client: SyncClient,
  id: string,
  semaphore: Semaphore,
  listener: MapListener,
): () => void {
  const open = async (ended: (lost: Lost) => void) => {
    const map = await client.map({ id, mode: "open_existing" });
    const items = new Map<string, unknown>();
    // What changes while pages are read is newer than the pages.
    const touched = new Set<string>();
    let reading = true;
    const put = (key: string, data: unknown) => {
      if (!reading) return listener.put(key, data);
      touched.add(key);
      items.set(key, data);
    };
    map.on("itemAdded", ({ item }) => put(item.key, item.data));
    map.on("itemUpdated", ({ item }) => put(item.key, item.data));
    map.on("itemRemoved", ({ key }) => {
      if (!reading) return listener.gone(key);
      touched.add(key);
      items.delete(key);
    });
    map.on("removed", () => ended({ missing: true }));
    map.on("failure", (error) => ended(lostBy(error)));
    try {
      for (let page = await map.getItems({ pageSize: PAGE }); ; page = await page.nextPage()) {
        for (const { key, data } of page.items) if (!touched.has(key)) items.set(key, data);
        if (!page.hasNextPage) break;
      }
    } catch (error) {
      map.close();
      throw error;
    }
    reading = false;
    listener.all(items);
    return () => map.close();
  };
  return subscribe(semaphore, open, listener.lost);
}
