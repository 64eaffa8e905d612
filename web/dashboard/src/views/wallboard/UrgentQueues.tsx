import { useStaleSince } from "@taskrouter-sync/shared/live/react.tsx";
import type { Column } from "@taskrouter-sync/shared/queues/columns.ts";
import type { Sort } from "@taskrouter-sync/shared/queues/sort.ts";
import { type ServiceLevels, useFigures, useQueueRows } from "@taskrouter-sync/shared/queues/useQueueRows.ts";
import { Age } from "@taskrouter-sync/shared/ui/Age.tsx";
import { usePageText } from "../../locales/index.ts";

const QUEUES = 3;
const BY_URGENCY: Sort = { down: true };

interface UrgentQueuesProps {
  columns: readonly Column[];
  serviceLevels: ServiceLevels;
}

/** The queues that a phone shows first; all of them are below its tiles. */
export function UrgentQueues({ columns, serviceLevels }: UrgentQueuesProps) {
  const text = usePageText().wallboard;
  const staleSince = useStaleSince();
  const figuresOf = useFigures(serviceLevels);
  const rows = useQueueRows({ sort: BY_URGENCY, columns, figuresOf }).slice(0, QUEUES);
  return (
    <ul className="urgent" aria-label={text.urgent}>
      {rows.map(({ item, all }) => (
        <li key={item.sid}>
          <span>{item.friendlyName}</span>
          <span>{all.pending === undefined ? "–" : text.waiting(all.pending)}</span>
          <span>
            {all.oldestSince != null && (
              <Age since={all.oldestSince} until={staleSince} over={serviceLevels.thresholds.at(-1) ?? 120} />
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}
