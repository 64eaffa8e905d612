/** What the report asks for: its range as wall times of the service's zone, as the address and the fields have them. Pure. */
import type { IntervalQuery } from "@taskrouter-sync/shared/api/history.ts";
import { addDays, dateOf, firstInstantOf, weekdayOf } from "@taskrouter-sync/shared/format/localDays.ts";

export const STEPS = [900, 1800, 3600, 86_400] as const;
export type Step = (typeof STEPS)[number];

export interface ReportQuery {
  /** Wall times such as `2026-11-30T00:00`; the interval that begins at `until` is not included. */
  from: string;
  until: string;
  step: Step;
  /** TaskQueue SIDs; none is all of them. */
  queues: readonly string[];
  /** `all` is all of them in one row. */
  channels: readonly string[];
}

export const PRESETS = [
  "today",
  "yesterday",
  "lastSeven",
  "thisWeek",
  "lastWeek",
  "thisMonth",
  "lastMonth",
] as const;
export type Preset = (typeof PRESETS)[number];

const midnight = (date: string) => `${date}T00:00`;
const firstOfMonth = (date: string) => `${date.slice(0, 7)}-01`;

export function presetRange(preset: Preset, today: string): Pick<ReportQuery, "from" | "until"> {
  const range = (from: string, until: string) => ({ from: midnight(from), until: midnight(until) });
  const tomorrow = addDays(today, 1);
  const monday = addDays(today, -weekdayOf(today));
  const month = firstOfMonth(today);
  switch (preset) {
    case "today":
      return range(today, tomorrow);
    case "yesterday":
      return range(addDays(today, -1), today);
    case "lastSeven":
      return range(addDays(today, -6), tomorrow);
    case "thisWeek":
      return range(monday, tomorrow);
    case "lastWeek":
      return range(addDays(monday, -7), monday);
    case "thisMonth":
      return range(month, tomorrow);
    case "lastMonth":
      return range(firstOfMonth(addDays(month, -1)), month);
  }
}

export const instantOf = (wall: string, timeZone: string): number =>
  firstInstantOf(Date.parse(`${wall.slice(0, 16)}:00Z`), timeZone);

/** What is asked of the service; undefined where the range is empty. */
export function intervalQuery(query: ReportQuery, timeZone: string): IntervalQuery | undefined {
  const from = instantOf(query.from, timeZone);
  const to = instantOf(query.until, timeZone);
  if (!(from < to)) return undefined;
  return { from, to, step: query.step, queues: query.queues, channels: query.channels };
}

const WALL = /^\d{4}-\d\d-\d\dT\d\d:\d\d$/;

/** The address's part after `?`; what it lacks or has wrong is as usual: today by half hours, all queues. */
export function queryOf(search: string, now: number, timeZone: string): ReportQuery {
  const given = new URLSearchParams(search);
  const usual = presetRange("today", dateOf(now, timeZone));
  const wall = (name: "from" | "until") => {
    const value = given.get(name) ?? "";
    return WALL.test(value) && !Number.isNaN(Date.parse(`${value}Z`)) ? value : usual[name];
  };
  const list = (name: string) => (given.get(name) ?? "").split(",").filter(Boolean);
  const channels = list("channels");
  return {
    from: wall("from"),
    until: wall("until"),
    step: STEPS.find((step) => String(step) === given.get("step")) ?? 1800,
    queues: list("queues").filter((sid) => /^WQ[0-9a-f]{32}$/.test(sid)),
    channels: channels.length > 0 ? channels : ["all"],
  };
}

export function addressOf({ from, until, step, queues, channels }: ReportQuery): string {
  const parameters = new URLSearchParams({ from, until, step: String(step), channels: channels.join(",") });
  if (queues.length > 0) parameters.set("queues", queues.join(","));
  return `#/report?${parameters.toString().replaceAll("%3A", ":").replaceAll("%2C", ",")}`;
}
