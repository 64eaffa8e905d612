/**
 * The service levels of the queue table, computed from a queue's cumulative statistics. Pure. A share is null when
 * nothing happened yet that could count, and undefined when it is not known.
 */
import type { CumulativeStats, SlaName } from "../types.ts";

/** What holds for a queue that names no other. */
export const DEFAULT_SLA = "accepted";

type Share = number | null | undefined;
type Formula = (today: CumulativeStats, threshold: number) => Share;

const side = (today: CumulativeStats, threshold: number) => today.splitByWaitTime?.[String(threshold)];

const share = (part: number, whole: number): Share => (whole > 0 ? Math.min(1, part / whole) : null);

const FORMULAS: Record<string, { label: string; of: Formula }> = {
  accepted: {
    label: "accepted within T / accepted",
    of: (today, threshold) => {
      const split = side(today, threshold);
      if (!split) return undefined;
      const within = split.below.reservations_accepted;
      return share(within, within + split.above.reservations_accepted);
    },
  },
  "accepted-or-late-abandoned": {
    label: "accepted within T / (accepted + abandoned after T)",
    of: (today, threshold) => {
      const split = side(today, threshold);
      if (!split) return undefined;
      const within = split.below.reservations_accepted;
      return share(within, within + split.above.reservations_accepted + split.above.tasks_canceled);
    },
  },
  "all-waited": {
    label: "accepted within T / (entered − abandoned within T)",
    of: (today, threshold) => {
      const split = side(today, threshold);
      if (!split || today.tEnter === undefined) return undefined;
      return share(split.below.reservations_accepted, today.tEnter - split.below.tasks_canceled);
    },
  },
};

/** Undefined also for a name that this page does not know: a wrong share would be worse than none. */
export function slaShare(today: CumulativeStats | undefined, threshold: number, name = DEFAULT_SLA): Share {
  return today && FORMULAS[name]?.of(today, threshold);
}

/** The service level in words, with its threshold: the service's own words where it has some. */
export function slaWords(name: string, threshold: string, names: readonly SlaName[] = []): string {
  const own = FORMULAS[name]?.label.replaceAll("T", threshold);
  return own ?? names.find((one) => one.name === name)?.label ?? name;
}

export const knownSla = (name: string) => name in FORMULAS;
