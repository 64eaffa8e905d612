/** The clock of a replay: it stands at a moment of the past, or runs from one at a speed. Pure; all in milliseconds. */
export const SPEEDS = [1, 10, 60, 300, 600] as const;
export type Speed = (typeof SPEEDS)[number];

export interface ReplayClock {
  /** The moment that was shown when this browser's clock was at `since`. */
  moment: number;
  since: number;
  speed: Speed;
  playing: boolean;
}

export const standing = (moment: number, local: number, speed: Speed = 1): ReplayClock => ({
  moment,
  since: local,
  speed,
  playing: false,
});

/** The moment of a replay, which never passes the present. */
export function momentOf(
  { moment, since, speed, playing }: ReplayClock,
  local: number,
  present: number,
): number {
  return Math.min(present, playing ? moment + Math.max(0, local - since) * speed : moment);
}

/** Plays on from the moment it is at, at the speed that is given, or stands there. */
export function change(
  clock: ReplayClock,
  next: Partial<Pick<ReplayClock, "speed" | "playing">>,
  local: number,
  present: number,
): ReplayClock {
  return { ...clock, ...next, moment: momentOf(clock, local, present), since: local };
}

export const seek = (clock: ReplayClock, moment: number, local: number, present: number): ReplayClock => ({
  ...clock,
  moment: Math.min(present, moment),
  since: local,
});

/** Ages count between two answers, but not on and on while no further answer arrives. */
const LEAD_MS = 10_000;

export const shownMoment = (clock: ReplayClock, answered: number, local: number, present: number): number =>
  clock.playing
    ? Math.max(answered, Math.min(answered + LEAD_MS, momentOf(clock, local, present)))
    : answered;

/** How long until the next moment is asked for: what is stored changes every ten seconds. */
export const pauseMs = ({ speed }: ReplayClock): number => (speed === 1 ? 5000 : 1000);

/** A jump begins new curves; the steps of a playing replay go on with them. */
export function isJump(from: number | undefined, to: number, clock: ReplayClock): boolean {
  if (from === undefined || to < from) return true;
  return to - from > Math.max(60_000, 5 * clock.speed * pauseMs(clock));
}
