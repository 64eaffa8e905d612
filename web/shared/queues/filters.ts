/** Selections of queues that a tile may open. Pure. */
import type { Figures } from "./figures.ts";

export const QUEUE_FILTERS = ["without-agents", "waiting", "abandoned"] as const;
export type QueueFilter = (typeof QUEUE_FILTERS)[number];

/** Anything else than a filter's name is none. */
export const queueFilterOf = (name: unknown): QueueFilter | undefined =>
  QUEUE_FILTERS.find((filter) => filter === name);

export function passes(filter: QueueFilter | undefined, f: Figures): boolean {
  switch (filter) {
    case "without-agents":
      return (f.pending ?? 0) > 0 && f.available === 0;
    case "waiting":
      return (f.pending ?? 0) > 0;
    case "abandoned":
      return (f.abandoned ?? 0) > 0;
  }
  return true;
}
