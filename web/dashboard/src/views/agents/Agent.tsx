import type { Task, Worker } from "@taskrouter-sync/shared/api/types.ts";
import { instant } from "@taskrouter-sync/shared/live/clock.ts";
import { Age } from "@taskrouter-sync/shared/ui/Age.tsx";
import { NoData } from "@taskrouter-sync/shared/ui/NoData.tsx";
import ui from "@taskrouter-sync/shared/ui/ui.module.css";
import { useCallback, useId, useState } from "react";
import { useClient } from "../../base/session.ts";
import { usePolling } from "../../base/usePolling.ts";
import { usePageText } from "../../locales/index.ts";
import { queueNames, skillsOf, taskWords } from "./work.ts";

/** Eligibility changes with skills and expressions only, and each reading is a request to TaskRouter. */
const QUEUES_EVERY_MS = 30_000;
const MOST_QUEUES = 30;

interface AgentProps {
  worker: Worker;
  /** What the agent works on. */
  tasks: readonly Task[];
  /** Ages stand still here. */
  until: number | undefined;
}

export function Agent({ worker, tasks, until }: AgentProps) {
  const words = usePageText().agents;
  const [open, setOpen] = useState(false);
  const details = useId();
  const since = instant(worker.date_status_changed);
  const skills = skillsOf(worker);
  return (
    <li>
      <span className="person">
        <button
          type="button"
          className="agent-name"
          aria-expanded={open}
          aria-controls={details}
          onClick={() => setOpen(!open)}
        >
          {worker.friendly_name || worker.worker_sid}
        </button>
        {typeof worker.team === "string" && <span className={`${ui.weak} ${ui.small}`}> {worker.team}</span>}
        {tasks.length > 0 && (
          <span className="agent-line">{words.worksOn(tasks.map(taskWords).join("; "))}</span>
        )}
        {skills.length > 0 && (
          <span className={`agent-line ${ui.weak}`}>{words.skills(skills.join(", "))}</span>
        )}
        <span id={details} className={`agent-line ${ui.weak}`}>
          {open && <Queues worker={worker.worker_sid} />}
        </span>
      </span>
      {since === undefined ? <NoData reason={words.noTime} /> : <Age since={since} until={until} />}
    </li>
  );
}

/** The queues that TaskRouter names for the agent. The last ones stay while reading fails. */
function Queues({ worker }: { worker: string }) {
  const words = usePageText().agents;
  const client = useClient();
  const read = useCallback((signal: AbortSignal) => client.workerQueues(worker, signal), [client, worker]);
  const { items, failing } = usePolling(read, QUEUES_EVERY_MS);
  if (!items) return failing ? words.queuesUnreadable(failing.reason) : words.readingQueues;
  if (items.length === 0) return words.noQueues;
  const { shown, more } = queueNames(items, MOST_QUEUES);
  return (
    <>
      {words.queues(shown.join(", "), more)}
      {failing && <span className="agent-line">{words.queuesUnreadable(failing.reason)}</span>}
    </>
  );
}
