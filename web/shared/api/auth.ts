/** How requests prove who sends them: the page's session cookie, or a Flex user's token. */
import type { Session } from "./types.ts";

export interface Auth {
  readonly credentials: RequestCredentials;
  /** Headers of a request; `write` is true for requests that change something. */
  headers(write: boolean): Record<string, string> | Promise<Record<string, string>>;
  /** Takes what the service says of the session, such as the CSRF token. */
  remember?(session: Session): void;
}

/** The session cookie of this host, with the CSRF token that `/api/session` hands out. */
export function cookieSession(): Auth {
  let csrfToken = "";
  return {
    credentials: "same-origin",
    // The first header keeps browsers from asking for a password by themselves: this page has a form for that.
    headers: (write): Record<string, string> => ({
      "X-Requested-With": "taskrouter-sync",
      ...(write ? { "X-CSRF-Token": csrfToken } : {}),
    }),
    remember(session) {
      csrfToken = session.csrfToken;
    },
  };
}

/** A Flex user's token, asked for before each request because Flex renews it. No cookie is sent. */
export function flexToken(token: () => string | Promise<string>): Auth {
  return {
    credentials: "omit",
    headers: async () => ({ token: await token() }),
  };
}
