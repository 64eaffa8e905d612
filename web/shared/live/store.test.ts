import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Health, Points } from "../api/types.ts";
import { FakeEnvironment, FakeSource } from "../test/fakeEnvironment.ts";
import { createLive, HIDDEN_MS, type Live } from "./store.ts";

const HEALTHY: Health = { taskrouter: { ok: true }, sync: { ok: true } };
const NOW = Date.parse("2026-01-01T10:00:00Z");

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime(NOW);
});
afterEach(() => void vi.useRealTimers());

function start(previous?: Live) {
  const source = new FakeSource();
  const clock = new FakeEnvironment();
  const history = vi.fn(async (): Promise<Points> => []);
  const live = createLive({ source, client: { history }, clock, timeZone: "UTC", previous });
  const stop = live.start();
  const snapshot = (sid = "WQ1") =>
    source.listener?.event({
      type: "snapshot",
      data: {
        seq: 1,
        now: new Date().toISOString(),
        queues: [{ sid, friendlyName: sid }],
        workspace: {},
        health: HEALTHY,
      },
    });
  return { source, clock, history, live, stop, snapshot };
}

it("keeps two stores of one page apart", () => {
  const [one, two] = [start(), start()];
  one.snapshot();
  expect(one.live.getState().board?.queues.size).toBe(1);
  expect(two.live.getState().board).toBeUndefined();
  one.stop();
  two.stop();
  expect(vi.getTimerCount()).toBe(0);
});

it("computes freshness once for each event and second, and keeps the object while nothing changed", async () => {
  const { live, source, snapshot, stop } = start();
  source.listener?.link({ state: "open" });
  snapshot();
  const first = live.getState().freshness;
  expect(first).toMatchObject({ kind: "live", label: "Live: 0 s ago" });
  source.listener?.activity();
  expect(live.getState().freshness).toBe(first);
  await vi.advanceTimersByTimeAsync(3100);
  expect(live.getState().freshness.label).toBe("Live: 3 s ago");
  stop();
});

it("calls a selector's listener only when what it selects changes", () => {
  const { live, source, snapshot, stop } = start();
  const sizes: unknown[] = [];
  live.select(
    (state) => state.board?.queues.size,
    (size) => sizes.push(size),
  );
  snapshot();
  source.listener?.link({ state: "open" });
  snapshot();
  expect(sizes).toEqual([1]);
  stop();
});

it("holds no connection in a hidden tab, resumes when it is shown, and says catching up meanwhile", async () => {
  const { live, source, clock, snapshot, stop } = start();
  source.listener?.link({ state: "open" });
  snapshot();
  clock.become({ visible: false });
  await vi.advanceTimersByTimeAsync(HIDDEN_MS - 1);
  expect(source.running).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(source.running).toBe(0);
  expect(live.getState().freshness.kind).toBe("catching-up");
  clock.become({ visible: true });
  expect([source.starts, source.running]).toEqual([2, 1]);
  expect(live.getState().freshness.kind).toBe("catching-up");
  source.listener?.link({ state: "open" });
  snapshot();
  expect(live.getState().freshness.kind).toBe("live");
  stop();
  expect(source.running).toBe(0);
});

it("keeps its connection when the tab is hidden for a moment", async () => {
  const { source, clock, stop } = start();
  clock.become({ visible: false });
  await vi.advanceTimersByTimeAsync(HIDDEN_MS / 2);
  clock.become({ visible: true });
  await vi.advanceTimersByTimeAsync(HIDDEN_MS);
  expect([source.starts, source.running]).toEqual([1, 1]);
  stop();
});

it("asks for the points that it missed each time a lost source is back", async () => {
  const { live, source, history, stop } = start();
  await live.history.ask("waiting");
  source.listener?.link({ state: "open" });
  expect(history).toHaveBeenCalledTimes(1);
  source.listener?.link({ state: "lost", retryAt: 0 });
  source.listener?.link({ state: "open" });
  expect(history).toHaveBeenCalledTimes(2);
  stop();
});

it("shows the numbers of the store before it until its own source has some", () => {
  const before = start();
  before.snapshot("WQ-old");
  before.stop();
  const after = start(before.live);
  expect([...(after.live.getState().board?.queues.keys() ?? [])]).toEqual(["WQ-old"]);
  expect(after.live.getState().freshness.kind).toBe("catching-up");
  after.snapshot("WQ-new");
  expect([...(after.live.getState().board?.queues.keys() ?? [])]).toEqual(["WQ-new"]);
  after.stop();
});
