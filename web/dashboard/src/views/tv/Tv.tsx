/**
 * TV mode (`?tv=1`): few numbers, legible at six metres; pages turn by themselves. `&turn=20` sets the seconds a page
 * stays. No keyboard is near: a lost network is shown at the foot, and recovers by itself.
 */
import type { Definitions, Metric } from "@taskrouter-sync/shared/api/types.ts";
import { tokenColour } from "@taskrouter-sync/shared/format/colour.ts";
import { clockTimeSeconds } from "@taskrouter-sync/shared/format/time.ts";
import { age } from "@taskrouter-sync/shared/live/clock.ts";
import { useLive, useSecond, useStaleSince } from "@taskrouter-sync/shared/live/react.tsx";
import { useText } from "@taskrouter-sync/shared/locales/index.ts";
import type { Sort } from "@taskrouter-sync/shared/queues/sort.ts";
import { useFigures, useQueueRows } from "@taskrouter-sync/shared/queues/useQueueRows.ts";
import { ErrorBoundary } from "@taskrouter-sync/shared/ui/ErrorBoundary.tsx";
import { FreshnessIndicator } from "@taskrouter-sync/shared/ui/FreshnessIndicator.tsx";
import { type Reading, reading, staleSinceOf } from "@taskrouter-sync/shared/wallboard/reading.ts";
import { Sparkline } from "@taskrouter-sync/shared/wallboard/Sparkline.tsx";
import { judged } from "@taskrouter-sync/shared/wallboard/threshold.ts";
import { useEffect, useState } from "react";
import { useClient, useSession } from "../../base/session.ts";
import { usePageText } from "../../locales/index.ts";
import { useColumns, useServiceLevels } from "../queues/useTableChoices.ts";
import { burnInOffset, capacity, digits, paginate } from "./pages.ts";

const TURN_S = 15;
const QUEUES = 3;
const SORT: Sort = { down: true };
const NONE: readonly Metric[] = [];

/** No cursor, no scrollbars, and a screen that stays awake. */
function useKiosk(title: string) {
  useEffect(() => {
    document.body.classList.add("tv-body");
    document.title = title;
    const awake = () => void navigator.wakeLock?.request("screen").catch(() => undefined);
    awake();
    document.addEventListener("visibilitychange", awake);
    return () => {
      document.body.classList.remove("tv-body");
      document.removeEventListener("visibilitychange", awake);
    };
  }, [title]);
}

const DEFINITIONS_MS = 60_000;

/** Reads definitions only while metrics come from a service that does not say which threshold they have passed. */
function useJudged(metrics: readonly Metric[]): readonly Metric[] {
  const client = useClient();
  const [definitions, setDefinitions] = useState<Definitions>();
  const needed = metrics.some(({ threshold }) => threshold === undefined);
  useEffect(() => {
    if (!needed) return undefined;
    const abort = new AbortController();
    const read = () => client.definitions(abort.signal).then(setDefinitions, () => undefined);
    void read();
    const timer = setInterval(read, DEFINITIONS_MS);
    return () => {
      abort.abort();
      clearInterval(timer);
    };
  }, [needed, client]);
  return needed ? metrics.map((metric) => judged(metric, definitions?.[metric.name]?.metric)) : metrics;
}

export default function Tv() {
  const text = usePageText();
  const shared = useText();
  const { timeZone } = useSession();
  const metrics = useJudged(useLive((state) => state.board?.metrics) ?? NONE);
  const staleSince = useStaleSince();
  const second = useSecond();
  useKiosk(`${text.tv.title} · ${text.title}`);

  const read = (metric: Metric): Reading => {
    const now = Math.min(second * 1000, staleSinceOf(metric, staleSince) ?? Number.POSITIVE_INFINITY);
    return reading(metric, now, shared, timeZone);
  };
  const room = capacity(innerWidth, innerHeight);
  const pages = paginate(metrics, (metric) => digits(read(metric).text), room);
  const turn = Math.max(3, Number(new URLSearchParams(location.search).get("turn")) || TURN_S);
  const number = pages.length === 0 ? 0 : Math.floor(second / turn) % pages.length;
  const [x, y] = burnInOffset(Math.floor(second / 60));

  return (
    <main
      className={staleSince === undefined ? "tv" : "tv frozen"}
      style={{ transform: `translate(${x}px, ${y}px)` }}
    >
      <h1 className="sr">{text.title}</h1>
      <ul className="tv-tiles">
        {(pages[number] ?? []).map((metric) => (
          <ErrorBoundary key={metric.name} resetKey={metric} fallback={() => null}>
            <TvTile
              metric={metric}
              shown={read(metric)}
              room={room}
              staleSince={staleSinceOf(metric, staleSince)}
            />
          </ErrorBoundary>
        ))}
      </ul>
      <ErrorBoundary resetKey={second} fallback={() => null}>
        <UrgentQueues />
      </ErrorBoundary>
      <footer className="tv-foot">
        <FreshnessIndicator passive />
        <span className="tv-pages" aria-hidden="true">
          {pages.length > 1 && pages.map((_, n) => (n === number ? "●" : "○")).join(" ")}
        </span>
        <span>{clockTimeSeconds(second * 1000, timeZone)}</span>
      </footer>
    </main>
  );
}

interface TvTileProps {
  metric: Metric;
  shown: Reading;
  room: number;
  staleSince: number | undefined;
}

function TvTile({ metric, shown, room, staleSince }: TvTileProps) {
  const text = usePageText().tv;
  const shared = useText();
  const second = useSecond();
  const live = staleSince === undefined && !shown.error;
  const { style } = metric;
  const colour = live ? tokenColour(style.statColour) : undefined;
  const weak = live ? tokenColour(style.headlineColour) : undefined;
  const painted = live && style.backgroundColour !== "transparent";
  return (
    <li
      className={painted ? "tv-tile painted" : "tv-tile"}
      data-metric={metric.name}
      data-style={style.styleName}
      style={{
        flexGrow: digits(shown.text),
        // The style's text colours are made for its background: one without the other can't be read.
        background: live ? tokenColour(style.backgroundColour) : undefined,
      }}
    >
      <span className="tv-label" style={{ color: weak }}>
        {metric.label}
      </span>
      <span
        className={shown.error ? "tv-value none" : "tv-value"}
        data-part="value"
        style={{
          color: colour,
          // A text too long for the whole screen gets smaller; none is cut.
          fontSize: digits(shown.text) > room ? `${(21 * room) / digits(shown.text)}vh` : undefined,
        }}
      >
        {shown.text}
      </span>
      <span className="tv-sign" data-part="sign" style={{ color: colour }}>
        {staleSince !== undefined
          ? shared.ageOld(shared.span(age(staleSince, second * 1000)))
          : shown.error
            ? text.noData
            : shown.sign && `${shown.sign.mark} ${shown.sign.text}`}
      </span>
      {metric.sla && (
        <span className="tv-sla" style={{ color: weak }}>
          {metric.sla}
        </span>
      )}
      <Sparkline
        name={metric.name}
        limit={metric.threshold?.limit}
        height={Math.round(innerHeight * 0.13)}
        thick={3}
        colour={painted ? colour : undefined}
      />
    </li>
  );
}

function UrgentQueues() {
  const text = usePageText().tv;
  const columns = useColumns();
  const figuresOf = useFigures(useServiceLevels());
  const rows = useQueueRows({ sort: SORT, columns, figuresOf }).slice(0, QUEUES);
  return (
    <ul className="tv-queues" aria-label={text.urgent}>
      {rows.map(({ item, all }) => (
        <li key={item.sid} className={item.realTimeStatsMessage ? "tv-tile frozen" : "tv-tile"}>
          <span className="tv-label">
            {item.friendlyName} <small>{text.waiting}</small>
          </span>
          <span className="tv-value" data-part="value">
            {all.pending ?? "–"}
          </span>
        </li>
      ))}
    </ul>
  );
}
