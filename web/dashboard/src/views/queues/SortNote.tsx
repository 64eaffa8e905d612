import type { Column } from "@taskrouter-sync/shared/queues/columns.ts";
import type { Sort } from "@taskrouter-sync/shared/queues/sort.ts";
import { usePageText } from "../../locales/index.ts";

interface SortNoteProps {
  sort: Sort;
  onSort(sort: Sort): void;
  all: readonly Column[];
}

export function SortNote({ sort, onSort, all }: SortNoteProps) {
  const text = usePageText().queues;
  if (!sort.by) return <span className="weak note">{text.byUrgency}</span>;
  const label = sort.by === "name" ? text.name : (all.find((c) => c.id === sort.by)?.label ?? sort.by);
  return (
    <span className="weak note">
      {text.by(label)}{" "}
      <button type="button" className="link" onClick={() => onSort({ down: true })}>
        {text.sortByUrgency}
      </button>
    </span>
  );
}
