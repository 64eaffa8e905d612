/** A metric's points as a line in a picture of `WIDTH` by `HEIGHT`, which is stretched to its place. Pure. */
import type { Points } from "../api/types.ts";

export const WIDTH = 1000;
export const HEIGHT = 100;
/** A screen shows no more points than this; of a slice with several, its lowest and its highest are drawn. */
const SLICES = 250;

export interface Curve {
  /** The path's commands; a gap begins a new piece. */
  line: string;
  limit: number | undefined;
  last: [x: number, y: number] | undefined;
}

/** What the vertical axis shows: all values, the limit, and a tenth of room. */
export function valueRange(
  min: number | null | undefined,
  max: number | null | undefined,
  limit: number | undefined,
): [low: number, high: number] {
  const low = Math.min(min ?? 0, limit ?? min ?? 0);
  const high = Math.max(max ?? 1, limit ?? max ?? 1);
  const room = (high - low || 1) * 0.1;
  return [low >= 0 ? Math.max(0, low - room) : low - room, high + room];
}

/**
 * `from` and `now` are seconds, as the points have them. This screen's idea of the service's clock may lag, so newer points
 * than `now` widen the span, and none stands outside the picture.
 */
export function curve(points: Points, from: number, now: number, limit?: number): Curve {
  const to = Math.max(now, points.at(-1)?.[0] ?? now);
  let min: number | undefined;
  let max: number | undefined;
  for (const [, value] of points) {
    if (value === null) continue;
    min = Math.min(min ?? value, value);
    max = Math.max(max ?? value, value);
  }
  const [low, high] = valueRange(min, max, limit);
  const x = (time: number) => Math.round((Math.max(0, time - from) / (to - from || 1)) * WIDTH);
  const y = (value: number) => Math.round((1 - (value - low) / (high - low)) * HEIGHT * 10) / 10;
  let line = "";
  let pen = "M";
  let last: Curve["last"];
  for (const [time, value] of thinned(points, (to - from) / SLICES)) {
    if (value === null) {
      pen = "M";
      continue;
    }
    last = [x(time), y(value)];
    line += `${pen}${last[0]} ${last[1]}`;
    pen = "L";
  }
  return { line, limit: limit === undefined ? undefined : y(limit), last };
}

/** Gaps stay, and so does the last point. */
function* thinned(points: Points, seconds: number): Generator<Points[number]> {
  let slice: Points[number][] = [];
  const rest = () => {
    if (slice.length < 3) return slice;
    const by = (a: Points[number], b: Points[number]) => Number(a[1]) - Number(b[1]);
    const sorted = [...slice].sort(by);
    const kept = new Set([sorted[0], sorted.at(-1), slice.at(-1)]);
    return slice.filter((point) => kept.has(point));
  };
  for (const point of points) {
    const first = slice[0];
    if (point[1] === null || (first && point[0] - first[0] >= seconds)) {
      yield* rest();
      slice = [];
    }
    if (point[1] === null) yield point;
    else slice.push(point);
  }
  yield* rest();
}
