/**
 * The service levels of the queue table, computed from a queue's cumulative statistics. Pure. A share is null while no
 * task qualifies, and undefined when it is not known.
 */
import type { CumulativeStats, SlaName } from "../api/types.ts";
import type { Texts } from "../locales/index.ts";

/** The service level of a queue that names no other. */
export const DEFAULT_SLA = "accepted";

type Share = number | null | undefined;
type Formula = (today: CumulativeStats, threshold: number) => Share;
type Name = keyof Texts["serviceLevels"];

const side = (today: CumulativeStats, threshold: number) => today.splitByWaitTime?.[String(threshold)];

const share = (part: number, whole: number): Share => (whole > 0 ? Math.min(1, part / whole) : null);

const FORMULAS: Record<Name, Formula> = {
  accepted: (today, threshold) => {
    const split = side(today, threshold);
    if (!split) return undefined;
    const within = split.below.reservations_accepted;
    return share(within, within + split.above.reservations_accepted);
  },
  "accepted-or-late-abandoned": (today, threshold) => {
    const split = side(today, threshold);
    if (!split) return undefined;
    const within = split.below.reservations_accepted;
    return share(within, within + split.above.reservations_accepted + split.above.tasks_canceled);
  },
  "all-waited": (today, threshold) => {
    const split = side(today, threshold);
    if (!split || today.tEnter === undefined) return undefined;
    return share(split.below.reservations_accepted, today.tEnter - split.below.tasks_canceled);
  },
};

export const isKnown = (name: string): name is Name => Object.hasOwn(FORMULAS, name);

/** Undefined also for a name that this page doesn't know: a wrong share would be worse than none. */
export function serviceLevel(
  today: CumulativeStats | undefined,
  threshold: number,
  name: string = DEFAULT_SLA,
): Share {
  return today && isKnown(name) ? FORMULAS[name](today, threshold) : undefined;
}

/** The service level as a formula with its threshold, or the service's own label for it. */
export function describe(
  name: string,
  threshold: string,
  text: Texts,
  names: readonly SlaName[] = [],
): string {
  if (isKnown(name)) return text.serviceLevels[name](threshold);
  return names.find((one) => one.name === name)?.label ?? name;
}
