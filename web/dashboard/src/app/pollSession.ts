/**
 * Polls the session: each poll keeps this screen signed in, and brings what the service's next start has configured
 * otherwise.
 */
import { ApiError, messageOf } from "@taskrouter-sync/shared/api/errors.ts";
import type { Session } from "@taskrouter-sync/shared/api/types.ts";

const AGAIN_MS = 5 * 60_000;
const RETRY_MS = 3000;
const LATER_RETRY_MS = 30_000;

export interface SessionListener {
  /** Only when something other than the CSRF token changed. */
  session(session: Session): void;
  /** Only before the first session. */
  trouble(message: string): void;
  /** After each poll but the first. */
  polled?(): void;
}

export function pollSession(
  read: (signal: AbortSignal) => Promise<Session>,
  listener: SessionListener,
): () => void {
  const abort = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let known: string | undefined;
  const attempt = async () => {
    let pause = AGAIN_MS;
    try {
      const session = await read(abort.signal);
      if (abort.signal.aborted) return;
      const now = JSON.stringify({ ...session, csrfToken: "" });
      if (now !== known) listener.session(session);
      if (known !== undefined) listener.polled?.();
      known = now;
    } catch (error) {
      // At a 401 the sign-in form is on its way.
      if (abort.signal.aborted || (error instanceof ApiError && error.status === 401)) return;
      if (known === undefined) listener.trouble(messageOf(error));
      pause = known === undefined ? RETRY_MS : LATER_RETRY_MS;
    }
    timer = setTimeout(() => void attempt(), pause);
  };
  void attempt();
  return () => {
    abort.abort();
    clearTimeout(timer);
  };
}
