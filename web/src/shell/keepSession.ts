/**
 * Reads the session, and again now and then: each reading keeps this screen signed in, and brings what the service's
 * next start has configured otherwise. A wall has nobody to sign in or to load the page anew.
 */
import { ApiError } from "../api.ts";
import type { Session } from "../types.ts";

const AGAIN_MS = 5 * 60_000;
const RETRY_MS = 3000;
const LATER_RETRY_MS = 30_000;

export interface SessionTold {
  /** Only when something else than the token against forgery changed. */
  session(session: Session): void;
  /** Only before the first session. */
  trouble(message: string): void;
}

export function keepSession(read: () => Promise<Session>, told: SessionTold): () => void {
  let stopped = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let known: string | undefined;
  const attempt = async () => {
    let pause = AGAIN_MS;
    try {
      const session = await read();
      if (stopped) return;
      const now = JSON.stringify({ ...session, csrfToken: "" });
      if (now !== known) told.session(session);
      known = now;
    } catch (error) {
      // The sign-in form is on its way.
      if (stopped || (error instanceof ApiError && error.status === 401)) return;
      if (known === undefined) told.trouble(error instanceof Error ? error.message : String(error));
      pause = known === undefined ? RETRY_MS : LATER_RETRY_MS;
    }
    timer = setTimeout(() => void attempt(), pause);
  };
  void attempt();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
