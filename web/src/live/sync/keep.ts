/**
 * Keeps a Document or a Map open, whatever becomes of it: one that is not there yet, that was removed, or whose
 * subscription was refused is said to be lost, and opened again after a pause.
 */
import type { SyncClient } from "./client.ts";

const LONGEST_PAUSE_MS = 15_000;
/** From the second page on the SDK asks for one item more, and Sync gives at most 100. */
const PAGE = 99;

/** A few at a time: a thousand queues must not be a thousand requests at once. */
export class Gate {
  private free: number;
  private waiting: (() => void)[] = [];

  constructor(places = 8) {
    this.free = places;
  }

  async through<T>(work: () => Promise<T>): Promise<T> {
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

/** `open` answers how to close; it calls `ended` when what it opened is no more. */
function keep(
  gate: Gate,
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
      const ms = Math.min(LONGEST_PAUSE_MS, 1000 * 2 ** failures) * (0.75 + Math.random() / 4);
      failures += 1;
      timer = setTimeout(() => void attempt(), ms);
    };
    try {
      const opened = await gate.through(() => (stopped ? Promise.resolve(nothing) : open(end)));
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

export function keepDocument(
  client: SyncClient,
  id: string,
  gate: Gate,
  told: { data(data: unknown): void; lost(lost: Lost): void },
): () => void {
  const open = async (ended: (lost: Lost) => void) => {
    const document = await client.document({ id, mode: "open_existing" });
    document.on("updated", ({ data }) => told.data(data));
    document.on("removed", () => ended({ missing: true }));
    document.on("failure", (error) => ended(lostBy(error)));
    told.data(document.data);
    return () => document.close();
  };
  return keep(gate, open, told.lost);
}

export interface MapTold {
  /** Everything, once it is read. */
  all(items: ReadonlyMap<string, unknown>): void;
  put(key: string, data: unknown): void;
  gone(key: string): void;
  lost(lost: Lost): void;
}

export function keepMap(client: SyncClient, id: string, gate: Gate, told: MapTold): () => void {
  const open = async (ended: (lost: Lost) => void) => {
    const map = await client.map({ id, mode: "open_existing" });
    const items = new Map<string, unknown>();
    // What changes while pages are read is newer than the pages.
    const touched = new Set<string>();
    let reading = true;
    const put = (key: string, data: unknown) => {
      if (!reading) return told.put(key, data);
      touched.add(key);
      items.set(key, data);
    };
    map.on("itemAdded", ({ item }) => put(item.key, item.data));
    map.on("itemUpdated", ({ item }) => put(item.key, item.data));
    map.on("itemRemoved", ({ key }) => {
      if (!reading) return told.gone(key);
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
    told.all(items);
    return () => map.close();
  };
  return keep(gate, open, told.lost);
}
