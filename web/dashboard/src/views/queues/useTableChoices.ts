/** Sort order and hidden columns of the queue table, kept by this browser. */
import { useText } from "@taskrouter-sync/shared/locales/index.ts";
import { columns as columnsOf } from "@taskrouter-sync/shared/queues/columns.ts";
import type { Sort } from "@taskrouter-sync/shared/queues/sort.ts";
import type { ServiceLevels } from "@taskrouter-sync/shared/queues/useQueueRows.ts";
import { useMemo } from "react";
import * as v from "valibot";
import { useInterval, useSession } from "../../base/session.ts";
import { useStoredState } from "../../base/storage.ts";

export const sortSchema = v.object({ by: v.optional(v.string()), down: v.boolean() });
export const hiddenSchema = v.array(v.string());

const URGENCY: Sort = { down: true };

export function useServiceLevels(): ServiceLevels {
  const { slaThresholds, sla, slaOfQueues } = useSession();
  return useMemo(
    () => ({ thresholds: slaThresholds, usual: sla, ofQueues: slaOfQueues }),
    [slaThresholds, sla, slaOfQueues],
  );
}

export function useColumns() {
  const { slaThresholds, sla, slaNames } = useSession();
  const interval = useInterval();
  const text = useText();
  return useMemo(
    () => columnsOf({ thresholds: slaThresholds, interval, usual: sla, names: slaNames }, text),
    [slaThresholds, interval, sla, slaNames, text],
  );
}

export function useTableChoices() {
  const all = useColumns();
  const [sort, setSort] = useStoredState("queues.sort", sortSchema, URGENCY);
  const [hidden, setHidden] = useStoredState(
    "queues.hidden",
    hiddenSchema,
    all.filter((c) => c.hidden).map((c) => c.id),
  );
  const columns = useMemo(() => all.filter((c) => !hidden.includes(c.id)), [all, hidden]);
  return { all, columns, sort, setSort, hidden, setHidden };
}
