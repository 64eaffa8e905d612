import { useMemo, useState } from "react";
import { Age, Dash } from "../Age.tsx";
import { workers as readWorkers } from "../api.ts";
import { instant } from "../live/clock.ts";
import { useFrozen } from "../live/store.ts";
import { groups } from "./groups.ts";
import { Stale } from "./Stale.tsx";
import { usePolled } from "./usePolled.ts";

export default function Agents() {
  const { items, failing } = usePolled(readWorkers);
  const frozen = useFrozen();
  const [search, setSearch] = useState("");
  const shown = useMemo(() => groups(items ?? [], search), [items, search]);
  const until = failing?.since ?? frozen;
  return (
    <section aria-labelledby="agents-title" className={failing ? "view frozen" : "view"}>
      <div className="bar">
        <h2 id="agents-title">Agents {items && <span className="weak">{items.length}</span>}</h2>
        <input
          type="search"
          className="input"
          placeholder="Search agents"
          aria-label="Search agents"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
        <Stale failing={failing} />
      </div>
      <div className="groups">
        {shown.map(([activity, people]) => (
          <section key={activity} className="group" aria-label={`${activity}, ${people.length}`}>
            <h3>
              {activity} <span className="weak">{people.length}</span>
            </h3>
            <ul>
              {people.map((worker) => {
                const since = instant(worker.date_status_changed);
                return (
                  <li key={worker.worker_sid}>
                    <span className="person">
                      {worker.friendly_name}
                      {typeof worker.team === "string" && <span className="weak small"> {worker.team}</span>}
                    </span>
                    {since === undefined ? (
                      <Dash reason="TaskRouter told no time of the last change" />
                    ) : (
                      <Age since={since} until={until} />
                    )}
                  </li>
                );
              })}
            </ul>
          </section>
        ))}
      </div>
      {shown.length === 0 && (
        <p className="empty">
          {!items
            ? (failing?.reason ?? "Reading agents…")
            : items.length === 0
              ? "This workspace has no workers yet."
              : `No agent is called “${search}”.`}
        </p>
      )}
    </section>
  );
}
