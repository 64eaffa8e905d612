import { useCallback, useMemo, useRef } from "react";
import type { QueueItem } from "../api/types.ts";
import { useLive, useLiveStore } from "../live/react.tsx";
import type { Column } from "./columns.ts";
import { type Figures, figures } from "./figures.ts";
import { passes, type QueueFilter } from "./filters.ts";
import { keepOrder, matches, type QueueRow, type Sort, sorted } from "./sort.ts";

/** By urgency, rows change places at most this often. */
const HOLD_MS = 5000;

export interface ServiceLevels {
  thresholds: readonly number[];
  /** The service level of a queue that has none of its own. */
  usual?: string | undefined;
  /** Service levels by TaskQueue SID. */
  ofQueues?: Readonly<Record<string, string>> | undefined;
}

/** Computes an item's figures once, however often the table is drawn. */
export function useFigures({ thresholds, usual, ofQueues }: ServiceLevels) {
  const cache = useRef(new WeakMap<QueueItem, Map<string, Figures>>());
  return useCallback(
    (item: QueueItem, scope: string) => {
      const scopes = cache.current.get(item) ?? new Map<string, Figures>();
      cache.current.set(item, scopes);
      const known = scopes.get(scope) ?? figures(item, scope, thresholds, ofQueues?.[item.sid] ?? usual);
      scopes.set(scope, known);
      return known;
    },
    [thresholds, usual, ofQueues],
  );
}

export interface QueueRowsOptions {
  sort: Sort;
  columns: readonly Column[];
  search?: string;
  /** Only queues that a tile counts. */
  filter?: QueueFilter | undefined;
  figuresOf: (item: QueueItem, scope: string) => Figures;
  /** Rows keep their places while the user reads or works in one of them. */
  hold?: boolean;
}

export function useQueueRows(options: QueueRowsOptions): QueueRow[] {
  const { sort, columns, search = "", filter, figuresOf, hold } = options;
  const live = useLiveStore();
  const queues = useLive((state) => state.board?.queues);
  const last = useRef({ at: 0, sort, order: new Map<string, number>() });
  return useMemo(() => {
    const all: QueueRow[] = [];
    for (const item of queues?.values() ?? []) all.push({ item, all: figuresOf(item, "all") });
    const now = live.now();
    const { current } = last;
    const same =
      current.sort === sort &&
      current.order.size === all.length &&
      all.every((row) => current.order.has(row.item.sid));
    let rows: QueueRow[];
    if (same && (hold || now - current.at < HOLD_MS)) rows = keepOrder(all, current.order);
    else {
      rows = sorted(all, sort, columns, now);
      last.current = { at: now, sort, order: new Map(rows.map((row, n) => [row.item.sid, n])) };
    }
    if (filter) rows = rows.filter((row) => passes(filter, row.all));
    return search.trim() ? rows.filter((row) => matches(row.item, search)) : rows;
  }, [queues, sort, columns, search, filter, figuresOf, hold, live]);
}
