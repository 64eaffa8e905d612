import type { Definition, Metric } from "@taskrouter-sync/shared/api/types.ts";
import { type QueueFilter, queueFilterOf } from "@taskrouter-sync/shared/queues/filters.ts";
import { ErrorBoundary } from "@taskrouter-sync/shared/ui/ErrorBoundary.tsx";
import ui from "@taskrouter-sync/shared/ui/ui.module.css";
import { Tile } from "@taskrouter-sync/shared/wallboard/Tile.tsx";
import { judged, limitOf } from "@taskrouter-sync/shared/wallboard/threshold.ts";
import { useState } from "react";
import { useInterval, useSession } from "../../base/session.ts";
import { usePageText } from "../../locales/index.ts";
import { DRAFT, type Draft } from "../../wallboard-editor/draft.ts";
import type { DefinitionsApi } from "../../wallboard-editor/useDefinitions.ts";

interface TilesProps {
  metrics: readonly Metric[] | undefined;
  /** What the drawer holds unsaved: its tile shows it. */
  draft: Draft | undefined;
  definitions: DefinitionsApi;
  staleSince: number | undefined;
  selected: string | undefined;
  editable: boolean;
  onOpen(name: string): void;
}

const NONE: readonly Metric[] = [];

/** Metrics from before definitions said which queues they open have only their name. */
const OPENS: Readonly<Record<string, QueueFilter>> = { "queues-without-agents": "without-agents" };

function hrefOf(name: string, definition: Definition | undefined): string | undefined {
  const usual = Object.hasOwn(OPENS, name) ? OPENS[name] : undefined;
  const filter = definition?.opens === undefined ? usual : queueFilterOf(definition.opens);
  return filter && `#/queues?show=${filter}`;
}

export function Tiles(props: TilesProps) {
  const { metrics = NONE, draft, definitions, staleSince, selected, editable, onOpen } = props;
  const text = usePageText().wallboard;
  const { timeZone } = useSession();
  const interval = useInterval();
  const [arranging, setArranging] = useState(false);
  const [dragged, setDragged] = useState<string>();
  const [announcement, setAnnouncement] = useState("");

  const shown = metrics.map((metric) => (draft?.name === metric.name ? draft.metric : metric));
  if (draft && !metrics.some((metric) => metric.name === draft.name)) shown.push(draft.metric);
  const move = async (metric: Metric, to: number) => {
    const rest = metrics.map(({ name }) => name).filter((name) => name !== metric.name);
    const place = Math.max(0, Math.min(rest.length, to));
    rest.splice(place, 0, metric.name);
    if (await definitions.reorder(rest)) setAnnouncement(text.moved(metric.label, place + 1, rest.length));
  };
  const drop = (to: number) => {
    const metric = metrics.find(({ name }) => name === dragged);
    setDragged(undefined);
    if (metric) void move(metric, to);
  };

  return (
    <section aria-labelledby="tiles-title" className="tiles-section">
      <div className="bar tight">
        <h2 id="tiles-title" className={ui.srOnly}>
          {text.metrics}
        </h2>
        {editable && (
          <div className="bar-end">
            <button
              type="button"
              className="quiet"
              aria-pressed={arranging}
              onClick={() => setArranging(!arranging)}
            >
              {arranging ? text.done : text.arrange}
            </button>
            <button type="button" className="quiet" onClick={() => onOpen("")}>
              {text.add}
            </button>
          </div>
        )}
      </div>
      <span role="status" className={ui.srOnly}>
        {announcement}
      </span>
      <ul className="tiles">
        {shown.map((metric, index) => {
          const isDraft = draft?.name === metric.name;
          const definition = isDraft ? draft.definition : definitions.all?.[metric.name]?.metric;
          return (
            <li
              key={metric.name}
              draggable={arranging}
              onDragStart={() => setDragged(metric.name)}
              onDragEnd={() => setDragged(undefined)}
              onDragOver={(event) => arranging && event.preventDefault()}
              onDrop={() => drop(index)}
            >
              <ErrorBoundary
                resetKey={metric}
                fallback={() => <p className="tile-failed">{text.tileFailed(String(metric.label))}</p>}
              >
                <Tile
                  metric={judged(metric, definition)}
                  formula={editable ? (definition?.formula ?? metric.name) : undefined}
                  interval={interval}
                  timeZone={timeZone}
                  limit={
                    limitOf(definition?.secondThresholdValue) ?? limitOf(definition?.firstThresholdValue)
                  }
                  staleSince={staleSince}
                  selected={selected === metric.name}
                  past={metric.name !== DRAFT}
                  queuesHref={hrefOf(metric.name, definition)}
                  onOpen={onOpen}
                />
              </ErrorBoundary>
              {arranging && (
                <div className="arrange">
                  <button type="button" disabled={index === 0} onClick={() => void move(metric, index - 1)}>
                    <span aria-hidden="true">←</span>
                    <span className={ui.srOnly}>{text.earlier(metric.label)}</span>
                  </button>
                  <button
                    type="button"
                    disabled={index === shown.length - 1}
                    onClick={() => void move(metric, index + 1)}
                  >
                    <span aria-hidden="true">→</span>
                    <span className={ui.srOnly}>{text.later(metric.label)}</span>
                  </button>
                </div>
              )}
            </li>
          );
        })}
      </ul>
      {props.metrics && metrics.length === 0 && (
        <p className="empty">
          {text.none} {editable ? text.noneEditor : text.noneViewer}
        </p>
      )}
    </section>
  );
}
