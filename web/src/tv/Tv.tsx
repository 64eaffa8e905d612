/**
 * TV mode (`?tv=1`): few numbers, legible at six metres; pages turn by themselves. `&turn=20` sets the seconds a page
 * stays. Nothing is asked of anybody: a lost network is said at the foot, and mended without a hand.
 */
import { useEffect, useMemo } from "react";
import { clockTimeSeconds, span, tokenColour } from "../format.ts";
import { age } from "../live/clock.ts";
import { useBoard, useFrozen, useSecond } from "../live/store.ts";
import { columnsOf } from "../queues/columns.ts";
import { useLines } from "../queues/QueueTable.tsx";
import { FeedLight } from "../shell/FeedLight.tsx";
import { useSession } from "../shell/session.ts";
import type { Metric } from "../types.ts";
import { useDefinitions } from "../wallboard/definitions.ts";
import { Spark } from "../wallboard/Spark.tsx";
import { reading } from "../wallboard/Tile.tsx";
import { limitOf } from "../wallboard/threshold.ts";
import { capacity, digits, pack, shift, shorten } from "./pages.ts";

const TURN_S = 15;
const QUEUES = 3;
const SORT = { down: true };

export default function Tv() {
  const session = useSession();
  const board = useBoard();
  const frozen = useFrozen();
  const second = useSecond();
  const definitions = useDefinitions();
  const columns = useMemo(() => columnsOf(session), [session]);
  const lines = useLines(SORT, columns, "").slice(0, QUEUES);

  useEffect(() => {
    document.body.classList.add("tv-body");
    document.title = "TV · Contact centre";
    const awake = () => void navigator.wakeLock?.request("screen").catch(() => undefined);
    awake();
    document.addEventListener("visibilitychange", awake);
    return () => {
      document.body.classList.remove("tv-body");
      document.removeEventListener("visibilitychange", awake);
    };
  }, []);

  const now = Math.min(second * 1000, frozen ?? Number.POSITIVE_INFINITY);
  const text = (metric: Metric) => {
    const definition = definitions.all?.[metric.name]?.metric;
    const shown = reading(metric, definition, now, session.timeZone);
    return { ...shown, text: shorten(shown.text), definition };
  };
  const room = capacity(innerWidth, innerHeight);
  const pages = pack(board?.metrics ?? [], (metric) => digits(text(metric).text), room);
  const turn = Math.max(3, Number(new URLSearchParams(location.search).get("turn")) || TURN_S);
  const number = pages.length === 0 ? 0 : Math.floor(second / turn) % pages.length;
  const page = pages[number] ?? [];
  const [x, y] = shift(Math.floor(second / 60));

  return (
    <main
      className={frozen === undefined ? "tv" : "tv frozen"}
      style={{ transform: `translate(${x}px, ${y}px)` }}
    >
      <h1 className="sr">Contact centre</h1>
      <ul className="tv-tiles">
        {page.map((metric) => {
          const shown = text(metric);
          const live = frozen === undefined && !shown.error;
          return (
            <li
              key={metric.name}
              className="tv-tile"
              data-metric={metric.name}
              style={{ flexGrow: digits(shown.text) }}
            >
              <span className="tv-label">{metric.label}</span>
              <span
                className={shown.error ? "tv-value none" : "tv-value"}
                style={{
                  color: live ? tokenColour(metric.style.statColour) : undefined,
                  // A text too long for the whole screen gets smaller; none is cut.
                  fontSize: digits(shown.text) > room ? `${(21 * room) / digits(shown.text)}vh` : undefined,
                }}
              >
                {shown.text}
              </span>
              <span
                className="tv-sign"
                style={{ color: live ? tokenColour(metric.style.statColour) : undefined }}
              >
                {frozen !== undefined
                  ? `${span(age(frozen, second * 1000))} old`
                  : shown.error
                    ? "no data"
                    : shown.sign && `${shown.sign.mark} ${shown.sign.text}`}
              </span>
              {metric.sla && <span className="tv-sla">{metric.sla}</span>}
              <Spark
                name={metric.name}
                limit={limitOf(shown.definition?.secondThresholdValue)}
                height={Math.round(innerHeight * 0.13)}
                thick={3}
              />
            </li>
          );
        })}
      </ul>
      <ul className="tv-queues" aria-label="Queues that need somebody most: tasks waiting">
        {lines.map(({ item, all }) => (
          <li key={item.sid} className={item.realTimeStatsMessage ? "tv-tile frozen" : "tv-tile"}>
            <span className="tv-label">
              {item.friendlyName} <small>waiting</small>
            </span>
            <span className="tv-value">{all.pending ?? "–"}</span>
          </li>
        ))}
      </ul>
      <footer className="tv-foot">
        <FeedLight silent />
        <span className="tv-pages" aria-hidden="true">
          {pages.length > 1 && pages.map((_, n) => (n === number ? "●" : "○")).join(" ")}
        </span>
        <span>{clockTimeSeconds(second * 1000, session.timeZone)}</span>
      </footer>
    </main>
  );
}
