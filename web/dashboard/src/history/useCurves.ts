/** The curves of a day and of the days behind it, on the times of the day. */
import type { Measure } from "@taskrouter-sync/shared/api/history.ts";
import { localDay } from "@taskrouter-sync/shared/format/localDays.ts";
import { useMemo } from "react";
import { alignDay, averageOf, grid, onGrid, smoothed, splitAtGaps, type Values } from "./series.ts";
import { behind, type DayCurveAnswer, STEP_S, type useDays } from "./useDays.ts";

const NONE: Values = [];
/** Behind a whole day, other days are drawn without what lasts shorter. */
export const SMOOTH_S = 900;

export const valuesOf = (answer: DayCurveAnswer | undefined, measure: Measure): Values | undefined =>
  answer && ("values" in answer ? answer.values : answer.series[measure]);

/** `whole`: the whole day is in sight. */
export function useCurves(
  days: ReturnType<typeof useDays>,
  day: ReturnType<typeof localDay>,
  zone: string,
  measure: Measure,
  whole: boolean,
) {
  const { day: own, before, detail } = days;
  const [first, second, third, fourth] = days.weeks;
  const times = useMemo(() => {
    const usual = grid(day, own?.step ?? STEP_S);
    const [begin, end] = [detail?.times[0], detail?.times.at(-1)];
    if (!detail || begin === undefined || end === undefined) return usual;
    // Finer inside the part that is zoomed into.
    return [...usual.filter((time) => time < begin), ...detail.times, ...usual.filter((time) => time > end)];
  }, [day, own?.step, detail]);
  const series = (answer: DayCurveAnswer | undefined) => {
    const values = valuesOf(answer, measure);
    if (!answer || !values) return undefined;
    const raw = { times: answer.times, values, step: answer.step };
    return { ...raw, values: splitAtGaps(raw, answer.gaps) };
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: `series` depends on the measure alone
  const ownValues = useMemo(() => {
    const [whole, fine] = [series(own), series(detail)];
    if (!whole) return NONE;
    const values = onGrid(whole, times);
    const [begin, end] = [fine?.times[0], fine?.times.at(-1)];
    if (!fine || begin === undefined || end === undefined) return values;
    const inside = onGrid(fine, times);
    return values.map((value, n) => {
      const time = times[n] ?? 0;
      return time >= begin && time <= end ? (inside[n] ?? null) : value;
    });
  }, [own, detail, times, measure]);
  const { before: dateBefore, weeks } = useMemo(() => behind(day.date), [day.date]);
  const aligned = (answer: DayCurveAnswer | undefined, date: string | undefined) => {
    const known = series(answer);
    if (!known || !date) return NONE;
    const values = alignDay(times, day, known, localDay(date, zone));
    return whole ? smoothed(times, values, SMOOTH_S) : values;
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: `aligned` depends on the measure and the day alone
  const dayBefore = useMemo(
    () => aligned(before, dateBefore),
    [before, dateBefore, times, measure, zone, whole],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: as above
  const byWeek = useMemo(
    () => [first, second, third, fourth].map((answer, n) => aligned(answer, weeks[n])),
    [first, second, third, fourth, weeks, times, measure, zone, whole],
  );
  return useMemo(() => {
    const empty = times.map(() => null);
    const complete = (values: Values) => (values.length === times.length ? values : empty);
    const known = byWeek.filter((values) => values.length > 0);
    return {
      times,
      curves: {
        day: complete(ownValues),
        dayBefore: complete(dayBefore),
        weekBefore: complete(byWeek[0] ?? NONE),
        average: known.length > 0 ? averageOf(known) : empty,
      },
    };
  }, [times, ownValues, dayBefore, byWeek]);
}
