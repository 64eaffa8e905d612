import * as React from "react";
import { useText } from "../../locales/index.ts";
import type { Column } from "../columns.ts";
import type { Sort } from "../sort.ts";
import css from "./QueueTable.module.css";

interface HeaderProps {
  columns: readonly Column[];
  sort: Sort;
  onSort(sort: Sort): void;
  template: string;
}

export function Header({ columns, sort, onSort, template }: HeaderProps) {
  const text = useText().queues;
  return (
    <div role="rowgroup" className={css.head}>
      <div role="row" className={css.line} aria-rowindex={1} style={{ gridTemplateColumns: template }}>
        <Head
          id="name"
          label={text.queue}
          tip={text.queueTip}
          firstDown={false}
          sort={sort}
          onSort={onSort}
        />
        {columns.map((column) => (
          <Head
            key={column.id}
            id={column.id}
            label={column.label}
            tip={column.tip}
            firstDown={!column.lowIsBad}
            sort={sort}
            onSort={onSort}
          />
        ))}
      </div>
    </div>
  );
}

interface HeadProps {
  id: string;
  label: string;
  tip: string;
  /** The direction of the first click: the worst on top, names from A. */
  firstDown: boolean;
  sort: Sort;
  onSort(sort: Sort): void;
}

function Head({ id, label, tip, firstDown, sort, onSort }: HeadProps) {
  const on = sort.by === id;
  // The third click goes back to urgency.
  const next: Sort = !on
    ? { by: id, down: firstDown }
    : sort.down === firstDown
      ? { by: id, down: !firstDown }
      : { down: true };
  return (
    <div
      role="columnheader"
      className={css.heading}
      aria-sort={on ? (sort.down ? "descending" : "ascending") : undefined}
    >
      <button type="button" data-tip={tip} onClick={() => onSort(next)}>
        {label}
        <span aria-hidden="true" className={css.arrow}>
          {on ? (sort.down ? "↓" : "↑") : ""}
        </span>
      </button>
    </div>
  );
}
