/** A day's curve, and other days placed behind it by the time that clocks showed. Pure; times in seconds. */
import type { Gap } from "@taskrouter-sync/shared/api/history.ts";
import { instantsAt, type LocalDay, timeOfDay } from "@taskrouter-sync/shared/format/localDays.ts";

export type Values = (number | null)[];

export interface Series {
  times: readonly number[];
  values: Values;
  step: number;
}

/** The times of a day's points. */
export function grid({ start, end }: LocalDay, step: number): number[] {
  const first = start / 1000;
  return Array.from({ length: Math.ceil((end / 1000 - first) / step) }, (_, n) => first + n * step);
}

/**
 * Values with none inside a gap. One that is shorter than a step lies between two points: the one after it goes, so that no
 * line crosses the gap.
 */
export function splitAtGaps({ times, values }: Series, gaps: readonly Gap[]): Values {
  if (gaps.length === 0) return values;
  const split = values.slice();
  for (const { from, to } of gaps) {
    const first = indexAfter(times, from);
    let n = first;
    for (; n < times.length && (times[n] ?? 0) < to; n += 1) split[n] = null;
    if (n === first && n > 0 && n < times.length) split[n] = null;
  }
  return split;
}

/** The first point at or after a time. */
function indexAfter(times: readonly number[], time: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The value at a time: the last point's at or before it, no older than a step. */
export function valueAt({ times, values, step }: Series, time: number): number | null {
  const at = indexAfter(times, time + 1e-6) - 1;
  const point = times[at];
  return point === undefined || time - point >= step ? null : (values[at] ?? null);
}

export const onGrid = (series: Series, times: readonly number[]): Values =>
  times.map((time) => valueAt(series, time));

/**
 * Another day's values at the times of day of this one. An hour that one of the two days skips has no values; of an hour
 * that the other day had twice the mean is shown, and one that this day has twice shows the other day's twice.
 */
export function alignDay(times: readonly number[], day: LocalDay, series: Series, other: LocalDay): Values {
  return times.map((time) => {
    const instants = instantsAt(timeOfDay(time * 1000, day), other);
    return mean(instants.map((instant) => valueAt(series, instant / 1000)));
  });
}

function mean(values: Values): number | null {
  const known = values.filter((value): value is number => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

/** The mean of the days that have a value at a time. */
export const averageOf = (days: readonly Values[]): Values =>
  (days[0] ?? []).map((_, n) => mean(days.map((values) => values[n] ?? null)));

/** Means around each point; where there is no value there is none, and none is taken over a gap. */
export function smoothed(times: readonly number[], values: Values, seconds: number): Values {
  const half = seconds / 2;
  let [first, last, sum] = [0, 0, 0];
  const known: number[] = [];
  return values.map((value, n) => {
    const time = times[n] ?? 0;
    if (value === null) {
      [first, last, sum, known.length] = [n + 1, n + 1, 0, 0];
      return null;
    }
    for (; last < values.length && (times[last] ?? 0) <= time + half && values[last] !== null; last += 1) {
      known.push(values[last] ?? 0);
      sum += values[last] ?? 0;
    }
    for (; first < n && (times[first] ?? 0) < time - half; first += 1) sum -= known.shift() ?? 0;
    return sum / known.length;
  });
}

export interface Extent {
  latest: number;
  low: number;
  high: number;
}

export function extentOf(values: Values): Extent | undefined {
  let extent: Extent | undefined;
  for (const value of values) {
    if (value === null) continue;
    extent = {
      latest: value,
      low: Math.min(extent?.low ?? value, value),
      high: Math.max(extent?.high ?? value, value),
    };
  }
  return extent;
}

/** What an axis of values shows: all of them, and the threshold that is nearest to them. */
export function limitInSight(
  thresholds: readonly number[],
  low: number | null,
  high: number | null,
): number | undefined {
  const distance = (limit: number) => Math.max(0, (low ?? 0) - limit, limit - (high ?? 0));
  return [...thresholds].sort((a, b) => distance(a) - distance(b))[0];
}

/** 1, 2 and 5 times the powers of ten from one exponent to another. */
const decades = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => [1, 2, 5].map((one) => one * 10 ** (from + n))).flat();
const WHOLE_STEPS = decades(0, 14);
const FINE_STEPS = [...decades(-4, -1), ...WHOLE_STEPS];
const SPAN_STEPS = [1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200].concat(
  decades(0, 5).map((days) => days * 86_400),
);

/** Steps for an axis of values: spans are in seconds, and a count has none between whole numbers. */
export function axisSteps(values: Values, spans: boolean): number[] {
  if (spans) return SPAN_STEPS;
  return values.every((value) => value === null || Number.isInteger(value)) ? WHOLE_STEPS : FINE_STEPS;
}

const TICKS_S = [300, 600, 900, 1800, 3600, 7200, 10_800, 14_400, 21_600];

/** Times for an axis: round times of day, no more than fit. */
export function ticks(from: number, to: number, day: LocalDay, most: number): number[] {
  const step = TICKS_S.find((seconds) => (to - from) / seconds <= most) ?? 21_600;
  const found: number[] = [];
  for (let time = 0; time < 86_400; time += step) {
    for (const instant of instantsAt(time * 1000, day)) {
      if (instant / 1000 >= from && instant / 1000 <= to) found.push(instant / 1000);
    }
  }
  return found.sort((a, b) => a - b);
}

/** A narrower or wider part of the day around a time; undefined for all of it. */
export function zoomed(
  [from, to]: readonly [number, number],
  around: number,
  factor: number,
  { start, end }: LocalDay,
): [number, number] | undefined {
  const [first, last] = [start / 1000, end / 1000];
  const length = Math.max(600, (to - from) * factor);
  if (length >= last - first) return undefined;
  const share = to > from ? Math.min(1, Math.max(0, (around - from) / (to - from))) : 0.5;
  const begin = Math.max(first, Math.min(last - length, around - share * length));
  return [begin, begin + length];
}
