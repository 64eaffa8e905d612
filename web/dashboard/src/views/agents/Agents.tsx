import type { Task, Worker } from "@taskrouter-sync/shared/api/types.ts";
import { useStaleSince } from "@taskrouter-sync/shared/live/react.tsx";
import controls from "@taskrouter-sync/shared/ui/controls.module.css";
import ui from "@taskrouter-sync/shared/ui/ui.module.css";
import { useMemo, useState } from "react";
import { StaleNotice } from "../../base/StaleNotice.tsx";
import { useClient } from "../../base/session.ts";
import { useFirst } from "../../base/useFirst.tsx";
import { usePolling } from "../../base/usePolling.ts";
import { usePageText } from "../../locales/index.ts";
import { Agent } from "./Agent.tsx";
import { groupByActivity } from "./groupByActivity.ts";
import { tasksByAgent } from "./work.ts";

/** Agents of an Activity that are drawn at first: those who are in it longest. */
const STEP = 100;
const NO_TASKS: readonly Task[] = [];

export default function Agents() {
  const text = usePageText();
  const words = text.agents;
  const client = useClient();
  const { items, failing } = usePolling(client.workers);
  const { items: tasks } = usePolling(client.tasks);
  const held = useMemo(() => tasksByAgent(tasks ?? []), [tasks]);
  const staleSince = useStaleSince();
  const [search, setSearch] = useState("");
  const shown = useMemo(() => groupByActivity(items ?? [], search), [items, search]);
  const until = failing?.since ?? staleSince;
  return (
    <section aria-labelledby="agents-title" className={failing ? "view stale" : "view"}>
      <div className="bar">
        <h2 id="agents-title">
          {text.views.agents} {items && <span className={ui.weak}>{items.length}</span>}
        </h2>
        <input
          type="search"
          className={controls.input}
          placeholder={words.search}
          aria-label={words.search}
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
        <StaleNotice failing={failing} />
      </div>
      <div className="groups">
        {shown.map(([activity, people]) => (
          <Group key={activity} activity={activity} people={people} held={held} until={until} />
        ))}
      </div>
      {shown.length === 0 && (
        <p className="empty">
          {!items
            ? (failing?.reason ?? words.reading)
            : items.length === 0
              ? words.none
              : words.noMatch(search)}
        </p>
      )}
    </section>
  );
}

interface GroupProps {
  activity: string;
  people: readonly Worker[];
  /** Tasks by the agent's name. */
  held: ReadonlyMap<string, Task[]>;
  until: number | undefined;
}

function Group({ activity, people, held, until }: GroupProps) {
  const { first, more } = useFirst(people, STEP);
  return (
    <section className="group" aria-label={usePageText().agents.group(activity, people.length)}>
      <h3>
        {activity} <span className={ui.weak}>{people.length}</span>
      </h3>
      <ul>
        {first.map((worker) => (
          <Agent
            key={worker.worker_sid}
            worker={worker}
            tasks={held.get(worker.friendly_name) ?? NO_TASKS}
            until={until}
          />
        ))}
      </ul>
      {more}
    </section>
  );
}
