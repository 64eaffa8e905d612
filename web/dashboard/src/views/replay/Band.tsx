/** The red band of a replay: that this is not now, which moment it is, and how to move through time. */
import { addDays, dateOf, localDay, wallTime } from "@taskrouter-sync/shared/format/localDays.ts";
import { clockTimeSeconds } from "@taskrouter-sync/shared/format/time.ts";
import { useEffect, useState } from "react";
import { momentName } from "../../history/dates.ts";
import { useHistoryText } from "../../locales/history/index.ts";
import { instantOf } from "../report/query.ts";
import css from "./Replay.module.css";
import { SPEEDS, type Speed } from "./replayClock.ts";
import type { Replay } from "./useReplay.ts";

const MINUTE_MS = 60_000;
const SCRUB_S = 10;

interface BandProps {
  replay: Replay;
  timeZone: string;
  present: number;
  view: string;
  views: readonly { id: string; label: string }[];
  onView(id: string): void;
}

/** `2026-11-30T10:15` for a field. */
const wallText = (moment: number, timeZone: string) =>
  new Date(wallTime(moment, timeZone)).toISOString().slice(0, 16);

export function Band({ replay, timeZone, present, view, views, onView }: BandProps) {
  const text = useHistoryText();
  const words = text.replay;
  const { clock, moment } = replay;
  const day = localDay(dateOf(moment, timeZone), timeZone);
  const name = momentName(moment, text.locale, timeZone);
  const sameTime = (days: number) => {
    const wall = wallText(moment, timeZone);
    replay.seek(instantOf(`${addDays(wall.slice(0, 10), days)}${wall.slice(10)}`, timeZone));
  };
  // The field holds what is typed until it is complete.
  const [typed, setTyped] = useState<string>();
  const minute = wallText(moment, timeZone);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was typed ends with a move to another minute
  useEffect(() => setTyped(undefined), [minute]);

  return (
    <section className={css.band} aria-label={words.notNow} data-testid="replay-band">
      <div className={css.title}>
        <strong>
          <span aria-hidden="true">■ </span>
          {words.notNow}
        </strong>
        <span data-part="moment">{name}</span>
        <span role="status" className={css.said}>
          {clock.playing
            ? words.times(clock.speed)
            : replay.answer?.known && words.shows(momentName(moment, text.locale, timeZone, false))}
        </span>
      </div>
      <div className={css.moves}>
        <input
          type="datetime-local"
          aria-label={words.time}
          value={typed ?? minute}
          max={wallText(present, timeZone)}
          onChange={(event) => {
            setTyped(event.target.value);
            if (event.target.value) replay.seek(instantOf(event.target.value, timeZone));
          }}
        />
        <Move label={words.dayBefore} onClick={() => sameTime(-1)}>
          «
        </Move>
        <Move label={words.back} onClick={() => replay.seek(moment - MINUTE_MS)}>
          ‹
        </Move>
        <button type="button" className={css.play} onClick={() => replay.play(!clock.playing)}>
          <span aria-hidden="true">{clock.playing ? "❚❚ " : "▶ "}</span>
          {clock.playing ? words.pause : words.play}
        </button>
        <Move label={words.forth} onClick={() => replay.seek(moment + MINUTE_MS)}>
          ›
        </Move>
        <Move label={words.dayAfter} onClick={() => sameTime(1)}>
          »
        </Move>
        <select
          aria-label={words.speed}
          value={clock.speed}
          onChange={(event) => replay.speed(Number(event.target.value) as Speed)}
        >
          {SPEEDS.map((speed) => (
            <option key={speed} value={speed}>
              {words.times(speed)}
            </option>
          ))}
        </select>
        <fieldset className={css.views} aria-label={words.views}>
          {views.map(({ id, label }) => (
            <button key={id} type="button" aria-pressed={view === id} onClick={() => onView(id)}>
              {label}
            </button>
          ))}
        </fieldset>
        <a className={css.now} href="#/wallboard">
          {words.now}
        </a>
      </div>
      <input
        type="range"
        className={css.scrub}
        aria-label={words.scrub}
        aria-valuetext={clockTimeSeconds(moment, timeZone)}
        min={0}
        max={(day.end - day.start) / 1000 - SCRUB_S}
        step={SCRUB_S}
        value={Math.floor((moment - day.start) / 1000)}
        onChange={(event) => replay.seek(day.start + Number(event.target.value) * 1000)}
        onKeyDown={(event) => {
          if (event.key !== " ") return;
          event.preventDefault();
          replay.play(!clock.playing);
        }}
      />
    </section>
  );
}

interface MoveProps {
  label: string;
  onClick(): void;
  children: string;
}

function Move({ label, onClick, children }: MoveProps) {
  return (
    <button type="button" aria-label={label} onClick={onClick}>
      <span aria-hidden="true">{children}</span>
    </button>
  );
}
