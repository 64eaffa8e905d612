/**
 * The only module that talks to the service: requests, and the feed of changes.
 *
 * A 401 anywhere means that the session is over, and leads to the sign-in form. A failed request is an `ApiError`
 * with the service's own words; nothing is retried here except the feed.
 */
import type { LiveSource } from "./live/source.ts";
import { SseParser } from "./live/sse.ts";
import type {
  Definition,
  Definitions,
  FeedEvent,
  HealthAnswer,
  Points,
  Preview,
  Problem,
  Session,
  SyncToken,
  Task,
  Worker,
} from "./types.ts";

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly problems: Problem[] = [],
  ) {
    super(message);
  }
}

let csrfToken = "";

async function request<T>(path: string, init: RequestInit = {}): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...init });
  } catch {
    throw new ApiError(0, "The service does not answer. Check the network.");
  }
  if (response.status === 401) {
    leaveForLogin();
    throw new ApiError(401, "Signed out.");
  }
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok) {
    const told = (body ?? {}) as { message?: string; problems?: Problem[] };
    throw new ApiError(
      response.status,
      told.message ?? `The service answered ${response.status}.`,
      told.problems ?? [],
    );
  }
  return body as T;
}

function post<T>(path: string, body?: unknown): Promise<T> {
  return request<T>(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": csrfToken },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
}

function leaveForLogin(): void {
  // Addresses are relative: the service may stand below a path of its host.
  if (!location.pathname.endsWith("/login")) location.assign("login");
}

export async function session(): Promise<Session> {
  const answer = await request<Session>("api/session");
  csrfToken = answer.csrfToken;
  return answer;
}

/** An access token for Twilio's Sync SDK. */
export const token = () => request<SyncToken>("api/token").then((answer) => answer.token);
export const health = (signal?: AbortSignal) => request<HealthAnswer>("api/health", { signal });
export const tasks = (signal?: AbortSignal) => request<Task[]>("taskrouter_tasks", { signal });
export const workers = (signal?: AbortSignal) => request<Worker[]>("taskrouter_workers", { signal });
export const definitions = () => request<Definitions>("api/definitions");
export const save = (changed: Definitions) => post<Definitions>("api/save", changed);
export const remove = (names: string[]) => post<unknown>("api/definitions/delete", { names });
export const order = (names: string[]) => post<unknown>("api/definitions/order", { names });
export const preview = (metric: Definition) => post<Preview>("api/definitions/preview", { metric });
export const fields = () => request<unknown>("api/definitions/fields");
export const history = (metric: string) =>
  request<{ points: Points }>(`api/history?metric=${encodeURIComponent(metric)}`).then((h) => h.points);

export async function logout(): Promise<void> {
  await fetch("logout", {
    method: "POST",
    credentials: "same-origin",
    headers: { "X-CSRF-Token": csrfToken },
  });
  leaveForLogin();
}

/** No byte for this long: the connection is dead, whatever the socket says (keep-alives come every 15 s). */
const SILENCE_MS = 30_000;
const LONGEST_PAUSE_MS = 15_000;

/**
 * The feed of the service. It is read with `fetch` because an `EventSource` hides keep-alive comments and a 401.
 */
export function feedSource(path = "api/feed"): LiveSource {
  return {
    start(listener) {
      let stopped = false;
      let lastEventId = "";
      let failures = 0;
      let abort = new AbortController();
      let wake: (() => void) | undefined;

      const pause = (ms: number) =>
        new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });

      async function readOnce(): Promise<void> {
        abort = new AbortController();
        let silence = setTimeout(() => abort.abort(), SILENCE_MS);
        const heard = () => {
          clearTimeout(silence);
          silence = setTimeout(() => abort.abort(), SILENCE_MS);
        };
        try {
          const headers: Record<string, string> = { Accept: "text/event-stream" };
          if (lastEventId) headers["Last-Event-ID"] = lastEventId;
          const response = await fetch(path, {
            headers,
            credentials: "same-origin",
            cache: "no-store",
            signal: abort.signal,
          });
          if (response.status === 401) return leaveForLogin();
          if (!response.ok || !response.body) throw new Error(`status ${response.status}`);
          listener.link({ state: "open" });
          const parser = new SseParser();
          const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
          for (;;) {
            const { done, value } = await reader.read();
            if (done) return;
            heard();
            listener.heard();
            failures = 0;
            for (const message of parser.push(value)) {
              if (message.event === "snapshot" || message.event === "change") {
                // An event that cannot be read is not one to go on from: the next connection asks for everything.
                const resume = lastEventId;
                lastEventId = "";
                listener.event({ type: message.event, data: JSON.parse(message.data) } as FeedEvent);
                lastEventId = resume;
              }
              if (message.id !== undefined) lastEventId = message.id;
            }
          }
        } finally {
          clearTimeout(silence);
          abort.abort();
        }
      }

      async function run(): Promise<void> {
        while (!stopped) {
          listener.link({ state: "connecting" });
          await readOnce().catch(() => undefined);
          if (stopped) return;
          const ms = Math.min(LONGEST_PAUSE_MS, 1000 * 2 ** failures) * (0.75 + Math.random() / 4);
          failures += 1;
          listener.link({ state: "lost", retryAt: Date.now() + ms });
          await pause(ms);
        }
      }

      const hurry = () => {
        failures = 0;
        wake?.();
      };
      window.addEventListener("online", hurry);
      void run();
      return () => {
        stopped = true;
        window.removeEventListener("online", hurry);
        abort.abort();
        wake?.();
      };
    },
  };
}
