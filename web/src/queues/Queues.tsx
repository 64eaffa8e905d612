import { type RefObject, useMemo, useState } from "react";
import { useBoard } from "../live/store.ts";
import { useRemembered } from "../remembered.ts";
import { useSession } from "../shell/session.ts";
import { columnsOf } from "./columns.ts";
import type { Sort } from "./order.ts";
import { QueueTable } from "./QueueTable.tsx";

const URGENCY: Sort = { down: true };

/** Sort order and hidden columns, remembered by this browser. */
export function useTableChoices() {
  const session = useSession();
  const all = useMemo(() => columnsOf(session), [session]);
  const [sort, setSort] = useRemembered<Sort>("queues.sort", URGENCY);
  const [hidden, setHidden] = useRemembered<string[]>(
    "queues.hidden",
    all.filter((c) => c.hidden).map((c) => c.id),
  );
  const columns = useMemo(() => all.filter((c) => !hidden.includes(c.id)), [all, hidden]);
  return { all, columns, sort, setSort, hidden, setHidden };
}

export function Queues({ scroller }: { scroller: RefObject<HTMLElement | null> }) {
  const { all, columns, sort, setSort, hidden, setHidden } = useTableChoices();
  const [search, setSearch] = useState("");
  const count = useBoard()?.queues.size;

  return (
    <section aria-labelledby="queues-title" className="view">
      <div className="bar">
        <h2 id="queues-title">Queues {count !== undefined && <span className="weak">{count}</span>}</h2>
        <input
          type="search"
          className="input"
          placeholder="Search queues"
          aria-label="Search queues"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
        <SortNote sort={sort} onSort={setSort} all={all} />
        <details className="menu">
          <summary className="button">Columns</summary>
          <fieldset className="menu-body">
            <legend className="sr">Columns shown</legend>
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
        </details>
      </div>
      <QueueTable scroller={scroller} columns={columns} sort={sort} onSort={setSort} search={search} />
    </section>
  );
}

export function SortNote(props: {
  sort: Sort;
  onSort(sort: Sort): void;
  all: { id: string; label: string }[];
}) {
  const { sort, onSort, all } = props;
  if (!sort.by) return <span className="weak note">Sorted by urgency</span>;
  const label = sort.by === "name" ? "name" : all.find((c) => c.id === sort.by)?.label;
  return (
    <span className="weak note">
      Sorted by {label}{" "}
      <button type="button" className="link" onClick={() => onSort({ down: true })}>
        Sort by urgency
      </button>
    </span>
  );
}
