import { span } from "../format.ts";
import { useSecond } from "../live/store.ts";
import type { Polled } from "./usePolled.ts";

/** Says that a list is old, since when, and why. */
export function Stale({ failing }: Pick<Polled<unknown>, "failing">) {
  useSecond();
  if (!failing) return null;
  return (
    <span className="old" role="status">
      {span((Date.now() - failing.since) / 1000)} old: {failing.reason}
    </span>
  );
}
