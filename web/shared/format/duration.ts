/** Lengths of time as text. Pure. */
const two = (n: number) => String(n).padStart(2, "0");

/** From a day on hours are hard to read: `3 d 04:12` is three days, four hours and twelve minutes. */
const withDays = (hours: number, minutes: number) =>
  `${Math.floor(hours / 24)} d ${two(hours % 24)}:${two(minutes)}`;

/** `04:12`, from an hour on `1:04:12`, from a day on `3 d 04:12`; one width for all ages below an hour. */
export function clock(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const h = Math.floor(s / 3600);
  const minutes = Math.floor((s % 3600) / 60);
  if (h >= 24) return withDays(h, minutes);
  const rest = `${two(minutes)}:${two(s % 60)}`;
  return h > 0 ? `${h}:${rest}` : rest;
}

/** `HH:MM:SS`: the format `seconds` of a definition. */
export function hhmmss(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  return `${two(Math.floor(s / 3600))}:${two(Math.floor((s % 3600) / 60))}:${two(s % 60)}`;
}

/** `00:04:12` as `04:12`, `01:04:12` as `1:04:12`, and `76:12:09` and `76h 12m` as `3 d 04:12`: one spelling in tiles, tables and
 * on TVs, whatever the service writes for older pages. */
export function compactDuration(text: string): string {
  const [, h, m] = /^(\d{2,}):(\d\d):\d\d$/.exec(text) ?? /^(\d{2,})h (\d\d)m$/.exec(text) ?? [];
  if (h !== undefined && m !== undefined && Number(h) >= 24) return withDays(Number(h), Number(m));
  return /^\d\d:\d\d:\d\d$/.test(text) ? text.replace(/^00:|^0/, "") : text;
}

/** A threshold; `180` is `3 min`, `90` is `90 s`. */
export function spanExact(seconds: number): string {
  if (seconds >= 3600 && seconds % 3600 === 0) return `${seconds / 3600} h`;
  if (seconds >= 120 && seconds % 60 === 0) return `${seconds / 60} min`;
  return `${seconds} s`;
}

/** `1h 05m`; under an hour `5m 03s`. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 3600) return `${Math.floor(s / 60)}m ${two(s % 60)}s`;
  return `${Math.floor(s / 3600)}h ${two(Math.floor((s % 3600) / 60))}m`;
}

/** Formats that are lengths of time in seconds. */
export const isSpan = (format: string) =>
  format === "seconds" || format === "minutes" || format === "duration";
