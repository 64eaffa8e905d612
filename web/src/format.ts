/** Numbers and times as people read them. Pure. */
import type { ReadBy } from "./types.ts";

const two = (n: number) => String(n).padStart(2, "0");

/** `04:12`, from an hour on `1:04:12`; one width for all ages below an hour. */
export function clock(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const h = Math.floor(s / 3600);
  const rest = `${two(Math.floor((s % 3600) / 60))}:${two(s % 60)}`;
  return h > 0 ? `${h}:${rest}` : rest;
}

/** `HH:MM:SS`: the format `seconds` of a definition. */
export function hhmmss(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  return `${two(Math.floor(s / 3600))}:${two(Math.floor((s % 3600) / 60))}:${two(s % 60)}`;
}

/** A length of time in words: `12 s`, `3 min`, `2 h`, `4 days`. */
export function span(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 172_800) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86_400)} days`;
}

/** A threshold in words; `180` is `3 min`, `90` is `90 s`. */
export function spanExact(seconds: number): string {
  if (seconds >= 3600 && seconds % 3600 === 0) return `${seconds / 3600} h`;
  if (seconds >= 120 && seconds % 60 === 0) return `${seconds / 60} min`;
  return `${seconds} s`;
}

export function percent(share: number): string {
  // 99.6 % is not 100 %: it is never rounded up to "all", nor down to "none".
  const p = share * 100;
  const whole = p >= 100 || p <= 0 ? p : Math.min(99, Math.max(1, Math.round(p)));
  return `${whole}%`;
}

export function clockTime(ms: number, timeZone?: string): string {
  const options: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  try {
    return new Intl.DateTimeFormat("en-GB", { ...options, timeZone }).format(ms);
  } catch {
    return new Intl.DateTimeFormat("en-GB", options).format(ms);
  }
}

export function clockTimeSeconds(ms: number, timeZone?: string): string {
  const options: Intl.DateTimeFormatOptions = {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  };
  try {
    return new Intl.DateTimeFormat("en-GB", { ...options, timeZone }).format(ms);
  } catch {
    return new Intl.DateTimeFormat("en-GB", options).format(ms);
  }
}

/** `1h 05m`; under an hour `5m 03s`. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 3600) return `${Math.floor(s / 60)}m ${two(s % 60)}s`;
  return `${Math.floor(s / 3600)}h ${two(Math.floor((s % 3600) / 60))}m`;
}

/** Decimals of `number:2`; undefined for any other format. */
export function decimalsOf(format: string): number | undefined {
  const found = /^number:([0-6])$/.exec(format);
  return found ? Number(found[1]) : undefined;
}

/** Formats that are lengths of time in seconds. */
export const isSpan = (format: string) =>
  format === "seconds" || format === "minutes" || format === "duration";

/** A number's text, by the service's rules. Formats that we do not know stay as the service wrote them. */
export function metricText(format: string, value: number, timeZone?: string): string | undefined {
  const decimals = decimalsOf(format);
  if (decimals !== undefined) return value.toFixed(decimals);
  switch (format) {
    case "":
      return String(value);
    case "seconds":
      return hhmmss(value);
    case "minutes":
      return `${Math.floor(value / 60)} min`;
    case "duration":
      return duration(value);
    case "percent":
      return `${Math.round(value)} %`;
    case "time":
      return clockTime(value * 1000, timeZone);
  }
  return undefined;
}

/** `colorTextDecorative10` is `var(--color-text-decorative-10)`; anything that is no colour token is nothing. */
export function tokenColour(name: string | undefined): string | undefined {
  if (name === "transparent") return name;
  if (!name || !/^color[A-Z][A-Za-z0-9]*$/.test(name)) return undefined;
  return `var(--${name.replace(/([A-Z]|\d+)/g, "-$1").toLowerCase()})`;
}

/** What made the service read a number, in words. */
export function readBy(cause: ReadBy | undefined): string {
  const both = "Read anew on every event that concerns it, and by a timer";
  if (cause === undefined) return `${both}.`;
  return `${both}; this one ${cause === "event" ? "after an event" : "by the timer"}.`;
}
