import controls from "@taskrouter-sync/shared/ui/controls.module.css";
import { useHistoryText } from "../locales/history/index.ts";
import { useHistoryState } from "./HistoryState.tsx";
import css from "./history.module.css";

/** Why there is less to see than usual: the history is off, or has trouble. Nothing while it works. */
export function HistoryNotice() {
  const text = useHistoryText();
  const state = useHistoryState();
  if (!state || state.state === "ok") return null;
  return (
    <p className={css.notice} role="status" data-history={state.state}>
      {state.state === "off" ? text.off(state.reason) : text.degraded(state.reason, state.lost)}
    </p>
  );
}

export function Unreadable({ reason, onRetry }: { reason: string; onRetry(): void }) {
  const text = useHistoryText();
  return (
    <p className={css.notice} role="alert">
      {text.unreadable(reason)}{" "}
      <button type="button" className={controls.link} onClick={onRetry}>
        {text.retry}
      </button>
    </p>
  );
}
