/** The report's rows, a page at a time: the first one at once, the others as they come into sight or are exported. */
import { messageOf } from "@taskrouter-sync/shared/api/errors.ts";
import {
  historyApi,
  type IntervalQuery,
  type IntervalRow,
  type Intervals,
} from "@taskrouter-sync/shared/api/history.ts";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useClient } from "../../base/session.ts";

const FIRST_ROWS = 1000;
const MORE_ROWS = 5000;
/** More rows than this are no report that a browser can hold. */
export const MOST_ROWS = 500_000;

export interface Pages {
  answer: Intervals | undefined;
  rows: readonly IntervalRow[];
  more: boolean;
  /** Rows of another query, while the one that is asked for is read. */
  reading: boolean;
  error: string | undefined;
  retry(): void;
  loadMore(): void;
  /** All rows; undefined where there are too many. */
  loadAll(signal?: AbortSignal): Promise<readonly IntervalRow[] | undefined>;
}

interface Loaded {
  query: string;
  answer: Intervals;
  rows: IntervalRow[];
}

export function usePages(query: IntervalQuery | undefined): Pages {
  const client = useClient();
  const api = useMemo(() => historyApi(client), [client]);
  const [loaded, setLoaded] = useState<Loaded>();
  const [failure, setFailure] = useState<{ query: string; reason: string }>();
  const [attempt, setAttempt] = useState(0);
  const key = JSON.stringify(query ?? null);
  const newest = useRef(loaded);
  newest.current = loaded;
  const loading = useRef(false);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new attempt reads again
  useEffect(() => {
    const asked = JSON.parse(key) as IntervalQuery | null;
    if (!asked) return undefined;
    const abort = new AbortController();
    setFailure(undefined);
    const began = performance.now();
    api.intervals({ ...asked, limit: FIRST_ROWS }, abort.signal).then(
      (answer) => {
        if (abort.signal.aborted) return;
        setLoaded({ query: key, answer, rows: answer.rows });
        requestAnimationFrame(() => performance.measure("report-page", { start: began }));
      },
      (error: unknown) => {
        if (!abort.signal.aborted) setFailure({ query: key, reason: messageOf(error) });
      },
    );
    return () => abort.abort();
  }, [api, key, attempt]);

  /** The page after what is loaded, joined to it. */
  const next = useCallback(
    async (to: Loaded, signal?: AbortSignal): Promise<Loaded> => {
      const asked = JSON.parse(to.query) as IntervalQuery;
      const cursor = to.answer.next ?? "";
      const page = await api.intervals({ ...asked, cursor, limit: MORE_ROWS }, signal);
      const joined = {
        query: to.query,
        answer: { ...to.answer, next: page.next },
        rows: [...to.rows, ...page.rows],
      };
      if (newest.current?.query === to.query && newest.current.rows.length < joined.rows.length) {
        newest.current = joined;
        setLoaded(joined);
      }
      return joined;
    },
    [api],
  );

  const loadMore = useCallback(() => {
    const { current } = newest;
    if (!current?.answer.next || loading.current) return;
    loading.current = true;
    next(current)
      .catch((error: unknown) => setFailure({ query: current.query, reason: messageOf(error) }))
      .finally(() => {
        loading.current = false;
      });
  }, [next]);

  const loadAll = useCallback(
    async (signal?: AbortSignal) => {
      let { current } = newest;
      while (current?.answer.next) {
        if (current.rows.length >= MOST_ROWS) return undefined;
        current = await next(current, signal);
      }
      return current?.rows ?? [];
    },
    [next],
  );

  const retry = useCallback(() => {
    setFailure(undefined);
    if (newest.current?.answer.next && newest.current.query === key) loadMore();
    else setAttempt((n) => n + 1);
  }, [key, loadMore]);

  return {
    answer: loaded?.answer,
    rows: loaded?.rows ?? NONE,
    more: loaded?.answer.next != null,
    reading: query !== undefined && loaded?.query !== key,
    error: failure?.query === key ? failure.reason : undefined,
    retry,
    loadMore,
    loadAll,
  };
}

const NONE: readonly IntervalRow[] = [];
