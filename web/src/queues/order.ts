/** The order of the rows. Pure. */
import type { QueueItem } from "../types.ts";
import type { Column } from "./columns.ts";
import { type Figures, urgency } from "./figures.ts";

/** `by` undefined is by urgency; `name` by name. */
export interface Sort {
  by?: string;
  down: boolean;
}

export interface Line {
  item: QueueItem;
  all: Figures;
}

const byName = (a: Line, b: Line) =>
  a.item.friendlyName.localeCompare(b.item.friendlyName, undefined, { numeric: true }) ||
  a.item.sid.localeCompare(b.item.sid);

export function sorted(lines: readonly Line[], sort: Sort, columns: readonly Column[], now: number): Line[] {
  if (sort.by === "name") {
    const up = [...lines].sort(byName);
    return sort.down ? up.reverse() : up;
  }
  const column = columns.find((c) => c.id === sort.by);
  const key = column ? (line: Line) => column.order(line.all) : (line: Line) => urgency(line.all, now);
  const sign = column && !sort.down ? 1 : -1;
  return lines
    .map((line) => ({ line, key: key(line) }))
    .sort((a, b) => {
      // No data is neither the best nor the worst: it stands last either way.
      if (a.key === undefined || b.key === undefined) {
        return Number(a.key === undefined) - Number(b.key === undefined) || byName(a.line, b.line);
      }
      return sign * (a.key - b.key) || byName(a.line, b.line);
    })
    .map(({ line }) => line);
}

export const matches = (item: QueueItem, search: string) =>
  item.friendlyName.toLocaleLowerCase().includes(search.trim().toLocaleLowerCase()) ||
  item.sid === search.trim();

/** Puts lines into an order decided before, so that rows do not run away from the eye between two decisions. */
export function held(lines: readonly Line[], order: ReadonlyMap<string, number>): Line[] {
  return [...lines].sort((a, b) => (order.get(a.item.sid) ?? 0) - (order.get(b.item.sid) ?? 0));
}
