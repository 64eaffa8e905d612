import { useLive } from "@taskrouter-sync/shared/live/react.tsx";
import type { QueueFilter } from "@taskrouter-sync/shared/queues/filters.ts";
import { ColumnMenu, QueueSearch, SortNote } from "@taskrouter-sync/shared/queues/QueueControls.tsx";
import { QueueTable } from "@taskrouter-sync/shared/queues/QueueTable/index.tsx";
import { useTableChoices } from "@taskrouter-sync/shared/queues/tableChoices.ts";
import controls from "@taskrouter-sync/shared/ui/controls.module.css";
import ui from "@taskrouter-sync/shared/ui/ui.module.css";
import { type RefObject, useState } from "react";
import { useSession } from "../../base/session.ts";
import { STORED } from "../../base/stored.ts";
import { useQueueCurve } from "../../history/useQueueCurve.tsx";
import { usePageText } from "../../locales/index.ts";

interface QueuesProps {
  scroller: RefObject<HTMLElement | null>;
  /** The queues that a tile has opened. */
  filter: QueueFilter | undefined;
}

export function Queues({ scroller, filter }: QueuesProps) {
  const text = usePageText();
  const choices = useTableChoices(useSession(), STORED);
  const [search, setSearch] = useState("");
  const curve = useQueueCurve();
  const count = useLive((state) => state.board?.queues.size);

  return (
    <section aria-labelledby="queues-title" className="view">
      <div className="bar">
        <h2 id="queues-title">
          {text.views.queues} {count !== undefined && <span className={ui.weak}>{count}</span>}
        </h2>
        <QueueSearch value={search} onChange={setSearch} />
        {filter && (
          <span className="chip">
            {text.queues.selections[filter]}{" "}
            <a className={controls.link} href="#/queues">
              {text.queues.showAll}
            </a>
          </span>
        )}
        <SortNote {...choices} />
        <ColumnMenu {...choices} />
      </div>
      <QueueTable
        scroller={scroller}
        {...choices.table}
        search={search}
        filter={filter}
        onCurve={curve.open}
      />
      {curve.dialog}
    </section>
  );
}
