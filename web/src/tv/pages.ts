/** What a TV shows at once. Pure. */

/** How many digits of the TV's size fit side by side, with room between the numbers. */
export const CAPACITY = 13;
const MOST = 3;

/** Packs items in their order; each page takes as many as fit by their width in characters. */
export function pack<T>(items: readonly T[], width: (item: T) => number): T[][] {
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
      room = CAPACITY - needed;
    }
  }
  return pages;
}

/** `00:04:12` is `04:12`: six metres away every digit costs. */
export const shorten = (text: string) => text.replace(/^00:(?=\d\d:\d\d$)/, "");

/** The frame's place, a few pixels about the middle, another every minute: no pixel burns in. */
export function shift(minute: number): [x: number, y: number] {
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
