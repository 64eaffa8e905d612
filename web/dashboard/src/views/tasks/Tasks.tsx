import type { Task } from "@taskrouter-sync/shared/api/types.ts";
import { instant } from "@taskrouter-sync/shared/live/clock.ts";
import { useStaleSince } from "@taskrouter-sync/shared/live/react.tsx";
import { Age } from "@taskrouter-sync/shared/ui/Age.tsx";
import controls from "@taskrouter-sync/shared/ui/controls.module.css";
import { NoData } from "@taskrouter-sync/shared/ui/NoData.tsx";
import ui from "@taskrouter-sync/shared/ui/ui.module.css";
import { useState } from "react";
import { StaleNotice } from "../../base/StaleNotice.tsx";
import { useClient } from "../../base/session.ts";
import { useFirst } from "../../base/useFirst.tsx";
import { usePolling } from "../../base/usePolling.ts";
import { usePageText } from "../../locales/index.ts";

/** Rows that are drawn at first; the list begins with the most urgent. */
const STEP = 200;

type Status = "pending" | "reserved" | "assigned" | "wrapping";

const STEPS: readonly { name: Status; statuses: readonly string[] }[] = [
  { name: "pending", statuses: ["pending"] },
  { name: "reserved", statuses: ["reserved"] },
  { name: "assigned", statuses: ["assigned"] },
  { name: "wrapping", statuses: ["wrapping", "completed", "canceled"] },
];

/** The caller: attributes that TaskRouter's own samples fill; none of them is guaranteed. */
const from = (task: Task) =>
  [task.from, task.caller, task.name].find((v) => typeof v === "string" && v !== "") as string | undefined;

/** Completed and cancelled tasks stay in the list for a while, so that their recordings can be played. */
const isOpen = (task: Task) => STEPS.some((step) => step.name === task.TaskStatus);

export default function Tasks() {
  const text = usePageText();
  const words = text.tasks;
  const { items, failing } = usePolling(useClient().tasks);
  const staleSince = useStaleSince();
  const [search, setSearch] = useState("");
  const [status, setStatus] = useState("");
  const wanted = search.trim().toLocaleLowerCase();
  const shown = items?.filter(
    (task) =>
      (!status || task.TaskStatus === status) &&
      [task.TaskSid, from(task), task.TaskQueueName, task.WorkerName].some((one) =>
        String(one ?? "")
          .toLocaleLowerCase()
          .includes(wanted),
      ),
  );
  const { first, more } = useFirst(shown ?? [], STEP);
  const until = failing?.since ?? staleSince;
  return (
    <section aria-labelledby="tasks-title" className={failing ? "view stale" : "view"}>
      <div className="bar">
        <h2 id="tasks-title">
          {text.views.tasks} {items && <span className={ui.weak}>{items.filter(isOpen).length}</span>}
        </h2>
        <input
          type="search"
          className={controls.input}
          placeholder={words.search}
          aria-label={words.search}
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
        <select
          className={controls.input}
          aria-label={words.status}
          value={status}
          onChange={(event) => setStatus(event.target.value)}
        >
          <option value="">{words.allStatuses}</option>
          {STEPS.map(({ name }) => (
            <option key={name} value={name}>
              {words.steps[name]}
            </option>
          ))}
        </select>
        <StaleNotice failing={failing} />
      </div>
      {shown && shown.length > 0 ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls sideways must be reachable by keyboard
        <div className="scroll-x" tabIndex={0} role="region" aria-label={words.table}>
          <table className="plain cards">
            <thead>
              <tr>
                <th scope="col">{words.from}</th>
                <th scope="col">{words.step}</th>
                <th scope="col" className="num">
                  {words.priority}
                </th>
                <th scope="col">{words.queue}</th>
                <th scope="col">{words.channel}</th>
                <th scope="col">{words.agent}</th>
                <th scope="col" className="num">
                  {words.age}
                </th>
                <th scope="col">{words.recording}</th>
              </tr>
            </thead>
            <tbody>
              {first.map((task) => (
                <Row key={task.TaskSid} task={task} until={until} />
              ))}
            </tbody>
          </table>
          {more}
        </div>
      ) : (
        <p className="empty">
          {!items ? (failing?.reason ?? words.reading) : items.length === 0 ? words.none : words.noMatch}
        </p>
      )}
    </section>
  );
}

function Row({ task, until }: { task: Task; until: number | undefined }) {
  const text = usePageText().tasks;
  const created = instant(task.DateCreated);
  const at = STEPS.findIndex((step) => step.statuses.includes(task.TaskStatus));
  const step = STEPS[at];
  return (
    <tr>
      <th scope="row" className="words">
        <span data-tip={task.TaskSid}>{from(task) ?? task.TaskSid.slice(0, 10)}</span>
      </th>
      <td data-label={text.step}>
        <span className="steps">
          {STEPS.map(({ name }, n) => (
            <span key={name} aria-hidden="true" className={n <= at ? "step done" : "step"} />
          ))}
          <span>{step?.name === task.TaskStatus ? text.steps[step.name] : task.TaskStatus}</span>
        </span>
      </td>
      <td className="num" data-label={text.priority}>
        {task.Priority}
      </td>
      <td className="words" data-label={text.queue}>
        {task.TaskQueueName ?? <NoData reason={text.noQueue} />}
      </td>
      <td className="words" data-label={text.channel}>
        {task.TaskChannel ?? <NoData reason={text.noChannel} />}
      </td>
      <td className="words" data-label={text.agent}>
        {task.WorkerName || <NoData reason={text.unassigned} />}
      </td>
      <td className="num" data-label={text.age}>
        {created === undefined ? <NoData reason={text.noTime} /> : <Age since={created} until={until} />}
      </td>
      <td className="wide" data-label={text.recording}>
        {task.RecordingUrl ? (
          // biome-ignore lint/a11y/useMediaCaption: recordings of calls have no captions
          <audio
            controls
            preload="none"
            src={task.RecordingUrl}
            aria-label={text.recordingOf(from(task) ?? task.TaskSid)}
          />
        ) : (
          <NoData reason={text.noRecording} />
        )}
      </td>
    </tr>
  );
}
