/** The supervisors' view: the wallboard's tiles and the queue table, live. */
import { useLive, useStaleSince } from "@taskrouter-sync/shared/live/react.tsx";
import { useText } from "@taskrouter-sync/shared/locales/index.ts";
import { ColumnMenu, QueueSearch, SortNote } from "@taskrouter-sync/shared/queues/QueueControls.tsx";
import { QueueTable } from "@taskrouter-sync/shared/queues/QueueTable/index.tsx";
import { useTableChoices } from "@taskrouter-sync/shared/queues/tableChoices.ts";
import { ErrorBoundary } from "@taskrouter-sync/shared/ui/ErrorBoundary.tsx";
import { FreshnessIndicator } from "@taskrouter-sync/shared/ui/FreshnessIndicator.tsx";
import { ProvenanceTooltip } from "@taskrouter-sync/shared/ui/ProvenanceTooltip.tsx";
import { Tile } from "@taskrouter-sync/shared/wallboard/Tile.tsx";
import * as React from "react";
import { usePluginText } from "../locales/index.ts";
import { Banner } from "../ui/Banner.tsx";
import { useRuntime, useSessionState } from "../ui/PluginScope.tsx";
import css from "../ui/plugin.module.css";

export function RealtimeView() {
  const text = usePluginText().view;
  const { session, trouble } = useSessionState();
  const scroller = React.useRef<HTMLDivElement>(null);
  return (
    <div className={css.view} ref={scroller} data-testid="realtime">
      <div className={css.bar}>
        <h1>{text.title}</h1>
        <FreshnessIndicator />
      </div>
      <Banner />
      {trouble?.kind !== "role" && (
        <>
          <Tiles />
          <Queues scroller={scroller} />
        </>
      )}
      <ProvenanceTooltip timeZone={session.timeZone} />
    </div>
  );
}

const nothing = () => undefined;

function Tiles() {
  const text = usePluginText().view;
  const shared = useText();
  const { session } = useSessionState();
  const metrics = useLive((state) => state.board?.metrics);
  const staleSince = useStaleSince();
  if (!metrics) return null;
  return (
    <section aria-label={text.metrics}>
      <ul className={css.tiles}>
        {metrics.map((metric) => (
          <li key={metric.name}>
            <ErrorBoundary resetKey={metric} fallback={() => <p>{text.partFailed}</p>}>
              <Tile
                metric={metric}
                interval={shared.interval(session.dayStart, session.timeZone)}
                timeZone={session.timeZone}
                staleSince={staleSince}
                onOpen={nothing}
              />
            </ErrorBoundary>
          </li>
        ))}
      </ul>
      {metrics.length === 0 && <p className={css.note}>{text.noMetrics}</p>}
    </section>
  );
}

function Queues({ scroller }: { scroller: React.RefObject<HTMLElement | null> }) {
  const text = usePluginText().view;
  const { user } = useRuntime();
  const { session } = useSessionState();
  const choices = useTableChoices(session, `flex.${user.identity()}`);
  const [search, setSearch] = React.useState("");
  return (
    <section aria-label={text.queues}>
      <div className={css.bar}>
        <h2>{text.queues}</h2>
        <QueueSearch value={search} onChange={setSearch} />
        <SortNote {...choices} />
        <ColumnMenu {...choices} />
      </div>
      <QueueTable scroller={scroller} {...choices.table} search={search} />
    </section>
  );
}
