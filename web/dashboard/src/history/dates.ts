/** Dates as words. A date is `2026-11-30`, and needs no time zone. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${JSON.stringify(options)}`;
  const known = formats.get(key) ?? new Intl.DateTimeFormat(locale, options);
  formats.set(key, known);
  return known;
}

const noon = (date: string) => Date.parse(`${date}T12:00:00Z`);

/** `Mon 30 Nov 2026` */
export const dayName = (date: string, locale: string): string =>
  formatOf(locale, {
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    timeZone: "UTC",
  }).format(noon(date));

/** `Monday` */
export const weekdayName = (date: string, locale: string): string =>
  formatOf(locale, { weekday: "long", timeZone: "UTC" }).format(noon(date));

/** `Mon 30 Nov 2026, 10:15:00` */
export function momentName(instant: number, locale: string, timeZone: string, seconds = true): string {
  return formatOf(locale, {
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    ...(seconds ? { second: "2-digit" } : {}),
    hourCycle: "h23",
    timeZone,
  }).format(instant);
}
