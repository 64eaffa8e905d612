/** The screen's own clock, corrected by the service's `now`. Pure; all instants in milliseconds. */

const SAMPLES = 20;

/**
 * Estimates the difference of the two clocks from each event. Travel only ever makes `now` arrive late, so the
 * largest of the last samples is the nearest to the truth, and one slow event moves nothing.
 */
export class Skew {
  private samples: number[] = [];

  add(serverNow: number, localNow: number): void {
    if (!Number.isFinite(serverNow)) return;
    this.samples = [...this.samples, serverNow - localNow].slice(-SAMPLES);
  }

  get value(): number {
    return this.samples.length === 0 ? 0 : Math.max(...this.samples);
  }
}

/** Milliseconds of an instant; undefined for none or nonsense. */
export function instant(text: string | null | undefined): number | undefined {
  if (!text) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}

/** Whole seconds since an instant, never negative. */
export function age(since: number, now: number): number {
  return Math.max(0, Math.floor((now - since) / 1000));
}

/** A value that counts up by one each second while it is above 0 (`increment`); otherwise as it was read. */
export function counted(value: number, asOf: number | undefined, now: number): number {
  return value > 0 && asOf !== undefined ? value + age(asOf, now) : value;
}
