import { useState } from "react";
import { Age, Dash } from "../Age.tsx";
import { tasks as readTasks } from "../api.ts";
import { instant } from "../live/clock.ts";
import { useFrozen } from "../live/store.ts";
import type { Task } from "../types.ts";
import { Stale } from "./Stale.tsx";
import { usePolled } from "./usePolled.ts";

const STEPS = [
  { name: "Created", statuses: ["pending"] },
  { name: "Reserved", statuses: ["reserved"] },
  { name: "In progress", statuses: ["assigned"] },
  { name: "Wrapping", statuses: ["wrapping", "completed", "canceled"] },
];

/** Who asks: attributes that TaskRouter's own samples fill; none of them is promised. */
const from = (task: Task) =>
  [task.from, task.caller, task.name].find((v) => typeof v === "string" && v !== "") as string | undefined;

export default function Tasks() {
  const { items, failing } = usePolled(readTasks);
  const frozen = useFrozen();
  const [search, setSearch] = useState("");
  const [status, setStatus] = useState("");
  const wanted = search.trim().toLocaleLowerCase();
  const shown = items?.filter(
    (task) =>
      (!status || task.TaskStatus === status) &&
      [task.TaskSid, from(task), task.TaskQueueName, task.WorkerName].some((text) =>
        String(text ?? "")
          .toLocaleLowerCase()
          .includes(wanted),
      ),
  );
  const until = failing?.since ?? frozen;
  return (
    <section aria-labelledby="tasks-title" className={failing ? "view frozen" : "view"}>
      <div className="bar">
        <h2 id="tasks-title">Tasks {items && <span className="weak">{items.length}</span>}</h2>
        <input
          type="search"
          className="input"
          placeholder="Search tasks"
          aria-label="Search tasks"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
        <select
          className="input"
          aria-label="Status"
          value={status}
          onChange={(event) => setStatus(event.target.value)}
        >
          <option value="">All statuses</option>
          {["pending", "reserved", "assigned", "wrapping"].map((s) => (
            <option key={s}>{s}</option>
          ))}
        </select>
        <Stale failing={failing} />
      </div>
      {shown && shown.length > 0 ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls sideways must be reachable by keyboard
        <div className="scroll-x" tabIndex={0} role="region" aria-label="Tasks table">
          <table className="plain">
            <thead>
              <tr>
                <th scope="col">From</th>
                <th scope="col">Step</th>
                <th scope="col" className="num">
                  Priority
                </th>
                <th scope="col">Queue</th>
                <th scope="col">Channel</th>
                <th scope="col">Agent</th>
                <th scope="col" className="num">
                  Age
                </th>
                <th scope="col">Recording</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((task) => (
                <Row key={task.TaskSid} task={task} until={until} />
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <p className="empty">
          {!items
            ? (failing?.reason ?? "Reading tasks…")
            : items.length === 0
              ? "No open tasks: nobody waits and nobody is being served."
              : "No task matches."}
        </p>
      )}
    </section>
  );
}

function Row({ task, until }: { task: Task; until: number | undefined }) {
  const created = instant(task.DateCreated);
  const at = STEPS.findIndex((step) => step.statuses.includes(task.TaskStatus));
  return (
    <tr>
      <th scope="row">
        <span data-tip={task.TaskSid}>{from(task) ?? task.TaskSid.slice(0, 10)}</span>
      </th>
      <td>
        <span className="steps">
          {STEPS.map((step, n) => (
            <span key={step.name} aria-hidden="true" className={n <= at ? "step done" : "step"} />
          ))}
          <span>{STEPS[at]?.name ?? task.TaskStatus}</span>
        </span>
      </td>
      <td className="num">{task.Priority}</td>
      <td>{task.TaskQueueName ?? <Dash reason="the task is in no queue yet" />}</td>
      <td>{task.TaskChannel ?? <Dash reason="the task has no channel" />}</td>
      <td>{task.WorkerName ?? <Dash reason="nobody has it" />}</td>
      <td className="num">
        {created === undefined ? <Dash reason="no creation time" /> : <Age since={created} until={until} />}
      </td>
      <td>
        {task.RecordingUrl ? (
          // biome-ignore lint/a11y/useMediaCaption: recordings of calls have no captions
          <audio
            controls
            preload="none"
            src={task.RecordingUrl}
            aria-label={`Recording of ${from(task) ?? task.TaskSid}`}
          />
        ) : (
          <Dash reason="no recording" />
        )}
      </td>
    </tr>
  );
}
