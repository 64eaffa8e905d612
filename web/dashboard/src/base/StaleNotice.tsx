import { useSecond } from "@taskrouter-sync/shared/live/react.tsx";
import { useText } from "@taskrouter-sync/shared/locales/index.ts";
import controls from "@taskrouter-sync/shared/ui/controls.module.css";
import ui from "@taskrouter-sync/shared/ui/ui.module.css";
import { usePageText } from "../locales/index.ts";
import type { Polled } from "./usePolling.ts";

/** Shows that a list is old, since when, and why. */
export function StaleNotice({ failing }: Pick<Polled<unknown>, "failing">) {
  useSecond();
  const shared = useText();
  const text = usePageText();
  // What counts each second is no announcement.
  return (
    <span className={ui.dataAge}>
      <span aria-hidden="true">
        {failing && text.lists.old(shared.span((Date.now() - failing.since) / 1000), failing.reason)}
      </span>
      <span role="status" className={controls.srOnly}>
        {failing?.reason}
      </span>
    </span>
  );
}
