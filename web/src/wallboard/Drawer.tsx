/**
 * A metric's drawer: its larger curve, where it comes from, and for editors its settings. The tile beside it is the
 * preview. What is typed is kept in this browser until it is saved or dropped, so a closed lid loses nothing.
 */
import { useEffect, useRef, useState } from "react";
import { clockTimeSeconds } from "../format.ts";
import { instant } from "../live/clock.ts";
import { recall, remember } from "../remembered.ts";
import { interval, useSession } from "../shell/session.ts";
import type { Definition, Metric } from "../types.ts";
import type { Editing } from "./definitions.ts";
import { Editor } from "./Editor.tsx";
import { USUAL } from "./presets.ts";
import { Spark } from "./Spark.tsx";
import { limitOf } from "./threshold.ts";
import type { Draft } from "./Wallboard.tsx";

interface Props {
  /** Empty for a new metric. */
  name: string;
  metric: Metric | undefined;
  definitions: Editing;
  onDraft(draft: Draft | undefined): void;
  onClose(): void;
}

const NEW: Definition = {
  label: "New metric",
  formula: "data.workspace_statistics.realtime.tasks_by_status.pending",
  format: "",
  slaName: "",
  increment: false,
  ...USUAL,
  firstThresholdValue: "",
  secondThresholdValue: "",
  invertThresholds: false,
};

export default function Drawer({ name, metric, definitions, onDraft, onClose }: Props) {
  const session = useSession();
  const saved = name === "" ? NEW : definitions.all?.[name]?.metric;
  const heading = useRef<HTMLHeadingElement>(null);
  const { read } = definitions;
  // Somebody else may have changed it since this page read the definitions.
  useEffect(() => void read(), [read]);
  const [start] = useState(() => recall<Definition | undefined>(`draft.${name}`, undefined));

  useEffect(() => {
    const before = document.activeElement;
    heading.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);

  return (
    <aside
      className="drawer"
      aria-labelledby="drawer-title"
      onKeyDown={(event) => event.key === "Escape" && onClose()}
    >
      <div className="drawer-head">
        <h2 id="drawer-title" ref={heading} tabIndex={-1}>
          {name === "" ? "New metric" : (metric?.label ?? saved?.label ?? name)}
        </h2>
        <button type="button" className="quiet" onClick={onClose}>
          Close
        </button>
      </div>
      {name !== "" && (
        <>
          <Spark
            name={name}
            large
            height={180}
            format={metric?.format}
            timeZone={session.timeZone}
            limit={limitOf(saved?.secondThresholdValue) ?? limitOf(saved?.firstThresholdValue)}
          />
          <dl className="facts">
            <dt>Shows</dt>
            <dd>
              {metric?.text ?? "–"}
              {metric?.asOf && `, read at ${clockTimeSeconds(instant(metric.asOf) ?? 0, session.timeZone)}`}
            </dd>
            <dt>Interval</dt>
            <dd>sums are of {interval(session)}</dd>
            {metric?.sla && (
              <>
                <dt>Service level</dt>
                <dd>{metric.sla}</dd>
              </>
            )}
            {session.role === "viewer" && (
              <>
                <dt>Formula</dt>
                <dd>
                  <code>{saved?.formula ?? "–"}</code>
                </dd>
              </>
            )}
          </dl>
        </>
      )}
      {session.role === "editor" &&
        (saved ? (
          <Editor
            name={name}
            saved={saved}
            start={start}
            definitions={definitions}
            onDraft={onDraft}
            onKeep={(draft) => remember(`draft.${name}`, draft)}
            onClose={onClose}
          />
        ) : (
          <p className="empty">
            {definitions.all ? "This metric has no definition any more." : "Reading the definition…"}
          </p>
        ))}
    </aside>
  );
}
