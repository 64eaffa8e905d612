import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { SyncPlaces } from "../types.ts";
import { chooseSource } from "./choose.ts";
import type { Route } from "./source.ts";

const PLACES: SyncPlaces = { queues: { map: "queues" }, workspace: null, metrics: "metrics" };

beforeEach(() => {
  vi.stubGlobal("window", new EventTarget());
  vi.stubGlobal("addEventListener", () => undefined);
  vi.stubGlobal("removeEventListener", () => undefined);
});
afterEach(() => void vi.unstubAllGlobals());

/** The first thing that is said about the way, and what was asked of the service. */
function choose(sync: SyncPlaces | null | undefined, query = ""): [string | undefined, string[]] {
  const asked: string[] = [];
  vi.stubGlobal("fetch", (path: string) => {
    asked.push(path);
    return new Promise(() => undefined);
  });
  const routes: Route[] = [];
  const listener = {
    event: vi.fn(),
    link: vi.fn(),
    heard: vi.fn(),
    route: (route: Route) => void routes.push(route),
  };
  chooseSource({ sync }, new URLSearchParams(query)).start(listener)();
  return [routes[0]?.why, asked.sort()];
}

const SYNC = ["api/feed", "api/health", "api/token"];

it("takes the feed, and says why, where Sync does not have everything", () => {
  expect(choose(null)).toEqual([expect.stringContaining("no API key"), ["api/feed"]]);
  expect(choose(undefined)).toEqual([expect.stringContaining("no API key"), ["api/feed"]]);
  expect(choose(null, "source=sync")).toEqual([expect.stringContaining("no Twilio Sync"), ["api/feed"]]);
  expect(choose({ ...PLACES, queues: null })).toEqual([
    expect.stringContaining("SYNC_LAYOUTS"),
    ["api/feed"],
  ]);
  expect(choose(PLACES, "source=feed")).toEqual([expect.stringContaining("asks for it"), ["api/feed"]]);
});

it("takes Sync, with the feed beside it, where it can or where the address asks for it", () => {
  expect(choose(PLACES)[1]).toEqual(SYNC);
  expect(choose({ ...PLACES, queues: null }, "source=sync")[1]).toEqual(SYNC);
});
