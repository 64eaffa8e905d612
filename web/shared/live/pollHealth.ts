/** Polls the service's health every five seconds, less often while it does not answer. */
import type { HealthAnswer } from "../api/types.ts";

export const HEALTH_MS = 5000;
const LONGEST_PAUSE_MS = 30_000;

export interface HealthListener {
  answer(answer: HealthAnswer): void;
  /** `retryAt`: when the next poll starts; this clock. */
  silent(retryAt: number): void;
}

export function pollHealth(
  read: (signal: AbortSignal) => Promise<HealthAnswer>,
  listener: HealthListener,
): () => void {
  let stopped = false;
  let failures = 0;
  let abort = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const poll = async () => {
    timer = undefined;
    abort = new AbortController();
    const limit = setTimeout(() => abort.abort(), HEALTH_MS);
    let pause = HEALTH_MS;
    try {
      const answer = await read(abort.signal);
      if (stopped) return;
      failures = 0;
      listener.answer(answer);
    } catch {
      if (stopped) return;
      // The first two retries come quickly, so that silence shows within two intervals.
      pause = Math.min(LONGEST_PAUSE_MS, HEALTH_MS * 2 ** Math.max(0, failures - 1));
      failures += 1;
      listener.silent(Date.now() + pause);
    } finally {
      clearTimeout(limit);
    }
    timer = setTimeout(() => void poll(), pause);
  };
  const hurry = () => {
    if (failures === 0 || timer === undefined) return;
    clearTimeout(timer);
    timer = setTimeout(() => void poll(), 0);
  };
  addEventListener("online", hurry);
  void poll();
  return () => {
    stopped = true;
    removeEventListener("online", hurry);
    clearTimeout(timer);
    abort.abort();
  };
}
