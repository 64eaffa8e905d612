/** What stands above the queue table: search, sort order, and which columns are shown. */
import * as React from "react";
import { useText } from "../locales/index.ts";
import controls from "../ui/controls.module.css";
import { Menu } from "../ui/Menu.tsx";
import ui from "../ui/ui.module.css";
import type { TableChoices } from "./tableChoices.ts";

export function QueueSearch({ value, onChange }: { value: string; onChange(text: string): void }) {
  const { search } = useText().queues.controls;
  return (
    <input
      type="search"
      className={controls.input}
      placeholder={search}
      aria-label={search}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

export function SortNote({ all, sort, setSort }: Pick<TableChoices, "all" | "sort" | "setSort">) {
  const text = useText().queues.controls;
  if (!sort.by) return <span className={controls.note}>{text.byUrgency}</span>;
  const label = sort.by === "name" ? text.name : (all.find((c) => c.id === sort.by)?.label ?? sort.by);
  return (
    <span className={controls.note}>
      {text.by(label)}{" "}
      <button type="button" className={controls.link} onClick={() => setSort({ down: true })}>
        {text.sortByUrgency}
      </button>
    </span>
  );
}

export function ColumnMenu({ all, hidden, setHidden }: Pick<TableChoices, "all" | "hidden" | "setHidden">) {
  const text = useText().queues.controls;
  const show = (id: string, shown: boolean) =>
    setHidden(shown ? hidden.filter((one) => one !== id) : [...hidden, id]);
  return (
    <Menu label={text.columns}>
      <fieldset>
        <legend className={ui.srOnly}>{text.columnsShown}</legend>
        {all.map(({ id, label }) => (
          <label key={id}>
            <input
              type="checkbox"
              checked={!hidden.includes(id)}
              onChange={(event) => show(id, event.target.checked)}
            />
            {label}
          </label>
        ))}
      </fieldset>
    </Menu>
  );
}
