/** Times of day as text. A format is made once for each time zone: making one costs a thousand times its use. */
const cache = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string | undefined, seconds: boolean): Intl.DateTimeFormat {
  const key = `${timeZone ?? ""} ${seconds}`;
  const known = cache.get(key);
  if (known) return known;
  const options: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  if (seconds) options.second = "2-digit";
  let made: Intl.DateTimeFormat;
  try {
    made = new Intl.DateTimeFormat("en-GB", timeZone ? { ...options, timeZone } : options);
  } catch {
    // A time zone that this browser doesn't know.
    made = new Intl.DateTimeFormat("en-GB", options);
  }
  cache.set(key, made);
  return made;
}

export const clockTime = (ms: number, timeZone?: string) => formatOf(timeZone, false).format(ms);
export const clockTimeSeconds = (ms: number, timeZone?: string) => formatOf(timeZone, true).format(ms);
