/** What a TV shows at once. Pure. */
import type { OnTv } from "@taskrouter-sync/shared/api/types.ts";

/**
 * How many digits of the TV's size (21 % of its height; the widest system font has digits of 0.7 em) fit side by side,
 * with the margins and the room between three numbers taken off.
 */
export const capacity = (width: number, height: number) => Math.max(3, (0.86 * width) / (0.147 * height));

/** Width of a text in digits; a colon or a point is half of one. */
export const digits = (text: string) => Math.max(2, text.length - 0.5 * (text.match(/[:.,]/g)?.length ?? 0));

const MOST = 3;

/** Type of this share of the full size still has digits of an eighth of the screen's height. */
const SMALLEST = 17.7 / 21;

interface ForTv {
  tv?: OnTv | undefined;
}

/**
 * What stays in sight, and what takes turns. Definitions from before they had a word for it say nothing: then the first
 * three stay. What doesn't fit beside the others at a legible size takes turns, too.
 */
export function pinned<T extends ForTv>(
  items: readonly T[],
  width: (item: T) => number,
  room: number,
): { always: T[]; inTurn: T[] } {
  const shown = items.filter(({ tv }) => tv !== "never");
  const named = shown.filter(({ tv }) => tv === "always");
  const always: T[] = [];
  let taken = 0;
  for (const item of (named.length > 0 ? named : shown).slice(0, MOST)) {
    if (always.length > 0 && (taken + width(item)) * SMALLEST > room) break;
    always.push(item);
    taken += width(item);
  }
  return { always, inTurn: shown.filter((item) => !always.includes(item)) };
}

/** Packs items in their order; each page takes as many as fit by their width in digits. */
export function paginate<T>(items: readonly T[], width: (item: T) => number, whole: number): T[][] {
  const pages: T[][] = [];
  let room = 0;
  for (const item of items) {
    const needed = width(item);
    const page = pages.at(-1);
    if (page && page.length < MOST && needed <= room) {
      page.push(item);
      room -= needed;
    } else {
      pages.push([item]);
      room = whole - needed;
    }
  }
  return pages;
}

/** The frame's place, a few pixels about the middle, another every minute: no pixel burns in. */
export function burnInOffset(minute: number): [x: number, y: number] {
  const path: [number, number][] = [
    [0, 0],
    [6, 3],
    [10, -4],
    [3, -8],
    [-6, -5],
    [-10, 2],
    [-4, 8],
    [5, 7],
  ];
  return path[((minute % path.length) + path.length) % path.length] ?? [0, 0];
}
