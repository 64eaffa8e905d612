/** Reads the curves of a day and of the days behind it: the day first, so that it is drawn before the others arrive. */
import { ApiError, messageOf } from "@taskrouter-sync/shared/api/errors.ts";
import {
  type Gap,
  historyApi,
  type MetricCurve,
  type QueueCurve,
} from "@taskrouter-sync/shared/api/history.ts";
import { addDays, dateOf, localDay } from "@taskrouter-sync/shared/format/localDays.ts";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useClient } from "../base/session.ts";

export const STEP_S = 60;
const DETAIL_STEP_S = 10;
/** From this length on a day's points show all that there is to see. */
const DETAIL_S = 3 * 3600;
const AGAIN_MS = 60_000;
const KEPT = 60;
const WEEKS = [1, 2, 3, 4] as const;

/** A queue on a channel, or a tile. */
export type Subject = { queue: string; channel: string } | { metric: string };
export type DayCurveAnswer = QueueCurve | MetricCurve;

export interface Days {
  day: DayCurveAnswer | undefined;
  before: DayCurveAnswer | undefined;
  /** One, two, three and four weeks before, as far as they have been read. */
  weeks: readonly (DayCurveAnswer | undefined)[];
  /** A part of the day in finer steps. */
  detail: DayCurveAnswer | undefined;
  error: string | undefined;
  retry(): void;
}

const NOTHING: DayCurveAnswer = {
  metric: "",
  step: STEP_S,
  timezone: "",
  times: [],
  values: [],
  thresholds: [],
  gaps: [],
};

export const behind = (date: string) => ({
  before: addDays(date, -1),
  weeks: WEEKS.map((n) => addDays(date, -7 * n)),
});

export const gapsOf = (answer: DayCurveAnswer | undefined): readonly Gap[] => answer?.gaps ?? [];

export function useDays(
  subject: Subject,
  date: string,
  timeZone: string,
  now: () => number,
  zoom: readonly [number, number] | undefined,
): Days {
  const client = useClient();
  const kept = useRef(new Map<string, DayCurveAnswer>());
  const [, redraw] = useState(0);
  const [failure, setFailure] = useState<{ key: string; reason: string }>();
  const [attempt, setAttempt] = useState(0);
  const key = JSON.stringify(subject);
  const keyOf = useCallback((of: string) => `${key} ${of}`, [key]);

  const request = useCallback(
    (from: number, to: number, step: number, signal: AbortSignal): Promise<DayCurveAnswer> => {
      const of = JSON.parse(key) as Subject;
      const api = historyApi(client);
      const query = { from, to, step };
      return "queue" in of
        ? api.queue(of.queue, of.channel, query, signal)
        : api.metric(of.metric, query, signal);
    },
    [client, key],
  );
  const keep = useCallback((name: string, answer: DayCurveAnswer) => {
    kept.current.delete(name);
    kept.current.set(name, answer);
    if (kept.current.size > KEPT) kept.current.delete(kept.current.keys().next().value ?? "");
    redraw((n) => n + 1);
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new attempt reads again
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = async (of: string, again: boolean) => {
      if (!again && kept.current.has(keyOf(of))) return;
      const { start, end } = localDay(of, timeZone);
      const answer = await request(start, end, STEP_S, abort.signal).catch((error: unknown) => {
        // A new queue or tile has no history yet.
        if (error instanceof ApiError && error.status === 404) return NOTHING;
        throw error;
      });
      if (!abort.signal.aborted) keep(keyOf(of), answer);
    };
    const present = date === dateOf(now(), timeZone);
    const follow = async () => {
      try {
        if (document.visibilityState !== "hidden") await read(date, true);
      } catch {
        // What is drawn stays; the page's own indicator shows that the service is away.
      }
      if (!abort.signal.aborted) timer = setTimeout(() => void follow(), AGAIN_MS);
    };
    void (async () => {
      try {
        await read(date, present);
        if (abort.signal.aborted) return;
        setFailure(undefined);
        // The day is drawn before the others are asked for.
        await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));
        const { before, weeks } = behind(date);
        const others = kept.current.get(keyOf(date)) === NOTHING ? [] : [before, ...weeks];
        await Promise.all(others.map((of) => read(of, false)));
      } catch (error) {
        if (!abort.signal.aborted) setFailure({ key, reason: messageOf(error) });
      }
      if (present && !abort.signal.aborted) timer = setTimeout(() => void follow(), AGAIN_MS);
    })();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [key, keyOf, date, timeZone, request, keep, attempt]);

  const fine = zoom !== undefined && zoom[1] - zoom[0] <= DETAIL_S;
  const [from, to] = fine ? zoom : [0, 0];
  const detailName = keyOf(`${from} ${to}`);
  useEffect(() => {
    if (!fine || kept.current.has(detailName)) return undefined;
    const abort = new AbortController();
    request(from * 1000, to * 1000, DETAIL_STEP_S, abort.signal).then(
      (answer) => !abort.signal.aborted && keep(detailName, answer),
      () => undefined,
    );
    return () => abort.abort();
  }, [fine, from, to, detailName, request, keep]);

  const retry = useCallback(() => {
    setFailure(undefined);
    setAttempt((n) => n + 1);
  }, []);
  const { before, weeks } = useMemo(() => behind(date), [date]);
  const known = (of: string) => kept.current.get(keyOf(of));
  return {
    day: known(date),
    before: known(before),
    weeks: weeks.map(known),
    detail: fine ? kept.current.get(detailName) : undefined,
    error: failure?.key === key ? failure.reason : undefined,
    retry,
  };
}
