/** The order of the rows. Pure. */
import type { QueueItem } from "../api/types.ts";
import type { Column } from "./columns.ts";
import type { Figures } from "./figures.ts";
import { urgency } from "./urgency.ts";

/** `by` undefined is by urgency; `name` by name. */
export interface Sort {
  by?: string;
  down: boolean;
}

export interface QueueRow {
  item: QueueItem;
  all: Figures;
}

const byName = (a: QueueRow, b: QueueRow) =>
  a.item.friendlyName.localeCompare(b.item.friendlyName, undefined, { numeric: true }) ||
  a.item.sid.localeCompare(b.item.sid);

export function sorted(
  rows: readonly QueueRow[],
  sort: Sort,
  columns: readonly Column[],
  now: number,
): QueueRow[] {
  if (sort.by === "name") {
    const up = [...rows].sort(byName);
    return sort.down ? up.reverse() : up;
  }
  const column = columns.find((c) => c.id === sort.by);
  const key = column ? (row: QueueRow) => column.order(row.all) : (row: QueueRow) => urgency(row.all, now);
  const sign = column && !sort.down ? 1 : -1;
  return rows
    .map((row) => ({ row, key: key(row) }))
    .sort((a, b) => {
      // No data is neither the best nor the worst: it stands last either way.
      if (a.key === undefined || b.key === undefined) {
        return Number(a.key === undefined) - Number(b.key === undefined) || byName(a.row, b.row);
      }
      return sign * (a.key - b.key) || byName(a.row, b.row);
    })
    .map(({ row }) => row);
}

export const matches = (item: QueueItem, search: string) =>
  item.friendlyName.toLocaleLowerCase().includes(search.trim().toLocaleLowerCase()) ||
  item.sid === search.trim();

/** Puts rows into an earlier order, so that they do not change places under the reader's eyes. */
export function keepOrder(rows: readonly QueueRow[], order: ReadonlyMap<string, number>): QueueRow[] {
  return [...rows].sort((a, b) => (order.get(a.item.sid) ?? 0) - (order.get(b.item.sid) ?? 0));
}
