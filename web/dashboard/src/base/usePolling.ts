/**
 * Polls a list, by default every five seconds, while its view can be seen; the last list stays while polls fail. A hidden tab does not
 * poll, and polls at once when it is shown.
 */
import { messageOf } from "@taskrouter-sync/shared/api/errors.ts";
import { useEffect, useState } from "react";

const EVERY_MS = 5000;

export interface Polled<T> {
  items: T[] | undefined;
  /** Since when polls fail (this clock, milliseconds), and why. */
  failing: { since: number; reason: string } | undefined;
}

export interface PollingListener<T> {
  items(items: T[]): void;
  failing(reason: string): void;
}

export function poll<T>(
  read: (signal: AbortSignal) => Promise<T[]>,
  listener: PollingListener<T>,
  everyMs = EVERY_MS,
): () => void {
  const abort = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running = false;
  const attempt = async () => {
    if (running || document.visibilityState === "hidden") return;
    running = true;
    clearTimeout(timer);
    try {
      const items = await read(abort.signal);
      if (!abort.signal.aborted) listener.items(items);
    } catch (error) {
      if (!abort.signal.aborted) listener.failing(messageOf(error));
    }
    running = false;
    if (!abort.signal.aborted) timer = setTimeout(() => void attempt(), everyMs);
  };
  const shown = () => void attempt();
  document.addEventListener("visibilitychange", shown);
  void attempt();
  return () => {
    abort.abort();
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", shown);
  };
}

export function usePolling<T>(
  read: (signal: AbortSignal) => Promise<T[]>,
  everyMs: number = EVERY_MS,
): Polled<T> {
  const [polled, setPolled] = useState<Polled<T>>({ items: undefined, failing: undefined });
  useEffect(
    () =>
      poll(
        read,
        {
          items: (items) => setPolled({ items, failing: undefined }),
          failing: (reason) =>
            setPolled(({ items, failing }) => ({ items, failing: failing ?? { since: Date.now(), reason } })),
        },
        everyMs,
      ),
    [read, everyMs],
  );
  return polled;
}
