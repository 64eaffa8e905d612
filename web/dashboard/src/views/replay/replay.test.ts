import type { MetricCurve, Moment } from "@taskrouter-sync/shared/api/history.ts";
import { createLive } from "@taskrouter-sync/shared/live/store.ts";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { change, isJump, momentOf, seek, shownMoment, standing } from "./replayClock.ts";
import { MomentSource, PastCurves, pastEnvironment } from "./replayLive.ts";

const PRESENT = Date.parse("2026-11-30T14:00:00Z");
const THEN = PRESENT - 86_400_000;

describe("clock", () => {
  it("stands, plays at its speed, and changes speed where it is", () => {
    const start = standing(THEN, 1000);
    expect(momentOf(start, 9000, PRESENT)).toBe(THEN);
    const playing = change(start, { playing: true, speed: 60 }, 1000, PRESENT);
    expect(momentOf(playing, 3000, PRESENT)).toBe(THEN + 120_000);
    const faster = change(playing, { speed: 600 }, 3000, PRESENT);
    expect(momentOf(faster, 4000, PRESENT)).toBe(THEN + 120_000 + 600_000);
    const paused = change(faster, { playing: false }, 4000, PRESENT);
    expect(momentOf(paused, 99_000, PRESENT)).toBe(THEN + 720_000);
  });

  it("never passes the present, and never runs backwards", () => {
    const playing = change(standing(PRESENT - 1000, 0), { playing: true, speed: 600 }, 0, PRESENT);
    expect(momentOf(playing, 60_000, PRESENT)).toBe(PRESENT);
    expect(momentOf(playing, -5000, PRESENT)).toBe(PRESENT - 1000);
    expect(seek(playing, PRESENT + 1, 0, PRESENT).moment).toBe(PRESENT);
  });

  it("goes on playing from where it was moved to", () => {
    const playing = change(standing(THEN, 0), { playing: true, speed: 10 }, 0, PRESENT);
    expect(momentOf(seek(playing, THEN - 60_000, 5000, PRESENT), 6000, PRESENT)).toBe(THEN - 50_000);
  });

  it("lets ages count between answers, but not without end", () => {
    const playing = change(standing(THEN, 0), { playing: true, speed: 60 }, 0, PRESENT);
    expect(shownMoment(playing, THEN, 100, PRESENT)).toBe(THEN + 6000);
    expect(shownMoment(playing, THEN, 60_000, PRESENT)).toBe(THEN + 10_000);
    expect(shownMoment(standing(THEN, 0), THEN, 60_000, PRESENT)).toBe(THEN);
  });

  it("tells a jump from a step of its speed", () => {
    const fast = change(standing(THEN, 0), { speed: 600 }, 0, PRESENT);
    expect(isJump(undefined, THEN, fast)).toBe(true);
    expect(isJump(THEN, THEN + 600_000, fast)).toBe(false);
    expect(isJump(THEN, THEN - 1, fast)).toBe(true);
    expect(isJump(THEN, THEN + 600_000, standing(THEN, 0))).toBe(true);
  });
});

describe("moments", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const moment = (more: Partial<Moment> = {}): Moment => ({
    time: new Date(THEN).toISOString(),
    known: true,
    gap: null,
    queues: [{ sid: "WQ1", friendlyName: "Support" }],
    workspace: null,
    tiles: [],
    ...more,
  });
  const open = (source: MomentSource, now: () => number) =>
    createLive({ source, client: { history: async () => [] }, clock: pastEnvironment(now), timeZone: "UTC" });

  it("are there at once, on the clock of the past, and follow one another", () => {
    let now = THEN;
    const source = new MomentSource(moment(), () => now);
    const live = open(source, () => now);
    const stop = live.start();
    expect([...(live.getState().board?.queues.keys() ?? [])]).toEqual(["WQ1"]);
    expect(live.now()).toBe(THEN);
    expect(live.getState().freshness.staleSince).toBeUndefined();
    now += 600_000;
    source.show(moment({ queues: [{ sid: "WQ2", friendlyName: "Sales" }] }));
    expect([...(live.getState().board?.queues.keys() ?? [])]).toEqual(["WQ2"]);
    expect(live.now()).toBe(THEN + 600_000);
    stop();
  });

  it("in a gap are old since its start", () => {
    const gap = { from: THEN / 1000 - 300, to: THEN / 1000 + 300, reason: "not running" };
    const live = open(new MomentSource(moment({ known: false, gap }), () => THEN), () => THEN);
    const stop = live.start();
    expect(live.getState().freshness.staleSince).toBe(THEN - 300_000);
    stop();
  });
});

it("curves end at the moment, and a day's are read once", async () => {
  const asked: number[] = [];
  const api = {
    metric: async (_: string, { from, to }: { from: number; to: number }) => {
      asked.push(from);
      const times = Array.from(
        { length: Math.floor((to - from) / 3_600_000) },
        (__, n) => from / 1000 + n * 3600,
      );
      return { times, values: times.map((time) => time) } as MetricCurve;
    },
  };
  const curves = new PastCurves(api, "UTC", () => PRESENT);
  const noon = Date.parse("2026-11-29T12:00:00Z");
  const points = await curves.until("waiting", noon);
  expect(points.map(([time]) => (time * 1000 - noon) / 3_600_000)).toEqual([-4, -3, -2, -1, 0]);
  await curves.until("waiting", noon + 1_800_000);
  expect(asked).toHaveLength(1);
  await curves.until("waiting", noon + 86_400_000);
  expect(asked).toHaveLength(2);
});
