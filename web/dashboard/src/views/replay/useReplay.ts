/** Reads the moments of a replay one after the other, and keeps the store that the views are drawn from. */
import { messageOf } from "@taskrouter-sync/shared/api/errors.ts";
import { historyApi, type Moment } from "@taskrouter-sync/shared/api/history.ts";
import { createLive, type Live } from "@taskrouter-sync/shared/live/store.ts";
import { useText } from "@taskrouter-sync/shared/locales/index.ts";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useClient } from "../../base/session.ts";
import {
  change,
  isJump,
  momentOf,
  pauseMs,
  type ReplayClock,
  type Speed,
  seek,
  shownMoment,
  standing,
} from "./replayClock.ts";
import { MomentSource, PastCurves, pastEnvironment } from "./replayLive.ts";

export interface Replay {
  clock: ReplayClock;
  /** The moment that is asked for or shown. */
  moment: number;
  live: Live | undefined;
  answer: Moment | undefined;
  error: string | undefined;
  /** The present was reached. */
  ended: boolean;
  seek(moment: number): void;
  play(playing: boolean): void;
  speed(speed: Speed): void;
  retry(): void;
}

interface Shown {
  live: Live;
  source: MomentSource;
  answer: Moment;
  at: number;
  stop(): void;
}

export function useReplay(begin: number, present: () => number, timeZone: string, enabled: boolean): Replay {
  const client = useClient();
  const text = useText();
  const api = useMemo(() => historyApi(client), [client]);
  const curves = useMemo(() => new PastCurves(api, timeZone, present), [api, timeZone, present]);
  const [clock, setClock] = useState(() => standing(Math.min(begin, present()), Date.now()));
  const [shown, setShown] = useState<Shown>();
  const [error, setError] = useState<string>();
  const [attempt, setAttempt] = useState(0);
  const [, tick] = useState(0);
  const current = useRef(clock);
  current.current = clock;
  const newest = useRef<Shown>();

  const now = useCallback(
    () => shownMoment(current.current, newest.current?.at ?? current.current.moment, Date.now(), present()),
    [present],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new attempt reads again
  useEffect(() => {
    if (!enabled) return undefined;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const show = (answer: Moment, at: number) => {
      const before = newest.current;
      if (before && !isJump(before.at, at, clock)) {
        newest.current = { ...before, answer, at };
        before.source.show(answer);
      } else {
        const source = new MomentSource(answer, now);
        const live = createLive({
          source,
          client: { history: (name) => curves.until(name, at) },
          clock: pastEnvironment(now),
          timeZone,
          text,
        });
        // Started before it is drawn, so that its numbers are there at once.
        newest.current = { live, source, answer, at, stop: live.start() };
        before?.stop();
      }
      setShown(newest.current);
    };
    const read = async () => {
      const at = Math.floor(momentOf(clock, Date.now(), present()) / 1000) * 1000;
      try {
        const answer = await api.at(at, abort.signal);
        if (abort.signal.aborted) return;
        show(answer, at);
        setError(undefined);
      } catch (problem) {
        if (abort.signal.aborted) return;
        setError(messageOf(problem));
      }
      if (!clock.playing) return;
      if (at >= present() - 1000) setClock(change(clock, { playing: false }, Date.now(), present()));
      else timer = setTimeout(() => void read(), pauseMs(clock));
    };
    // Of the moments that a slider passes, the last is asked for.
    timer = setTimeout(() => void read(), newest.current && !clock.playing ? 80 : 0);
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [api, clock, curves, enabled, now, present, text, timeZone, attempt]);

  useEffect(
    () => () => {
      newest.current?.stop();
      newest.current = undefined;
    },
    [],
  );

  useEffect(() => {
    if (!clock.playing) return undefined;
    const timer = setInterval(() => tick((n) => n + 1), 250);
    return () => clearInterval(timer);
  }, [clock.playing]);

  const local = Date.now();
  const moment = momentOf(clock, local, present());
  return {
    clock,
    moment,
    live: shown?.live,
    answer: shown?.answer,
    error,
    ended: !clock.playing && moment >= present() - 2000,
    seek: (to) => setClock((before) => seek(before, to, Date.now(), present())),
    play: (playing) => setClock((before) => change(before, { playing }, Date.now(), present())),
    speed: (speed) => setClock((before) => change(before, { speed }, Date.now(), present())),
    retry: () => setAttempt((n) => n + 1),
  };
}
