import { useSecond } from "@taskrouter-sync/shared/live/react.tsx";
import { useText } from "@taskrouter-sync/shared/locales/index.ts";
import { usePageText } from "../locales/index.ts";
import type { Polled } from "./usePolling.ts";

/** Shows that a list is old, since when, and why. */
export function StaleNotice({ failing }: Pick<Polled<unknown>, "failing">) {
  useSecond();
  const shared = useText();
  const text = usePageText();
  return (
    <span role="status" className="old">
      {failing && text.lists.old(shared.span((Date.now() - failing.since) / 1000), failing.reason)}
    </span>
  );
}
