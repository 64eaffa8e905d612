import { useLive } from "@taskrouter-sync/shared/live/react.tsx";
import type { QueueFilter } from "@taskrouter-sync/shared/queues/filters.ts";
import { QueueTable } from "@taskrouter-sync/shared/queues/QueueTable/index.tsx";
import { type RefObject, useState } from "react";
import { useSession } from "../../base/session.ts";
import { usePageText } from "../../locales/index.ts";
import { Menu } from "../../ui/Menu.tsx";
import { SortNote } from "./SortNote.tsx";
import { useServiceLevels, useTableChoices } from "./useTableChoices.ts";

interface QueuesProps {
  scroller: RefObject<HTMLElement | null>;
  /** The queues that a tile has opened. */
  filter: QueueFilter | undefined;
}

export function Queues({ scroller, filter }: QueuesProps) {
  const text = usePageText();
  const { channels } = useSession();
  const serviceLevels = useServiceLevels();
  const { all, columns, sort, setSort, hidden, setHidden } = useTableChoices();
  const [search, setSearch] = useState("");
  const count = useLive((state) => state.board?.queues.size);

  return (
    <section aria-labelledby="queues-title" className="view">
      <div className="bar">
        <h2 id="queues-title">
          {text.views.queues} {count !== undefined && <span className="weak">{count}</span>}
        </h2>
        <input
          type="search"
          className="input"
          placeholder={text.queues.search}
          aria-label={text.queues.search}
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
        {filter && (
          <span className="chip">
            {text.queues.selections[filter]}{" "}
            <a className="link" href="#/queues">
              {text.queues.showAll}
            </a>
          </span>
        )}
        <SortNote sort={sort} onSort={setSort} all={all} />
        <Menu label={text.queues.columns}>
          <fieldset>
            <legend className="sr">{text.queues.columnsShown}</legend>
            {all.map((column) => (
              <label key={column.id}>
                <input
                  type="checkbox"
                  checked={!hidden.includes(column.id)}
                  onChange={(event) =>
                    setHidden(
                      event.target.checked ? hidden.filter((id) => id !== column.id) : [...hidden, column.id],
                    )
                  }
                />
                {column.label}
              </label>
            ))}
          </fieldset>
        </Menu>
      </div>
      <QueueTable
        scroller={scroller}
        columns={columns}
        sort={sort}
        onSort={setSort}
        search={search}
        filter={filter}
        channels={channels}
        serviceLevels={serviceLevels}
      />
    </section>
  );
}
