import { localDay } from "@taskrouter-sync/shared/format/localDays.ts";
import { describe, expect, it } from "vitest";
import {
  alignDay,
  averageOf,
  axisSteps,
  extentOf,
  grid,
  limitInSight,
  onGrid,
  smoothed,
  splitAtGaps,
  ticks,
  valueAt,
  zoomed,
} from "./series.ts";

const BERLIN = "Europe/Berlin";
const STEP = 1800;

/** A day whose value at each point is the time that clocks show, in hours. */
function clockDay(date: string) {
  const day = localDay(date, BERLIN);
  const times = grid(day, STEP);
  const values = times.map((time) => {
    const text = new Intl.DateTimeFormat("en-GB", {
      timeZone: BERLIN,
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    }).format(time * 1000);
    return Number(text.slice(0, 2)) + Number(text.slice(3)) / 60;
  });
  return { day, series: { times, values, step: STEP } };
}

describe("days behind a day", () => {
  it("stand at the same time of day when clocks have changed between the two", () => {
    const own = clockDay("2026-10-26");
    const before = clockDay("2026-10-19");
    expect(before.day.start % 86_400_000).not.toBe(own.day.start % 86_400_000);
    expect(alignDay(own.series.times, own.day, before.series, before.day)).toEqual(own.series.values);
  });

  it("have no values in the hour that they skipped, and a day of 23 hours asks for none of it", () => {
    const own = clockDay("2026-04-05");
    const spring = clockDay("2026-03-29");
    const behind = alignDay(own.series.times, own.day, spring.series, spring.day);
    expect(behind.slice(0, 8)).toEqual([0, 0.5, 1, 1.5, null, null, 3, 3.5]);
    expect(behind).toHaveLength(48);
    const short = alignDay(spring.series.times, spring.day, own.series, own.day);
    expect(short).toEqual(spring.series.values);
    expect(short).toHaveLength(46);
  });

  it("fill both of a day's hours that come twice, and give the mean of theirs", () => {
    const autumn = clockDay("2026-10-25");
    const usual = clockDay("2026-10-18");
    expect(autumn.series.times).toHaveLength(50);
    const behind = alignDay(autumn.series.times, autumn.day, usual.series, usual.day);
    expect(behind.slice(3, 9)).toEqual([1.5, 2, 2.5, 2, 2.5, 3]);
    const twice = { ...autumn.series, values: autumn.series.times.map((_, n) => n) };
    const next = clockDay("2026-11-01");
    const mean = alignDay(next.series.times, next.day, twice, autumn.day);
    expect(mean.slice(3, 8)).toEqual([3, (4 + 6) / 2, (5 + 7) / 2, 8, 9]);
  });

  it("are averaged over those that have a value", () => {
    expect(
      averageOf([
        [1, 2, null],
        [3, null, null],
      ]),
    ).toEqual([2, 2, null]);
  });
});

describe("gaps", () => {
  const times = [0, 60, 120, 180, 240];
  const series = { times, values: [1, 2, 3, 4, 5], step: 60 };
  const gap = (from: number, to: number) => ({ from, to, reason: "not running" });

  it("have no values, from their start to their end", () => {
    expect(splitAtGaps(series, [gap(60, 180)])).toEqual([1, null, null, 4, 5]);
  });

  it("of less than a step still part the line", () => {
    expect(splitAtGaps(series, [gap(65, 80)])).toEqual([1, 2, null, 4, 5]);
    expect(splitAtGaps(series, [gap(-30, -10), gap(250, 270)])).toEqual([1, 2, 3, 4, 5]);
  });

  it("are not bridged by a value that is older than a step", () => {
    expect(valueAt({ times: [0, 600], values: [7, 8], step: 60 }, 300)).toBeNull();
    expect([valueAt(series, 59), valueAt(series, 60), valueAt(series, -1)]).toEqual([1, 2, null]);
    expect(onGrid(series, [0, 240, 300])).toEqual([1, 5, null]);
  });

  it("are not smoothed over", () => {
    const values = [2, 4, null, 6, 8];
    expect(smoothed(times, values, 120)).toEqual([3, 3, null, 7, 7]);
    expect(smoothed([0, 60, 120], [0, 3, 6], 120)).toEqual([1.5, 3, 4.5]);
  });
});

it("knows the latest, lowest and highest value, and that there is none", () => {
  expect(extentOf([null, 3, 1, 2, null])).toEqual({ latest: 2, low: 1, high: 3 });
  expect(extentOf([null])).toBeUndefined();
});

it("keeps the nearest threshold in sight", () => {
  expect(limitInSight([40, 20], 0, 8)).toBe(20);
  expect(limitInSight([40, 20], 0, 60)).toBe(40);
  expect(limitInSight([], 0, 8)).toBeUndefined();
});

it("labels round times of day, also after clocks have changed", () => {
  const { day } = clockDay("2026-10-25");
  const labels = ticks(day.start / 1000, day.end / 1000, day, 8).map((time) =>
    new Date(time * 1000).toISOString().slice(11, 16),
  );
  // Midnight in summer time, then every four hours, in winter time.
  expect(labels).toEqual(["22:00", "03:00", "07:00", "11:00", "15:00", "19:00"]);
});

it("has steps for values of any size, and none between whole numbers for counts", () => {
  const fitting = (values: number[], spans = false) => {
    const range = Math.max(...values) - Math.min(...values);
    return axisSteps(values, spans).find((step) => range / step <= 6) ?? 0;
  };
  expect(fitting([0, 2])).toBe(1);
  expect(fitting([0, 8_641_969])).toBe(2_000_000);
  expect(fitting([0.2, 0.6])).toBe(0.1);
  expect(fitting([0, 300], true)).toBe(60);
  expect(fitting([0, 259 * 86_400], true)).toBe(50 * 86_400);
});

it("zooms around a time, within the day", () => {
  const { day } = clockDay("2026-11-30");
  const [from, to] = [day.start / 1000, day.end / 1000];
  expect(zoomed([from, to], from + 43_200, 0.5, day)).toEqual([from + 21_600, from + 64_800]);
  expect(zoomed([from, to], from, 0.5, day)).toEqual([from, from + 43_200]);
  expect(zoomed([from, from + 43_200], from, 2, day)).toBeUndefined();
  // The same length, as far along as the crosshair went.
  expect(zoomed([from, from + 3600], from + 7200, 1, day)).toEqual([from + 3600, from + 7200]);
  expect(zoomed([to - 3600, to], to - 7200, 1, day)).toEqual([to - 7200, to - 3600]);
});
