/**
 * A metric's drawer: its chart, its provenance, and for editors its settings. The tile beside it is the preview. What is
 * typed is kept in this browser until it is saved or discarded.
 */

import type { Definition, Metric, Style } from "@taskrouter-sync/shared/api/types.ts";
import { compactDuration } from "@taskrouter-sync/shared/format/duration.ts";
import { clockTimeSeconds } from "@taskrouter-sync/shared/format/time.ts";
import { instant } from "@taskrouter-sync/shared/live/clock.ts";
import controls from "@taskrouter-sync/shared/ui/controls.module.css";
import ui from "@taskrouter-sync/shared/ui/ui.module.css";
import { Chart } from "@taskrouter-sync/shared/wallboard/Chart.tsx";
import { DEFAULT_STYLES } from "@taskrouter-sync/shared/wallboard/presets.ts";
import { limitOf } from "@taskrouter-sync/shared/wallboard/threshold.ts";
import { useCallback, useEffect, useMemo, useState } from "react";
import { useInterval, useSession } from "../base/session.ts";
import CurveDialog from "../history/CurveDialog.tsx";
import { type CurveSubject, DayCurve } from "../history/DayCurve.tsx";
import { HistoryNotice } from "../history/HistoryNotice.tsx";
import { useHistoryState } from "../history/HistoryState.tsx";
import { useHistoryText } from "../locales/history/index.ts";
import { usePageText } from "../locales/index.ts";
import type { Draft } from "./draft.ts";
import { Editor } from "./Editor.tsx";
import { readDraft, writeDraft } from "./storedDrafts.ts";
import type { DefinitionsApi } from "./useDefinitions.ts";

export interface DrawerProps {
  /** Empty for a new metric. */
  name: string;
  metric: Metric | undefined;
  definitions: DefinitionsApi;
  onDraft(draft: Draft | undefined): void;
  onClose(): void;
}

const NEW_METRIC: Definition = {
  label: "New metric",
  formula: "data.workspace_statistics.realtime.tasks_by_status.pending",
  format: "",
  slaName: "",
  increment: false,
  ...DEFAULT_STYLES,
  firstThresholdValue: "",
  secondThresholdValue: "",
  invertThresholds: false,
};

export default function Drawer({ name, metric, definitions, onDraft, onClose }: DrawerProps) {
  const text = usePageText().editor;
  const session = useSession();
  const saved = name === "" ? NEW_METRIC : definitions.all?.[name]?.metric;
  const { read } = definitions;
  // Another editor may have changed it since this page read the definitions.
  useEffect(() => void read(), [read]);
  const [start] = useState(() => readDraft(session, name));
  const keep = useCallback(
    (draft: Definition | undefined) => writeDraft(session, name, draft),
    [session, name],
  );

  return (
    <>
      {name !== "" && <Facts name={name} metric={metric} saved={saved} />}
      {session.role === "editor" &&
        (saved ? (
          <Editor
            name={name}
            saved={saved}
            start={start}
            definitions={definitions}
            onDraft={onDraft}
            onKeep={keep}
            onClose={onClose}
          />
        ) : definitions.all ? (
          <p className="empty">{text.deleted}</p>
        ) : definitions.trouble ? (
          <p className="empty" role="alert">
            {text.readFailed(definitions.trouble)}{" "}
            <button type="button" className={controls.link} onClick={() => void read()}>
              {text.retry}
            </button>
          </p>
        ) : (
          <p className="empty">{text.reading}</p>
        ))}
    </>
  );
}

interface FactsProps {
  name: string;
  metric: Metric | undefined;
  saved: Definition | undefined;
}

function Facts({ name, metric, saved }: FactsProps) {
  const text = usePageText().editor;
  const { role, timeZone } = useSession();
  const interval = useInterval();
  const asOf = instant(metric?.asOf);
  const shown = compactDuration(metric?.text ?? "–");
  const state = useHistoryState();
  const { curve } = useHistoryText();
  return (
    <>
      {typeof metric?.value === "string" ? (
        <p className={ui.weak}>{curve.noCurve}</p>
      ) : state && state.state !== "off" ? (
        <TileCurve name={name} metric={metric} saved={saved} />
      ) : (
        <>
          <HistoryNotice />
          <Chart
            name={name}
            label={metric?.label ?? name}
            height={180}
            format={metric?.format ?? ""}
            timeZone={timeZone}
            limit={
              limitOf(saved?.secondThresholdValue) ??
              limitOf(saved?.firstThresholdValue) ??
              metric?.threshold?.limit
            }
          />
        </>
      )}
      <dl className="facts">
        <dt>{text.shows}</dt>
        <dd>{asOf === undefined ? shown : text.readAt(shown, clockTimeSeconds(asOf, timeZone))}</dd>
        <dt>{text.interval}</dt>
        <dd>{text.totals(interval)}</dd>
        {metric?.sla && (
          <>
            <dt>{text.serviceLevel}</dt>
            <dd>{metric.sla}</dd>
          </>
        )}
        {role === "viewer" && (
          <>
            <dt>{text.formula}</dt>
            <dd>
              <code>{saved?.formula ?? "–"}</code>
            </dd>
          </>
        )}
      </dl>
    </>
  );
}

/** The day's curve in the drawer, and over the page where there is more room. */
function TileCurve({ name, metric, saved }: FactsProps) {
  const words = useHistoryText().curve;
  const [large, setLarge] = useState(false);
  const label = metric?.label ?? name;
  const format = metric?.format ?? "";
  const { firstThresholdValue, firstThresholdStyle, secondThresholdValue, secondThresholdStyle } =
    saved ?? {};
  const subject = useMemo((): CurveSubject => {
    const limit = (text: string | undefined, style: Style | undefined) => {
      const value = limitOf(text);
      return value === undefined ? [] : [{ value, style: style?.styleName }];
    };
    const limits = [
      ...limit(firstThresholdValue, firstThresholdStyle),
      ...limit(secondThresholdValue, secondThresholdStyle),
    ];
    return { kind: "metric", metric: name, name: label, format, limits };
  }, [
    name,
    label,
    format,
    firstThresholdValue,
    firstThresholdStyle,
    secondThresholdValue,
    secondThresholdStyle,
  ]);
  return (
    <>
      <DayCurve subject={subject} height={200}>
        <button type="button" className={controls.button} onClick={() => setLarge(true)}>
          {words.enlarge}
        </button>
      </DayCurve>
      {large && <CurveDialog subject={subject} onClose={() => setLarge(false)} />}
    </>
  );
}
