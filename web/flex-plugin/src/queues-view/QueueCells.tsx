/** What the plugin adds to Flex's own Queues View: our service level, ages that count, and where a number comes from. */
import { percent } from "@taskrouter-sync/shared/format/number.ts";
import { age, instant } from "@taskrouter-sync/shared/live/clock.ts";
import {
  useActiveSource,
  useLive,
  useQueue,
  useSecond,
  useStaleSince,
} from "@taskrouter-sync/shared/live/react.tsx";
import { useText } from "@taskrouter-sync/shared/locales/index.ts";
import { type Figures, figures } from "@taskrouter-sync/shared/queues/figures.ts";
import { Age } from "@taskrouter-sync/shared/ui/Age.tsx";
import { NoData } from "@taskrouter-sync/shared/ui/NoData.tsx";
import * as React from "react";
import { usePluginText } from "../locales/index.ts";
import { useSessionState } from "../ui/PluginScope.tsx";
import css from "../ui/plugin.module.css";

function useFiguresOf(sid: string): Figures | undefined {
  const item = useQueue(sid);
  const { slaThresholds, sla } = useSessionState().session;
  return React.useMemo(() => item && figures(item, "all", slaThresholds, sla), [item, slaThresholds, sla]);
}

export function ServiceLevelCell({ sid, threshold }: { sid: string; threshold: number }) {
  const shared = useText().queues;
  const text = usePluginText().queuesView;
  const found = useFiguresOf(sid);
  if (!found) return <NoData reason={text.unknown} />;
  const share = found.sla[threshold];
  if (share == null)
    return <NoData reason={share === null ? shared.reasons.noQualifyingTasks : shared.notRead} />;
  return <span data-part="service-level">{percent(share)}</span>;
}

export function OldestCell({ sid }: { sid: string }) {
  const shared = useText().queues;
  const text = usePluginText().queuesView;
  const { slaThresholds } = useSessionState().session;
  const found = useFiguresOf(sid);
  const until = useStaleSince();
  if (!found) return <NoData reason={text.unknown} />;
  if (found.oldestSince == null)
    return <NoData reason={found.oldestSince === null ? shared.nothingWaits : shared.notReported} />;
  return (
    <Age since={found.oldestSince} until={until} over={slaThresholds[slaThresholds.length - 1] ?? 120} />
  );
}

export function WaitingCell({ sid }: { sid: string }) {
  const text = usePluginText().queuesView;
  const pending = useFiguresOf(sid)?.pending;
  return pending === undefined ? (
    <NoData reason={text.unknown} />
  ) : (
    <span data-part="waiting">{pending}</span>
  );
}

/** Where this queue's numbers come from, and how old they are. */
export function SourceCell({ sid }: { sid: string }) {
  const text = usePluginText().queuesView;
  const shared = useText();
  const item = useQueue(sid);
  const source = useActiveSource();
  const now = useSecond() * 1000;
  const asOf = instant(item?.asOf);
  if (!item || !source) return <NoData reason={text.unknown} />;
  const name = source.kind === "sync" ? "Sync" : "taskrouter-sync";
  return (
    <span data-part="source" title={source.reason}>
      {name}
      {asOf !== undefined && `, ${text.ageOf(shared.span(age(asOf, now)))}`}
    </span>
  );
}

/** How many tasks wait in all queues together. */
export function WaitingTile() {
  const text = usePluginText().queuesView;
  const { slaThresholds, sla } = useSessionState().session;
  const waiting = useLive((state) => {
    const queues = state.board?.queues;
    if (!queues) return undefined;
    let sum = 0;
    for (const item of queues.values()) sum += figures(item, "all", slaThresholds, sla).pending ?? 0;
    return sum;
  });
  return (
    <div className={css.dataTile} data-testid="tile-waiting">
      <span>{text.tileWaiting}</span>
      <strong data-part="tile-waiting">
        {waiting === undefined ? <NoData reason={text.unknown} /> : waiting}
      </strong>
    </div>
  );
}
