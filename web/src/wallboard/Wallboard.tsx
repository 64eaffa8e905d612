import { lazy, type RefObject, Suspense, useCallback, useState } from "react";
import { useBoard, useFrozen } from "../live/store.ts";
import { SortNote, useTableChoices } from "../queues/Queues.tsx";
import { QueueTable } from "../queues/QueueTable.tsx";
import { useSession } from "../shell/session.ts";
import type { Definition, Metric } from "../types.ts";
import { useDefinitions } from "./definitions.ts";
import { Tile } from "./Tile.tsx";

const Drawer = lazy(() => import("./Drawer.tsx"));

/** What stands in the drawer and is not saved: the tile shows it. */
export interface Draft {
  name: string;
  metric: Metric;
  definition: Definition;
}

export function Wallboard({ scroller }: { scroller: RefObject<HTMLElement | null> }) {
  const board = useBoard();
  const frozen = useFrozen();
  const { role } = useSession();
  const definitions = useDefinitions();
  const { all, columns, sort, setSort } = useTableChoices();
  const [opened, setOpened] = useState<string>();
  const [draft, setDraft] = useState<Draft>();
  const [arranging, setArranging] = useState(false);
  const [dragged, setDragged] = useState<string>();
  const open = useCallback((name: string) => setOpened(name), []);
  const close = useCallback(() => {
    setOpened(undefined);
    setDraft(undefined);
  }, []);

  const metrics = board?.metrics ?? [];
  const shown = metrics.map((metric) => (draft?.name === metric.name ? draft.metric : metric));
  if (draft && !metrics.some((metric) => metric.name === draft.name)) shown.push(draft.metric);
  const names = metrics.map((metric) => metric.name);
  const move = (name: string, to: number) => {
    const rest = names.filter((n) => n !== name);
    rest.splice(Math.max(0, Math.min(rest.length, to)), 0, name);
    void definitions.reorder(rest);
  };

  return (
    <div className={opened ? "wallboard with-drawer" : "wallboard"}>
      <section aria-labelledby="tiles-title" className="tiles-section">
        <div className="bar tight">
          <h2 id="tiles-title" className="sr">
            Metrics
          </h2>
          {role === "editor" && (
            <div className="bar-end">
              <button
                type="button"
                className="quiet"
                aria-pressed={arranging}
                onClick={() => setArranging(!arranging)}
              >
                {arranging ? "Done" : "Arrange"}
              </button>
              <button type="button" className="quiet" onClick={() => setOpened("")}>
                Add metric
              </button>
            </div>
          )}
        </div>
        <ul className="tiles">
          {shown.map((metric, index) => (
            <li
              key={metric.name}
              draggable={arranging}
              onDragStart={() => setDragged(metric.name)}
              onDragOver={(event) => arranging && event.preventDefault()}
              onDrop={() => dragged && move(dragged, index)}
            >
              <Tile
                metric={metric}
                definition={
                  draft?.name === metric.name ? draft.definition : definitions.all?.[metric.name]?.metric
                }
                frozen={frozen}
                selected={opened === metric.name}
                onOpen={open}
              />
              {arranging && (
                <div className="arrange">
                  <button type="button" disabled={index === 0} onClick={() => move(metric.name, index - 1)}>
                    <span aria-hidden="true">←</span>
                    <span className="sr">Move {metric.label} earlier</span>
                  </button>
                  <button
                    type="button"
                    disabled={index === shown.length - 1}
                    onClick={() => move(metric.name, index + 1)}
                  >
                    <span aria-hidden="true">→</span>
                    <span className="sr">Move {metric.label} later</span>
                  </button>
                </div>
              )}
            </li>
          ))}
        </ul>
        {board && metrics.length === 0 && (
          <p className="empty">
            No metrics yet.{" "}
            {role === "editor" ? "“Add metric” makes the first one." : "Somebody who may edit can add them."}
          </p>
        )}
      </section>
      <section aria-labelledby="board-queues" className="view">
        <div className="bar tight">
          <h2 id="board-queues">Queues</h2>
          <SortNote sort={sort} onSort={setSort} all={all} />
        </div>
        <QueueTable scroller={scroller} columns={columns} sort={sort} onSort={setSort} />
      </section>
      {definitions.trouble && (
        <p className="notice" role="alert">
          {definitions.trouble}
        </p>
      )}
      {definitions.undo && (
        <div className="notice" role="status">
          {definitions.undo.said}{" "}
          <button type="button" className="link" onClick={() => void definitions.undo?.run()}>
            Undo
          </button>
          <button type="button" className="link" onClick={definitions.forget}>
            Dismiss
          </button>
        </div>
      )}
      {opened !== undefined && (
        <Suspense fallback={null}>
          <Drawer
            key={opened}
            name={opened}
            metric={metrics.find((metric) => metric.name === opened)}
            definitions={definitions}
            onDraft={setDraft}
            onClose={close}
          />
        </Suspense>
      )}
    </div>
  );
}
