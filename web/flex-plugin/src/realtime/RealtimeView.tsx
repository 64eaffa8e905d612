/** The supervisors' view: the wallboard's tiles and the queue table, live. */
import { useLive, useStaleSince } from "@taskrouter-sync/shared/live/react.tsx";
import { useText } from "@taskrouter-sync/shared/locales/index.ts";
import { QueueTable } from "@taskrouter-sync/shared/queues/QueueTable/index.tsx";
import { ErrorBoundary } from "@taskrouter-sync/shared/ui/ErrorBoundary.tsx";
import { FreshnessIndicator } from "@taskrouter-sync/shared/ui/FreshnessIndicator.tsx";
import { ProvenanceTooltip } from "@taskrouter-sync/shared/ui/ProvenanceTooltip.tsx";
import { Tile } from "@taskrouter-sync/shared/wallboard/Tile.tsx";
import * as React from "react";
import { usePluginText } from "../locales/index.ts";
import { Banner } from "../ui/Banner.tsx";
import { useSessionState } from "../ui/PluginScope.tsx";
import css from "../ui/plugin.module.css";
import { useTableChoices } from "./useTableChoices.ts";

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
  const { session } = useSessionState();
  const { all, columns, sort, setSort, hidden, setHidden, serviceLevels } = useTableChoices();
  const [search, setSearch] = React.useState("");
  return (
    <section aria-label={text.queues}>
      <div className={css.bar}>
        <h2>{text.queues}</h2>
        <input
          type="search"
          className={css.input}
          placeholder={text.search}
          aria-label={text.search}
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
        {sort.by ? (
          <button type="button" className={css.button} onClick={() => setSort({ down: true })}>
            {text.sortByUrgency}
          </button>
        ) : (
          <span className={css.note}>{text.byUrgency}</span>
        )}
        <details className={css.columns}>
          <summary>{text.columns}</summary>
          <fieldset aria-label={text.columnsShown}>
            {all.map(({ id, label }) => (
              <label key={id}>
                <input
                  type="checkbox"
                  checked={!hidden.includes(id)}
                  onChange={({ target }) =>
                    setHidden(target.checked ? hidden.filter((one) => one !== id) : [...hidden, id])
                  }
                />{" "}
                {label}
              </label>
            ))}
          </fieldset>
        </details>
      </div>
      <QueueTable
        scroller={scroller}
        columns={columns}
        sort={sort}
        onSort={setSort}
        search={search}
        channels={session.channels}
        serviceLevels={serviceLevels}
      />
    </section>
  );
}
