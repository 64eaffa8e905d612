/** Sort order and hidden columns of the queue table, kept by this browser for each Flex user. */
import { useText } from "@taskrouter-sync/shared/locales/index.ts";
import { columns as columnsOf } from "@taskrouter-sync/shared/queues/columns.ts";
import type { Sort } from "@taskrouter-sync/shared/queues/sort.ts";
import type { ServiceLevels } from "@taskrouter-sync/shared/queues/useQueueRows.ts";
import * as React from "react";
import * as v from "valibot";
import { useStored } from "../live/storage.ts";
import { useRuntime, useSessionState } from "../ui/PluginScope.tsx";

const sortSchema = v.object({ by: v.optional(v.string()), down: v.boolean() });
const hiddenSchema = v.array(v.string());
const URGENCY: Sort = { down: true };

export function useServiceLevels(): ServiceLevels {
  const { session } = useSessionState();
  const { slaThresholds: thresholds, sla: usual, slaOfQueues: ofQueues } = session;
  return React.useMemo(() => ({ thresholds, usual, ofQueues }), [thresholds, usual, ofQueues]);
}

export function useTableChoices() {
  const text = useText();
  const { user } = useRuntime();
  const { session } = useSessionState();
  const { slaThresholds: thresholds, sla: usual, slaNames: names, dayStart, timeZone } = session;
  const interval = text.interval(dayStart, timeZone);
  const all = React.useMemo(
    () => columnsOf({ thresholds, interval, usual, names }, text),
    [thresholds, interval, usual, names, text],
  );
  const key = `flex.${user.identity()}`;
  const [sort, setSort] = useStored(`${key}.sort`, sortSchema, URGENCY);
  const usuallyHidden = all.filter((column) => column.hidden).map((column) => column.id);
  const [hidden, setHidden] = useStored(`${key}.hidden`, hiddenSchema, usuallyHidden);
  const columns = React.useMemo(() => all.filter((column) => !hidden.includes(column.id)), [all, hidden]);
  return { all, columns, sort, setSort, hidden, setHidden, serviceLevels: useServiceLevels() };
}
