import { usePageText } from "../locales/index.ts";
import { useHistoryState } from "./HistoryState.tsx";

/** For views that show nothing of the history: a sign while it has trouble, which leads to the reason. */
export function HistoryTrouble() {
  const text = usePageText().shell;
  const state = useHistoryState();
  if (state?.state !== "degraded") return null;
  return (
    <a className="head-trouble" href="#/report" data-tip={state.reason ?? undefined}>
      <span aria-hidden="true">▲ </span>
      {text.historyTrouble}
    </a>
  );
}
