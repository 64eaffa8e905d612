/**
 * The curve of a day of a queue or a tile, with the day before, the same day a week before and the average of the last
 * four of that weekday behind it. The readout below is the legend: what the crosshair points at, line by line.
 */
import type { Measure } from "@taskrouter-sync/shared/api/history.ts";
import { compactDuration, isSpan } from "@taskrouter-sync/shared/format/duration.ts";
import { dateOf, localDay } from "@taskrouter-sync/shared/format/localDays.ts";
import { metricText, rounded } from "@taskrouter-sync/shared/format/number.ts";
import { clockTime, clockTimeSeconds } from "@taskrouter-sync/shared/format/time.ts";
import { useLiveStore } from "@taskrouter-sync/shared/live/react.tsx";
import { useCallback, useMemo, useRef, useState } from "react";
import { useSession } from "../base/session.ts";
import { useHistoryText } from "../locales/history/index.ts";
import { replayAddress } from "./addresses.ts";
import { DayControls, SeriesControls, ZoomControls } from "./CurveControls.tsx";
import { DayPlot, type DayPlotProps, KINDS, type Kind, LINES, type Limit } from "./DayPlot.tsx";
import { dayName, weekdayName } from "./dates.ts";
import { GapList } from "./GapList.tsx";
import { HistoryNotice, Unreadable } from "./HistoryNotice.tsx";
import { useHistoryState } from "./HistoryState.tsx";
import css from "./history.module.css";
import { localNumber } from "./numbers.ts";
import { extentOf, type Values, zoomed } from "./series.ts";
import { SMOOTH_S, useCurves, valuesOf } from "./useCurves.ts";
import { gapsOf, type Subject, useDays } from "./useDays.ts";
import { WhyUnknown } from "./WhyUnknown.tsx";

export type CurveSubject =
  | { kind: "queue"; sid: string; name: string; channel: string }
  | { kind: "metric"; metric: string; name: string; format: string; limits: readonly Limit[] };

interface DayCurveProps {
  subject: CurveSubject;
  height: number;
  /** What else stands in the row of controls. */
  children?: React.ReactNode;
}

/** A mean of days has this many decimals. */
const MEAN_PLACES = 1;
const ALL_SHOWN: Readonly<Record<Kind, boolean>> = {
  day: true,
  dayBefore: true,
  weekBefore: true,
  average: true,
};

const formatOf = (measure: Measure) =>
  measure === "oldest" ? "seconds" : measure === "serviceLevel" ? "percent" : "";

export function DayCurve({ subject, height, children }: DayCurveProps) {
  const text = useHistoryText();
  const words = text.curve;
  const live = useLiveStore();
  const { timeZone, channels, slaThresholds } = useSession();
  const state = useHistoryState();
  const zone = state?.timezone ?? timeZone;
  const today = dateOf(live.now(), zone);
  const [date, setDate] = useState(today);
  const [channel, setChannel] = useState(subject.kind === "queue" ? subject.channel : "all");
  const [measure, setMeasure] = useState<Measure>("waiting");
  const [shown, setShown] = useState(ALL_SHOWN);
  const [zoom, setZoom] = useState<[number, number]>();
  /** Where the crosshair was put; its index moves when finer points arrive. */
  const [crosshair, setCrosshair] = useState<number>();
  const began = useRef(performance.now());

  const day = useMemo(() => localDay(date, zone), [date, zone]);
  const asked = useMemo<Subject>(
    () => (subject.kind === "queue" ? { queue: subject.sid, channel } : { metric: subject.metric }),
    [subject, channel],
  );
  const days = useDays(asked, date, zone, live.now, zoom);
  const { times, curves } = useCurves(days, day, zone, measure, zoom === undefined);
  const weekdays = days.weeks.filter((week) =>
    valuesOf(week, measure)?.some((value) => value !== null),
  ).length;

  const format = subject.kind === "metric" ? subject.format : formatOf(measure);
  const unit = useCallback(
    (value: number | null, places = MEAN_PLACES) => {
      if (value === null) return "–";
      if (format === "") return localNumber(value, text.locale, 0, Math.abs(value) < 1000 ? places : 0);
      const exact = isSpan(format) || Number.isInteger(value) ? value : Number(rounded(value, places));
      return compactDuration(metricText(format, exact, zone) ?? String(exact));
    },
    [format, zone, text.locale],
  );
  const limits = useMemo<Limit[]>(() => {
    if (subject.kind === "queue")
      return measure === "oldest" ? slaThresholds.map((value) => ({ value })) : [];
    // The history has only those that the tile passed on the day.
    const passed = days.day && "thresholds" in days.day ? days.day.thresholds : [];
    return [...passed, ...subject.limits.filter(({ value }) => passed.every((one) => one.value !== value))];
  }, [subject, measure, slaThresholds, days.day]);
  const gaps = useMemo(() => [...gapsOf(days.day)].sort((a, b) => a.from - b.from), [days.day]);

  const go = (to: string) => {
    setZoom(undefined);
    setCrosshair(undefined);
    setDate(to > today ? today : to);
  };
  const [from, to] = zoom ?? [day.start / 1000, day.end / 1000];
  const last = lastKnown(curves.day);
  const at = crosshair === undefined ? undefined : placeOf(times, crosshair);
  const place = at ?? last;
  const setAt = (index: number | undefined) => setCrosshair(index === undefined ? undefined : times[index]);
  const zoomBy = (factor: number) =>
    setZoom(zoomed([from, to], times[place ?? 0] ?? (from + to) / 2, factor, day));
  const move = (steps: number) => {
    const next = Math.max(0, Math.min(times.length - 1, (place ?? 0) + steps));
    setAt(next);
    const time = times[next];
    // What is in sight follows the crosshair.
    if (zoom && time !== undefined && (time < zoom[0] || time > zoom[1])) setZoom(zoomed(zoom, time, 1, day));
  };
  const keys: Record<string, () => void> = {
    ArrowLeft: () => move(-1),
    ArrowRight: () => move(1),
    ArrowDown: () => move(-1),
    ArrowUp: () => move(1),
    PageDown: () => move(-15),
    PageUp: () => move(15),
    Home: () => move(-times.length),
    End: () => setAt(last),
    "+": () => zoomBy(0.5),
    "-": () => zoomBy(2),
    "0": () => setZoom(undefined),
  };
  const labels: Readonly<Record<Kind, string>> = {
    day: date === today ? words.today : dayName(date, text.locale),
    dayBefore: date === today ? words.yesterday : words.dayBefore,
    weekBefore: words.weekBefore,
    average: words.average(weekdayName(date, text.locale), weekdays),
  };
  const time = place === undefined ? undefined : times[place];
  const clock = (seconds: number) => (zoom ? clockTimeSeconds : clockTime)(seconds * 1000, zone);
  const read = (kind: Kind) =>
    place === undefined
      ? "–"
      : kind === "average" && curves.average[place] == null
        ? "–"
        : unit(curves[kind][place] ?? null);
  const extent = extentOf(curves.day);
  const drawn = useCallback(() => {
    // Browsers show it beside their own measures.
    performance.measure("day-curve", { start: began.current });
  }, []);
  const plot: DayPlotProps = {
    times,
    curves,
    shown,
    limits,
    gaps,
    day,
    timeZone: zone,
    height,
    unit,
    spans: isSpan(format),
    zoom,
    onZoom: setZoom,
    at,
    onAt: setAt,
    onDrawn: drawn,
  };

  return (
    <div className={css.curve} data-testid="day-curve">
      <HistoryNotice />
      <div className={css.controls}>
        {subject.kind === "queue" && (
          <SeriesControls
            measure={measure}
            channel={channel}
            channels={channels}
            onMeasure={setMeasure}
            onChannel={setChannel}
          />
        )}
        <DayControls date={date} today={today} onDate={go} />
        <ZoomControls zoomed={zoom !== undefined} onZoom={zoomBy} onWhole={() => setZoom(undefined)} />
        {children}
      </div>
      {days.error !== undefined && <Unreadable reason={days.error} onRetry={days.retry} />}
      {days.day ? (
        <>
          <div
            role="slider"
            tabIndex={0}
            className={css.crosshair}
            aria-label={words.crosshair}
            aria-valuemin={0}
            aria-valuemax={Math.max(0, times.length - 1)}
            aria-valuenow={place ?? 0}
            aria-valuetext={
              time === undefined
                ? words.noValue
                : `${clock(time)}: ${[...KINDS]
                    .reverse()
                    .filter((kind) => shown[kind])
                    .map((kind) => `${labels[kind]} ${read(kind)}`)
                    .join(", ")}`
            }
            data-zoom={zoom ? zoom.map(Math.round).join("-") : undefined}
            onKeyDown={(event) => {
              const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
              if (!act) return;
              event.preventDefault();
              act();
            }}
          >
            <DayPlot {...plot} />
          </div>
          <div className={css.legend}>
            <span className={css.time} data-part="crosshair">
              {time === undefined ? "–" : clock(time)}
            </span>
            {[...KINDS].reverse().map((kind) => (
              <button
                key={kind}
                type="button"
                className={css.key}
                data-kind={kind}
                aria-pressed={shown[kind]}
                onClick={() => setShown({ ...shown, [kind]: !shown[kind] })}
              >
                <LineSample kind={kind} />
                <span>{labels[kind]}</span>
                <span className={css.reading}>{read(kind)}</span>
              </button>
            ))}
            {time !== undefined && (
              <a className={css.replay} href={replayAddress(time * 1000)}>
                {words.replay(clock(time))}
              </a>
            )}
          </div>
          <p className={css.summary}>
            {extent
              ? words.summary(
                  subject.kind === "queue" ? words.measures[measure] : subject.name,
                  dayName(date, text.locale),
                  unit(extent.latest),
                  unit(extent.low),
                  unit(extent.high),
                  gaps.length,
                )
              : date === today
                ? words.notYet
                : words.noDay}{" "}
            {!extent && (
              <WhyUnknown date={date} today={today} queue={"sid" in subject ? subject.sid : undefined} />
            )}
          </p>
          <GapList gaps={gaps} day={day} zone={zone} />
          <p className={css.hint}>
            {!zoom && words.smoothed(SMOOTH_S / 60)} {words.zoomHint}{" "}
            <span className={css.keys}>{words.keysHint}</span>
          </p>
        </>
      ) : (
        days.error === undefined && (
          <p className={css.waiting} style={{ minHeight: height }}>
            {text.loading}
          </p>
        )
      )}
    </div>
  );
}

function LineSample({ kind }: { kind: Kind }) {
  const { width, dash, token } = LINES[kind];
  return (
    <svg className={css.sample} viewBox="0 0 28 8" aria-hidden="true">
      <path d="M0 4H28" stroke={`var(${token})`} strokeWidth={width} strokeDasharray={dash.join(" ")} />
    </svg>
  );
}

function placeOf(times: readonly number[], time: number): number | undefined {
  const after = times.findIndex((one) => one > time);
  const place = (after < 0 ? times.length : after) - 1;
  return place < 0 ? undefined : place;
}

function lastKnown(values: Values): number | undefined {
  for (let n = values.length - 1; n >= 0; n -= 1) if (values[n] != null) return n;
  return undefined;
}
