/** The views of the desk, and which one an address names. */
export const VIEWS = ["wallboard", "queues", "tasks", "agents", "voice"] as const;
export type View = (typeof VIEWS)[number];

/** Anything else than a view's name is the wallboard. */
export function viewOf(hash: string): View {
  const name = hash.replace(/^#\/?/, "");
  return VIEWS.find((view) => view === name) ?? "wallboard";
}
