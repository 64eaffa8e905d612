import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { cookieSession } from "../api/auth.ts";
import { createClient } from "../api/client.ts";
import type { SyncObjectNames } from "../api/types.ts";
import { selectSource } from "./selectSource.ts";
import type { ActiveSource } from "./source.ts";

const NAMES: SyncObjectNames = { queues: { map: "queues" }, workspace: null, metrics: "metrics" };

beforeEach(() => {
  vi.stubGlobal("addEventListener", () => undefined);
  vi.stubGlobal("removeEventListener", () => undefined);
  vi.stubGlobal("addEventListener", () => undefined);
  vi.stubGlobal("removeEventListener", () => undefined);
});
afterEach(() => void vi.unstubAllGlobals());

/** The first reason for a source, and what was asked of the service. */
async function select(
  sync: SyncObjectNames | null | undefined,
  wish?: string,
): Promise<[string | undefined, string[]]> {
  const asked: string[] = [];
  vi.stubGlobal("fetch", (path: string) => {
    asked.push(path);
    return new Promise(() => undefined);
  });
  const sources: ActiveSource[] = [];
  const listener = {
    event: vi.fn(),
    link: vi.fn(),
    activity: vi.fn(),
    activeSource: (source: ActiveSource) => void sources.push(source),
  };
  const client = createClient({ auth: cookieSession() });
  const source = selectSource(sync, wish, { client, connect: () => new Promise(() => undefined) });
  const stop = source.start(listener);
  await vi.waitFor(() => expect(asked).toContain("api/feed"));
  stop();
  return [sources[0]?.reason, asked.sort()];
}

const SYNC = ["api/feed", "api/health", "api/token"];

it("takes the feed, and gives the reason, where Sync does not have everything", async () => {
  expect(await select(null)).toEqual([expect.stringContaining("no API key"), ["api/feed"]]);
  expect(await select(undefined)).toEqual([expect.stringContaining("no API key"), ["api/feed"]]);
  expect(await select(null, "sync")).toEqual([expect.stringContaining("can't be read"), ["api/feed"]]);
  expect(await select({ ...NAMES, queues: null })).toEqual([
    expect.stringContaining("SYNC_LAYOUTS"),
    ["api/feed"],
  ]);
  expect(await select(NAMES, "feed")).toEqual([expect.stringContaining("this address"), ["api/feed"]]);
});

it("takes Sync, with the feed beside it, where it can or where the address asks for it", async () => {
  expect((await select(NAMES))[1]).toEqual(SYNC);
  expect((await select({ ...NAMES, queues: null }, "sync"))[1]).toEqual(SYNC);
});
