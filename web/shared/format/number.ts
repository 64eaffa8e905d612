/** Numbers as text, by the service's rules (`src/wallboard/format.rs`; both are tested with tests/fixtures/formats.json). Pure. */
import { duration, hhmmss } from "./duration.ts";
import { clockTime } from "./time.ts";

/** Numbers from here on are milliseconds, not seconds. */
const FIRST_MILLISECONDS = 1e11;

export function percent(share: number): string {
  // 99.6 % is not 100 %: it is never rounded up to "all", nor down to "none".
  const p = share * 100;
  const whole = p >= 100 || p <= 0 ? p : Math.min(99, Math.max(1, Math.round(p)));
  return `${whole}%`;
}

/** Decimals of `number:2`, 0 of `number`; undefined for any other format. */
export function decimalsOf(format: string): number | undefined {
  if (format === "number") return 0;
  const found = /^number:([0-6])$/.exec(format);
  return found ? Number(found[1]) : undefined;
}

/** With that many decimals; what rounds to zero has no sign. */
export function rounded(value: number, decimals: number): string {
  const text = Math.abs(value).toFixed(decimals);
  return value < 0 && /[1-9]/.test(text) ? `-${text}` : text;
}

/** A number's text. Undefined for formats that this page doesn't know: they stay as the service wrote them. */
export function metricText(format: string, value: number, timeZone?: string): string | undefined {
  const decimals = decimalsOf(format);
  if (decimals !== undefined) return rounded(value, decimals);
  switch (format) {
    case "":
      return String(value + 0);
    case "seconds":
      return hhmmss(value);
    case "minutes":
      return `${Math.floor(value / 60)} min`;
    case "duration":
      return duration(value);
    case "percent":
      return `${rounded(value, 0)} %`;
    case "time": {
      const seconds = Math.floor(Math.abs(value) >= FIRST_MILLISECONDS ? value / 1000 : value);
      return clockTime(seconds * 1000, timeZone);
    }
  }
  return undefined;
}
