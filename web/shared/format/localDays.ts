/**
 * The days of a time zone, which have 23 or 25 hours where its clocks change. A date is `2026-11-30`; instants and wall
 * times are milliseconds, a wall time being what the zone's clocks show, written as if it were UTC. Pure.
 */
const DAY_MS = 86_400_000;

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known) return known;
  const part = "numeric";
  const options = { year: part, month: part, day: part, hour: part, minute: part, second: part } as const;
  let made: Intl.DateTimeFormat;
  try {
    made = new Intl.DateTimeFormat("en-GB", { ...options, hourCycle: "h23", timeZone });
  } catch {
    // A time zone that this browser does not know.
    made = new Intl.DateTimeFormat("en-GB", { ...options, hourCycle: "h23", timeZone: "UTC" });
  }
  formats.set(timeZone, made);
  return made;
}

export function wallTime(instant: number, timeZone: string): number {
  const parts = formatOf(timeZone).formatToParts(instant);
  const of = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  return Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second"));
}

export const offsetAt = (instant: number, timeZone: string): number =>
  wallTime(instant, timeZone) - Math.floor(instant / 1000) * 1000;

/** The instants at which clocks show a wall time: none in the hour that summer time skips, two in the one it repeats. */
export function instantsOf(wall: number, timeZone: string): number[] {
  const offsets = new Set([offsetAt(wall - DAY_MS, timeZone), offsetAt(wall + DAY_MS, timeZone)]);
  return [...offsets]
    .map((offset) => wall - offset)
    .filter((instant) => wallTime(instant, timeZone) === wall)
    .sort((a, b) => a - b);
}

/** The first instant that clocks show a wall time, or where they skip it, the moment of the change. */
export function firstInstantOf(wall: number, timeZone: string): number {
  return instantsOf(wall, timeZone)[0] ?? changeAfter(wall - DAY_MS, wall + DAY_MS, timeZone);
}

/** When clocks change between two instants. */
function changeAfter(from: number, to: number, timeZone: string): number {
  const before = offsetAt(from, timeZone);
  let [low, high] = [Math.floor(from / 1000), Math.floor(to / 1000)];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle * 1000, timeZone) === before) low = middle;
    else high = middle;
  }
  return high * 1000;
}

export const dateOf = (instant: number, timeZone: string): string =>
  new Date(wallTime(instant, timeZone)).toISOString().slice(0, 10);

export const addDays = (date: string, days: number): string =>
  new Date(Date.parse(date) + days * DAY_MS).toISOString().slice(0, 10);

/** From Monday, 0, to Sunday, 6. */
export const weekdayOf = (date: string): number => (new Date(Date.parse(date)).getUTCDay() + 6) % 7;

export const startOfDay = (date: string, timeZone: string): number =>
  firstInstantOf(Date.parse(date), timeZone);

export interface LocalDay {
  date: string;
  start: number;
  end: number;
  /** Where clocks change within the day there are two. */
  pieces: { from: number; to: number; offset: number }[];
}

export function localDay(date: string, timeZone: string): LocalDay {
  const start = startOfDay(date, timeZone);
  const end = startOfDay(addDays(date, 1), timeZone);
  const [first, last] = [offsetAt(start, timeZone), offsetAt(end - 1000, timeZone)];
  if (first === last) return { date, start, end, pieces: [{ from: start, to: end, offset: first }] };
  const change = changeAfter(start, end - 1000, timeZone);
  return {
    date,
    start,
    end,
    pieces: [
      { from: start, to: change, offset: first },
      { from: change, to: end, offset: last },
    ],
  };
}

/** What clocks show at an instant of the day, as milliseconds after midnight. */
export function timeOfDay(instant: number, { date, pieces }: LocalDay): number {
  const piece = pieces.find(({ to }) => instant < to) ?? pieces.at(-1);
  return instant + (piece?.offset ?? 0) - Date.parse(date);
}

/** The day's instants at which clocks show a time of day. */
export function instantsAt(time: number, { date, pieces }: LocalDay): number[] {
  return pieces.flatMap(({ from, to, offset }) => {
    const instant = Date.parse(date) + time - offset;
    return instant >= from && instant < to ? [instant] : [];
  });
}
