/** The views of the desk, and which one an address names. */
import { type QueueFilter, queueFilterOf } from "@taskrouter-sync/shared/queues/filters.ts";

export const VIEWS = ["wallboard", "queues", "tasks", "agents", "voice", "report", "replay"] as const;
export type View = (typeof VIEWS)[number];

/** Views that are there only where the service has a history. */
export const isOfHistory = (view: View): boolean => view === "report" || view === "replay";

const parts = (hash: string) => hash.replace(/^#\/?/, "").split("?");

/** Anything else than a view's name is the wallboard. */
export function viewOf(hash: string): View {
  const [name] = parts(hash);
  return VIEWS.find((view) => view === name) ?? "wallboard";
}

/** The queues that `#/queues?show=without-agents` selects. */
export const filterOf = (hash: string): QueueFilter | undefined =>
  queueFilterOf(new URLSearchParams(parts(hash)[1]).get("show"));
