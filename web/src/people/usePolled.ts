/** Reads a list every five seconds while its view is open; the last list stays while a reading fails. */
import { useEffect, useState } from "react";

const EVERY_MS = 5000;

export interface Polled<T> {
  items: T[] | undefined;
  /** Since when readings fail (this clock, milliseconds), and why. */
  failing: { since: number; reason: string } | undefined;
}

export function usePolled<T>(read: (signal: AbortSignal) => Promise<T[]>): Polled<T> {
  const [items, setItems] = useState<T[]>();
  const [failing, setFailing] = useState<Polled<T>["failing"]>();
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const poll = async () => {
      try {
        setItems(await read(abort.signal));
        setFailing(undefined);
      } catch (error) {
        if (abort.signal.aborted) return;
        const reason = error instanceof Error ? error.message : String(error);
        setFailing((before) => before ?? { since: Date.now(), reason });
      }
      if (!abort.signal.aborted) timer = setTimeout(poll, EVERY_MS);
    };
    void poll();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [read]);
  return { items, failing };
}
