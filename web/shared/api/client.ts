/**
 * Requests to the service. The only part of the package that fetches, besides the feed, which uses `stream`.
 *
 * A 401 calls `onUnauthorized`; where the user goes then is the caller's business. A failed request is an `ApiError`
 * with the service's own words. Every request ends within `timeoutMs`.
 */
import { en } from "../locales/en.ts";
import type { Texts } from "../locales/index.ts";
import type { Auth } from "./auth.ts";
import { ApiError } from "./errors.ts";
import type {
  Definition,
  Definitions,
  HealthAnswer,
  Points,
  Preview,
  Problem,
  QueueName,
  Session,
  SyncToken,
  Task,
  Worker,
} from "./types.ts";

/** A connection that opens and then hangs must end, or numbers look live while nothing arrives. */
export const REQUEST_TIMEOUT_MS = 10_000;
const DOWNLOAD_TIMEOUT_MS = 120_000;

export interface ClientOptions {
  /** Where the service is, with a slash at its end; relative addresses are resolved against the page. */
  baseUrl?: string;
  auth: Auth;
  onUnauthorized?(): void;
  timeoutMs?: number;
  text?: Texts;
}

export interface FilePart {
  content: Blob;
  /** Where the rest begins. */
  next: string | null;
}

export interface Client {
  session(signal?: AbortSignal): Promise<Session>;
  /** An access token for Twilio's Sync SDK. */
  syncToken(): Promise<string>;
  health(signal?: AbortSignal): Promise<HealthAnswer>;
  tasks(signal?: AbortSignal): Promise<Task[]>;
  workers(signal?: AbortSignal): Promise<Worker[]>;
  /** The queues that an agent is eligible for. */
  workerQueues(worker: string, signal?: AbortSignal): Promise<QueueName[]>;
  definitions(signal?: AbortSignal): Promise<Definitions>;
  /** `refuseFailing`: a formula without a value now is a problem, and nothing is saved. */
  save(changed: Definitions, options?: { refuseFailing: boolean }): Promise<Definitions>;
  remove(names: readonly string[]): Promise<void>;
  order(names: readonly string[]): Promise<void>;
  preview(metric: Definition, signal?: AbortSignal): Promise<Preview>;
  fields(signal?: AbortSignal): Promise<unknown>;
  history(metric: string, signal?: AbortSignal): Promise<Points>;
  logout(): Promise<void>;
  /** Reads JSON of an address that views of their own chunk know. */
  get<T>(path: string, signal?: AbortSignal): Promise<T>;
  /** Reads a file, which may take long, or the first part of one. */
  download(path: string, accept: string, signal?: AbortSignal): Promise<FilePart>;
  /** Opens a response that is read as it arrives; it has no timeout of its own. */
  stream(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response>;
}

export function createClient(options: ClientOptions): Client {
  const { baseUrl = "", auth, onUnauthorized, timeoutMs = REQUEST_TIMEOUT_MS } = options;
  const text = (options.text ?? en).api;

  async function send(path: string, init: RequestInit, write: boolean): Promise<Response> {
    const headers = { ...(await auth.headers(write)), ...(init.headers as Record<string, string>) };
    const response = await fetch(baseUrl + path, { ...init, credentials: auth.credentials, headers });
    if (response.status === 401) {
      onUnauthorized?.();
      throw new ApiError(401, text.signedOut, [], "unauthorized");
    }
    return response;
  }

  async function attempt<T>(
    path: string,
    init: RequestInit,
    write: boolean,
    read: (response: Response) => Promise<T>,
    limitMs = timeoutMs,
  ): Promise<T> {
    const outer = init.signal ?? undefined;
    const abort = new AbortController();
    const forward = () => abort.abort(outer?.reason);
    if (outer?.aborted) forward();
    outer?.addEventListener("abort", forward);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      abort.abort();
    }, limitMs);
    try {
      const response = await send(path, { ...init, signal: abort.signal }, write);
      if (!response.ok) throw await failure(response);
      return await read(response);
    } catch (error) {
      if (error instanceof ApiError) throw error;
      throw new ApiError(0, late ? text.timedOut(limitMs / 1000) : text.unreachable);
    } finally {
      clearTimeout(timer);
      outer?.removeEventListener("abort", forward);
    }
  }

  async function failure(response: Response): Promise<ApiError> {
    const body: unknown = await response.json().catch(() => null);
    const { message, problems, code } = (body ?? {}) as {
      message?: string;
      problems?: Problem[];
      code?: string;
    };
    return new ApiError(response.status, message ?? text.failed(response.status), problems ?? [], code);
  }

  /** An empty or cut answer is a failure with words, not `null` where callers expect data. */
  const json = async <T>(response: Response): Promise<T> => {
    const body: unknown = await response.json().catch(() => undefined);
    if (body === undefined || body === null) throw new ApiError(response.status, text.unreadable);
    return body as T;
  };

  const get = <T>(path: string, signal?: AbortSignal) =>
    attempt<T>(path, signal ? { signal } : {}, false, json);

  async function session(signal?: AbortSignal): Promise<Session> {
    const answer = await get<Session>("api/session", signal);
    auth.remember?.(answer);
    return answer;
  }

  async function post<T>(
    path: string,
    body: unknown,
    read: (response: Response) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const once = () =>
      attempt(
        path,
        {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          ...(signal ? { signal } : {}),
        },
        true,
        read,
      );
    try {
      return await once();
    } catch (error) {
      // The token belongs to a session that was renewed elsewhere: a fresh one, and once more.
      if (!(error instanceof ApiError && error.code === "csrf" && auth.remember)) throw error;
      await session(signal);
      return once();
    }
  }
  const ignore = async () => undefined;

  return {
    session,
    syncToken: () => get<SyncToken>("api/token").then(({ token }) => token),
    health: (signal) => get("api/health", signal),
    tasks: (signal) => get("taskrouter_tasks", signal),
    workers: (signal) => get("taskrouter_workers", signal),
    workerQueues: (worker, signal) => get(`api/workers/${encodeURIComponent(worker)}/queues`, signal),
    definitions: (signal) => get("api/definitions", signal),
    save: (changed, { refuseFailing } = { refuseFailing: false }) =>
      post(refuseFailing ? "api/save?failing=refuse" : "api/save", changed, json<Definitions>),
    remove: (names) => post("api/definitions/delete", { names }, ignore),
    order: (names) => post("api/definitions/order", { names }, ignore),
    preview: (metric, signal) => post("api/definitions/preview", { metric }, json<Preview>, signal),
    fields: (signal) => get("api/definitions/fields", signal),
    history: (metric, signal) =>
      get<{ points: Points }>(`api/history?metric=${encodeURIComponent(metric)}`, signal).then(
        ({ points }) => points,
      ),
    logout: () => post("logout", undefined, ignore),
    get,
    download: (path, accept, signal) => {
      const init = { headers: { Accept: accept }, ...(signal ? { signal } : {}) };
      const read = async (response: Response) => ({
        content: await response.blob(),
        next: response.headers.get("Next-Cursor"),
      });
      return attempt(path, init, false, read, DOWNLOAD_TIMEOUT_MS);
    },
    stream: (path, headers, signal) => send(path, { headers, signal, cache: "no-store" }, false),
  };
}
