/** The figures of a report's row, the same for intervals and totals. Pure. */
import type { IntervalRow, Intervals, IntervalTotals } from "@taskrouter-sync/shared/api/history.ts";
import { clock, spanExact } from "@taskrouter-sync/shared/format/duration.ts";
import { localNumber } from "../../history/numbers.ts";
import type { HistoryTexts } from "../../locales/history/index.ts";

export type Unit = "count" | "mean" | "share" | "seconds";

export interface Figure {
  id: string;
  label: string;
  /** In the header of what is copied: the unit. */
  unit: Unit;
  tip: string;
  width: number;
  hidden?: boolean;
  value(row: IntervalTotals): number | null;
  /** A figure that needs tasks: without any it has no value, and that is no gap. */
  ofTasks?: boolean;
}

/** Of the accepted tasks, per cent: a total's own counts, never a mean of its rows' shares. */
export function withinShare(row: IntervalTotals, threshold: number): number | null {
  const within = row.within?.[threshold];
  return within == null || !row.accepted ? null : (100 * within) / row.accepted;
}

const plain = (value: number | null | undefined) => value ?? null;

/** Activities that occur in the rows, those of Twilio's usual names first. */
const USUAL = ["Available", "Unavailable", "Break", "Offline"];
export function activitiesOf(rows: readonly IntervalTotals[]): string[] {
  const found = new Set(rows.flatMap((row) => Object.keys(row.agents ?? {})));
  const place = (name: string) => (USUAL.includes(name) ? USUAL.indexOf(name) : USUAL.length);
  return [...found].sort((a, b) => place(a) - place(b) || a.localeCompare(b));
}

export function figuresOf(
  { slaSeconds, shortAbandonSeconds }: Pick<Intervals, "slaSeconds" | "shortAbandonSeconds">,
  activities: readonly string[],
  text: HistoryTexts["report"],
): Figure[] {
  const { head, tips } = text;
  const count = (
    id: "entered" | "accepted" | "abandoned" | "shortAbandons" | "completed",
    tip: string,
    hidden = false,
  ): Figure => ({
    id,
    label: head[id],
    unit: "count",
    tip,
    width: id === "shortAbandons" ? 120 : 88,
    hidden,
    value: (row) => plain(row[id]),
  });
  return [
    count("entered", tips.entered),
    count("accepted", tips.accepted),
    count("abandoned", tips.abandoned),
    ...(shortAbandonSeconds == null
      ? []
      : [count("shortAbandons", tips.shortAbandons(spanExact(shortAbandonSeconds)), true)]),
    count("completed", tips.completed),
    ...slaSeconds.flatMap((seconds): Figure[] => [
      {
        id: `within_${seconds}`,
        label: head.within(spanExact(seconds)),
        unit: "count",
        tip: tips.within(spanExact(seconds)),
        width: 96,
        hidden: true,
        value: (row) => plain(row.within?.[seconds]),
      },
      {
        id: `within_${seconds}_share`,
        label: head.withinShare(spanExact(seconds)),
        unit: "share",
        tip: tips.withinShare(spanExact(seconds)),
        width: 104,
        hidden: true,
        ofTasks: true,
        value: (row) => withinShare(row, seconds),
      },
    ]),
    ...slaSeconds.map(
      (seconds, n): Figure => ({
        id: `sla_${seconds}`,
        label: head.serviceLevel(spanExact(seconds)),
        unit: "share",
        tip: tips.serviceLevel(spanExact(seconds)),
        width: 88,
        hidden: n > 1,
        ofTasks: true,
        value: (row) => plain(row.serviceLevels?.[seconds] ?? (n === 0 ? row.serviceLevel : null)),
      }),
    ),
    {
      id: "waitMean",
      label: head.waitMean,
      unit: "seconds",
      tip: tips.waitMean,
      width: 92,
      ofTasks: true,
      value: (row) => plain(row.waitMean),
    },
    {
      id: "waitMax",
      label: head.waitMax,
      unit: "seconds",
      tip: tips.waitMax,
      width: 100,
      ofTasks: true,
      value: (row) => plain(row.waitMax),
    },
    {
      id: "waitingMean",
      label: head.waitingMean,
      unit: "mean",
      tip: tips.waitingMean,
      width: 92,
      value: (row) => plain(row.waitingMean),
    },
    {
      id: "waitingMax",
      label: head.waitingMax,
      unit: "count",
      tip: tips.waitingMax,
      width: 96,
      hidden: true,
      value: (row) => plain(row.waitingMax),
    },
    ...activities.map(
      (activity, n): Figure => ({
        id: `agents_${activity}`,
        label: head.agents(activity),
        unit: "mean",
        tip: tips.agents(activity),
        width: 92,
        hidden: n > 0,
        value: (row) => plain(row.agents?.[activity]),
      }),
    ),
    {
      id: "covered",
      label: head.covered,
      unit: "share",
      tip: tips.covered,
      width: 92,
      value: (row) => (row.covered == null ? null : 100 * row.covered),
    },
  ];
}

/** As the table shows it. 99.6 % is not 100 %. */
export function figureText(value: number, unit: Unit, locale: string): string {
  switch (unit) {
    case "count":
      return localNumber(value, locale, 0, 3);
    case "mean":
      return localNumber(value, locale, 1, 1);
    case "seconds":
      return clock(value);
    case "share": {
      const tenths = value >= 100 || value <= 0 ? value : Math.min(99.9, Math.max(0.1, value));
      return `${localNumber(tenths, locale, 0, 1)} %`;
    }
  }
}

/** `2026-11-30T10:15:00+01:00` as `30.11. 10:15` or `30 Nov, 10:15`: the wall time that the service wrote. */
export function startText({ start, seconds }: IntervalRow, locale: string): string {
  const wall = Date.parse(`${start.slice(0, 19)}Z`);
  const day: Intl.DateTimeFormatOptions = { day: "2-digit", month: "short", timeZone: "UTC" };
  const time: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const whole = seconds > 3600;
  return startFormat(
    locale,
    whole ? { ...day, weekday: "short", year: "numeric" } : { ...day, ...time },
  ).format(wall);
}

const formats = new Map<string, Intl.DateTimeFormat>();
function startFormat(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${options.weekday}`;
  const known = formats.get(key) ?? new Intl.DateTimeFormat(locale, options);
  formats.set(key, known);
  return known;
}
