/** Columns of the queue table as the service is set up, and what this browser keeps of them: sort order, hidden columns. */
import * as React from "react";
import * as v from "valibot";
import type { Session } from "../api/types.ts";
import { useText } from "../locales/index.ts";
import { useStoredState } from "../ui/storage.ts";
import { type Column, columns as columnsOf } from "./columns.ts";
import type { QueueTableProps } from "./QueueTable/index.tsx";
import type { Sort } from "./sort.ts";
import type { ServiceLevels } from "./useQueueRows.ts";

export const sortSchema = v.object({ by: v.optional(v.string()), down: v.boolean() });
export const hiddenSchema = v.array(v.string());

const URGENCY: Sort = { down: true };

export function useServiceLevels({ slaThresholds, sla, slaOfQueues }: Session): ServiceLevels {
  return React.useMemo(
    () => ({ thresholds: slaThresholds, usual: sla, ofQueues: slaOfQueues }),
    [slaThresholds, sla, slaOfQueues],
  );
}

export function useColumns({ slaThresholds, sla, slaNames, dayStart, timeZone }: Session): Column[] {
  const text = useText();
  return React.useMemo(() => {
    const interval = text.interval(dayStart, timeZone);
    return columnsOf({ thresholds: slaThresholds, interval, usual: sla, names: slaNames }, text);
  }, [slaThresholds, sla, slaNames, dayStart, timeZone, text]);
}

export interface TableChoices {
  all: readonly Column[];
  sort: Sort;
  setSort(sort: Sort): void;
  hidden: readonly string[];
  setHidden(ids: string[]): void;
  /** For the table itself. */
  table: Pick<QueueTableProps, "columns" | "sort" | "onSort" | "channels" | "serviceLevels">;
}

/** `keys` is how the keys begin under which the choices are stored. */
export function useTableChoices(session: Session, keys: string): TableChoices {
  const all = useColumns(session);
  const [sort, setSort] = useStoredState(`${keys}.sort`, sortSchema, URGENCY);
  const usuallyHidden = all.filter((column) => column.hidden).map((column) => column.id);
  const [hidden, setHidden] = useStoredState(`${keys}.hidden`, hiddenSchema, usuallyHidden);
  const columns = React.useMemo(() => all.filter((column) => !hidden.includes(column.id)), [all, hidden]);
  const serviceLevels = useServiceLevels(session);
  const table = { columns, sort, onSort: setSort, channels: session.channels, serviceLevels };
  return { all, sort, setSort, hidden, setHidden, table };
}
