/**
 * TV mode (`?tv=1`): few numbers, legible at six metres. Those that definitions call `always` stay in sight, the others
 * and the most urgent queues take turns below them. `&turn=20` sets the seconds a page
 * stays. No keyboard is near: a lost network is shown at the foot, and recovers by itself.
 */

import type { Definitions, Metric } from "@taskrouter-sync/shared/api/types.ts";
import { tokenColour } from "@taskrouter-sync/shared/format/colour.ts";
import { clockTimeSeconds } from "@taskrouter-sync/shared/format/time.ts";
import { age } from "@taskrouter-sync/shared/live/clock.ts";
import { useLive, useSecond, useStaleSince } from "@taskrouter-sync/shared/live/react.tsx";
import { useText } from "@taskrouter-sync/shared/locales/index.ts";
import type { Sort } from "@taskrouter-sync/shared/queues/sort.ts";
import { useColumns, useServiceLevels } from "@taskrouter-sync/shared/queues/tableChoices.ts";
import { useFigures, useQueueRows } from "@taskrouter-sync/shared/queues/useQueueRows.ts";
import { ErrorBoundary } from "@taskrouter-sync/shared/ui/ErrorBoundary.tsx";
import { FreshnessIndicator } from "@taskrouter-sync/shared/ui/FreshnessIndicator.tsx";
import ui from "@taskrouter-sync/shared/ui/ui.module.css";
import { type Reading, reading, slaText, staleSinceOf } from "@taskrouter-sync/shared/wallboard/reading.ts";
import { Sparkline } from "@taskrouter-sync/shared/wallboard/Sparkline.tsx";
import { judged } from "@taskrouter-sync/shared/wallboard/threshold.ts";
import { useEffect, useState } from "react";
import { useClient, useSession, useTitle } from "../../base/session.ts";
import { usePageText } from "../../locales/index.ts";
import { burnInOffset, capacity, digits, paginate, pinned } from "./pages.ts";
import css from "./Tv.module.css";

const TURN_S = 15;
/** Sizes of digits in per cent of the screen's height, as in `Tv.module.css`. */
const LARGE = 21;
const SMALL = 18.5;
const QUEUES = 3;
const SORT: Sort = { down: true };
const NONE: readonly Metric[] = [];

/** No cursor, no scrollbars, and a screen that stays awake. */
function useKiosk(title: string) {
  useEffect(() => {
    document.body.classList.add("kiosk");
    document.title = title;
    const awake = () => void navigator.wakeLock?.request("screen").catch(() => undefined);
    awake();
    document.addEventListener("visibilitychange", awake);
    return () => {
      document.body.classList.remove("kiosk");
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
  const title = useTitle();
  const shared = useText();
  const { timeZone } = useSession();
  const metrics = useJudged(useLive((state) => state.board?.metrics) ?? NONE);
  const staleSince = useStaleSince();
  const second = useSecond();
  useKiosk(`${text.tv.title} · ${title}`);

  const read = (metric: Metric): Reading => {
    const now = Math.min(second * 1000, staleSinceOf(metric, staleSince) ?? Number.POSITIVE_INFINITY);
    return reading(metric, now, shared, timeZone);
  };
  const width = (metric: Metric) => digits(read(metric).text);
  const room = capacity(innerWidth, innerHeight);
  const { always, inTurn } = pinned(metrics, width, room);
  const smallRoom = (room * LARGE) / SMALL;
  const pages = paginate(inTurn, width, smallRoom);
  const turn = Math.max(3, Number(new URLSearchParams(location.search).get("turn")) || TURN_S);
  // The most urgent queues are the first page.
  const number = Math.floor(second / turn) % (pages.length + 1);
  const [x, y] = burnInOffset(Math.floor(second / 60));
  const tile = (metric: Metric, part: Pick<TvTileProps, "room" | "of" | "size">) => (
    <ErrorBoundary key={metric.name} resetKey={metric} fallback={() => null}>
      <TvTile metric={metric} shown={read(metric)} staleSince={staleSinceOf(metric, staleSince)} {...part} />
    </ErrorBoundary>
  );
  const total = always.reduce((sum, metric) => sum + width(metric), 0);

  return (
    <main
      data-stale={staleSince === undefined ? undefined : ""}
      className={staleSince === undefined ? css.tv : `${css.tv} ${css.stale}`}
      style={{ transform: `translate(${x}px, ${y}px)` }}
    >
      <h1 className={ui.srOnly}>{title}</h1>
      <ul className={css.pinned} data-part="pinned">
        {always.map((metric) => tile(metric, { room, of: total, size: LARGE }))}
      </ul>
      {number === 0 ? (
        <ErrorBoundary resetKey={second} fallback={() => null}>
          <UrgentQueues />
        </ErrorBoundary>
      ) : (
        <ul className={css.turning} data-part="turning">
          {(pages[number - 1] ?? []).map((metric) =>
            tile(metric, { room: smallRoom, of: width(metric), size: SMALL }),
          )}
        </ul>
      )}
      <footer className={css.foot}>
        <FreshnessIndicator passive />
        <span className={css.title}>{title}</span>
        <span className={css.pages} aria-hidden="true">
          {turnOf(number, pages.length + 1)}
        </span>
        <span>{clockTimeSeconds(second * 1000, timeZone)}</span>
      </footer>
    </main>
  );
}

/** Which page is shown: as dots, or as a number where dots would fill the line. */
function turnOf(number: number, pages: number): string {
  if (pages === 1) return "";
  if (pages > 8) return `${number + 1}/${pages}`;
  return Array.from({ length: pages }, (_, n) => (n === number ? "●" : "○")).join("\u2002");
}

interface TvTileProps {
  metric: Metric;
  shown: Reading;
  /** Digits that fit at the full size, and how many stand there. */
  room: number;
  of: number;
  /** Of a digit, in per cent of the screen's height. */
  size: number;
  staleSince: number | undefined;
}

function TvTile({ metric, shown, room, of, size, staleSince }: TvTileProps) {
  const text = usePageText().tv;
  const shared = useText();
  const second = useSecond();
  const live = staleSince === undefined && !shown.error;
  const { style } = metric;
  const colour = live ? tokenColour(style.statColour) : undefined;
  const weak = live ? tokenColour(style.headlineColour) : undefined;
  const painted = live && style.backgroundColour !== "transparent";
  const sla = size === LARGE ? slaText(metric, shared) : undefined;
  return (
    <li
      className={painted ? `${css.tile} ${css.painted}` : css.tile}
      data-metric={metric.name}
      data-style={style.styleName}
      style={{
        // Room for the number, and for its name, whose letters are small.
        flexGrow: Math.max(digits(shown.text), 0.4 + 0.18 * metric.label.length),
        // The style's text colours are made for its background: one without the other can't be read.
        background: live ? tokenColour(style.backgroundColour) : undefined,
      }}
    >
      <span className={css.label} data-part="label" style={{ color: weak }}>
        {metric.label}
      </span>
      <span
        className={shown.error ? `${css.value} ${css.none}` : css.value}
        data-part="value"
        style={{
          color: colour,
          // What is too long for the whole screen gets smaller; none is cut.
          fontSize: of > room ? `${(size * room) / of}vh` : undefined,
        }}
      >
        {shown.text}
      </span>
      <span className={css.sign} data-part="sign" style={{ color: colour }}>
        {staleSince !== undefined
          ? shared.ageOld(shared.span(age(staleSince, second * 1000)))
          : shown.error
            ? text.noData
            : shown.sign && `${shown.sign.mark} ${shown.sign.text}`}
      </span>
      {sla && (
        <span className={css.sla} style={{ color: weak }}>
          {sla}
        </span>
      )}
      {size === LARGE && (
        <Sparkline
          name={metric.name}
          limit={metric.threshold?.limit}
          height={Math.round(innerHeight * 0.1)}
          thick={Math.max(2, innerHeight * 0.003)}
          colour={painted ? colour : undefined}
        />
      )}
    </li>
  );
}

function UrgentQueues() {
  const text = usePageText().tv;
  const session = useSession();
  const columns = useColumns(session);
  const figuresOf = useFigures(useServiceLevels(session));
  // Each takes the room of three digits, at least.
  const fitting = Math.floor((capacity(innerWidth, innerHeight) * LARGE) / SMALL / 3);
  const rows = useQueueRows({ sort: SORT, columns, figuresOf }).slice(
    0,
    Math.max(1, Math.min(QUEUES, fitting)),
  );
  return (
    <ul className={css.turning} data-part="turning" aria-label={text.urgent}>
      {rows.map(({ item, all }) => (
        <li
          key={item.sid}
          className={`${css.tile} ${css.queue} ${item.realTimeStatsMessage ? css.stale : ""}`}
        >
          <span className={css.label}>
            {item.friendlyName} <small>{text.waiting}</small>
          </span>
          <span className={css.value} data-part="value">
            {all.pending ?? "–"}
          </span>
        </li>
      ))}
    </ul>
  );
}
