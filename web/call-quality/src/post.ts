/** Sends an alert to the service's `POST /respond-to-issue`. */
import type { Alert } from "./watch.ts";

const TRIES = 3;
const FIRST_PAUSE_MS = 1000;
const PATIENCE_MS = 10_000;

export interface PostOptions {
  /** For tests, and for pages that wrap it. */
  fetch?: typeof fetch;
  pause?(ms: number): Promise<void>;
}

/**
 * `service` is the service's public address; `token` tells the Flex user's token when it is needed, since a token ends
 * sooner than an agent's day. A service that is away for a moment is tried again; a refusal is an error at once.
 */
export function postTo(
  service: string,
  token: () => string,
  { fetch: send = (...args) => fetch(...args), pause = sleep }: PostOptions = {},
): (alert: Alert) => Promise<void> {
  const address = `${service.replace(/\/+$/, "")}/respond-to-issue`;
  return async (alert) => {
    for (let tried = 1; ; tried += 1) {
      const failure = await attempt(send, address, JSON.stringify({ ...alert, Token: token() }));
      if (!failure) return;
      if (!failure.again || tried === TRIES) throw new Error(failure.why);
      await pause(FIRST_PAUSE_MS * 2 ** (tried - 1));
    }
  };
}

async function attempt(
  send: typeof fetch,
  address: string,
  body: string,
): Promise<{ why: string; again: boolean } | undefined> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), PATIENCE_MS);
  try {
    const response = await send(address, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
      credentials: "omit",
      // The page may be on its way out when a call ends.
      keepalive: true,
      signal: abort.signal,
    });
    if (response.ok) return undefined;
    const told = (await response.json().catch(() => null)) as { message?: string } | null;
    const why = `${address} answered ${response.status}${told?.message ? `: ${told.message}` : ""}`;
    return { why, again: response.status >= 500 || response.status === 429 };
  } catch (error) {
    return {
      why: `${address} does not answer: ${error instanceof Error ? error.message : error}`,
      again: true,
    };
  } finally {
    clearTimeout(timer);
  }
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
