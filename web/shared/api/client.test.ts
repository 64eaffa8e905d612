import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { cookieSession, flexToken } from "./auth.ts";
import { createClient, REQUEST_TIMEOUT_MS } from "./client.ts";
import { ApiError } from "./errors.ts";

const onUnauthorized = vi.fn();
const make = () => createClient({ auth: cookieSession(), onUnauthorized });
type Fetch = (path: string, init: RequestInit) => Promise<Response>;
const serve = (fetch: Fetch) => {
  const served = vi.fn(fetch);
  vi.stubGlobal("fetch", served);
  return served;
};
const json = (body: unknown, status = 200) => Response.json(body, { status });

beforeEach(() => void onUnauthorized.mockReset());
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("requests", () => {
  it("that write carry the session's CSRF token", async () => {
    const served = serve(async (path) => json(path === "api/session" ? { csrfToken: "secret" } : {}));
    const client = make();
    await client.session();
    await client.save({});
    expect(served.mock.calls[1]?.[1].headers).toMatchObject({ "X-CSRF-Token": "secret" });
  });

  it("report a 401 and navigate nowhere themselves", async () => {
    serve(async () => json({}, 401));
    await expect(make().session()).rejects.toMatchObject({ status: 401 });
    expect(onUnauthorized).toHaveBeenCalledTimes(1);
  });

  it("hand on the service's words, code and problems", async () => {
    const problems = [{ metric: "a", field: "formula", message: "no" }];
    serve(async () => json({ code: "invalid", message: "Not right.", problems }, 422));
    await expect(make().save({})).rejects.toMatchObject({
      status: 422,
      code: "invalid",
      message: "Not right.",
      problems,
    });
  });

  it("end after ten seconds when the connection hangs, before and after the headers", async () => {
    vi.useFakeTimers();
    const hanging = (signal: AbortSignal) =>
      new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
    serve((_, init) => hanging(init.signal as AbortSignal));
    const before = expect(make().tasks()).rejects.toThrow("did not answer within 10 s");
    await vi.advanceTimersByTimeAsync(REQUEST_TIMEOUT_MS);
    await before;

    serve(async (_, init) => {
      const body = new ReadableStream({
        start: (controller) =>
          init.signal?.addEventListener("abort", () => controller.error(new Error("aborted"))),
      });
      return new Response(body);
    });
    const after = expect(make().tasks()).rejects.toThrow(ApiError);
    await vi.advanceTimersByTimeAsync(REQUEST_TIMEOUT_MS);
    await after;
    expect(vi.getTimerCount()).toBe(0);
  });

  it("end when the caller aborts", async () => {
    const served = serve(
      (_, init) => new Promise((_, reject) => init.signal?.addEventListener("abort", () => reject())),
    );
    const abort = new AbortController();
    const asked = expect(make().tasks(abort.signal)).rejects.toThrow(ApiError);
    await vi.waitFor(() => expect(served).toHaveBeenCalled());
    abort.abort();
    await asked;
  });

  it("retry once with a fresh CSRF token when the old one is refused", async () => {
    let tokens = 0;
    const served = serve(async (path, init) => {
      if (path === "api/session") {
        tokens += 1;
        return json({ csrfToken: `token ${tokens}` });
      }
      const { "X-CSRF-Token": sent } = init.headers as Record<string, string>;
      return sent === "token 2" ? json({}) : json({ code: "csrf", message: "Out of date." }, 403);
    });
    const client = make();
    await client.session();
    await client.logout();
    expect(served.mock.calls.map(([path]) => path)).toEqual([
      "api/session",
      "logout",
      "api/session",
      "logout",
    ]);
  });

  it("fail in words when signing out is refused or the service can't be reached", async () => {
    serve(async (path) =>
      path === "api/session" ? json({ csrfToken: "x" }) : json({ code: "csrf", message: "Refused." }, 403),
    );
    await expect(make().logout()).rejects.toThrow("Refused.");
    serve(() => Promise.reject(new TypeError("Failed to fetch")));
    await expect(make().logout()).rejects.toThrow("Service unreachable");
  });

  it("are a failure in words when the answer is empty", async () => {
    serve(async () => new Response("", { status: 200 }));
    await expect(make().definitions()).rejects.toThrow("could not be read");
  });
});

describe("a Flex user's token", () => {
  it("goes with each request to another host, without cookies", async () => {
    const served = serve(async () => json([]));
    const tokens = ["jwt 1", "jwt 2"];
    const auth = flexToken(() => tokens.shift() ?? "none");
    const client = createClient({ baseUrl: "https://stats.example.com/", auth });
    await client.tasks();
    await client.workers();
    expect(served.mock.calls.map(([path]) => path)).toEqual([
      "https://stats.example.com/taskrouter_tasks",
      "https://stats.example.com/taskrouter_workers",
    ]);
    expect(served.mock.calls[1]?.[1]).toMatchObject({
      credentials: "omit",
      headers: { token: "jwt 2" },
    });
  });
});
