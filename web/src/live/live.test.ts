import { describe, expect, it } from "vitest";
import type { Change, Health, Metric, QueueItem, Snapshot } from "../types.ts";
import { age, counted, instant, Skew } from "./clock.ts";
import { fold } from "./fold.ts";
import { append, join } from "./history.ts";
import { type LightInput, light } from "./light.ts";
import { SseParser } from "./sse.ts";

const HEALTHY: Health = { taskrouter: { ok: true }, sync: { ok: true } };
const queue = (sid: string, pending = 0): QueueItem => ({
  sid,
  friendlyName: sid,
  realTimeStats_all: { tasksByStatus: { pending } },
});
const snapshot = (seq: number, ...queues: QueueItem[]) => ({
  type: "snapshot" as const,
  data: { seq, now: "", queues, workspace: {}, metrics: [] as Metric[], health: HEALTHY } satisfies Snapshot,
});
const change = (data: Omit<Change, "now">) => ({ type: "change" as const, data: { now: "", ...data } });
const pending = (board: ReturnType<typeof fold>, sid: string) =>
  board?.queues.get(sid)?.realTimeStats_all?.tasksByStatus?.pending;

describe("fold", () => {
  it("changes items, removes gone ones, and leaves the others as they are", () => {
    const first = fold(undefined, snapshot(5, queue("a", 1), queue("b", 2), queue("c", 3)));
    const next = fold(first, change({ seq: 6, queues: [queue("a", 9), queue("d", 4)], removed: ["b"] }));
    expect([...(next?.queues.keys() ?? [])]).toEqual(["a", "c", "d"]);
    expect(pending(next, "a")).toBe(9);
    expect(next?.queues.get("c")).toBe(first?.queues.get("c"));
    expect(pending(first, "a")).toBe(1);
  });
  it("drops what it has already, and changes without a snapshot", () => {
    const board = fold(undefined, snapshot(5, queue("a", 1)));
    expect(fold(board, change({ seq: 5, queues: [queue("a", 2)] }))).toBe(board);
    expect(fold(undefined, change({ seq: 6 }))).toBeUndefined();
  });
  it("takes a snapshot with a smaller number: the service started anew", () => {
    const board = fold(fold(undefined, snapshot(500, queue("a"))), snapshot(1, queue("b")));
    expect(board?.seq).toBe(1);
    expect(board?.queues.has("a")).toBe(false);
  });
});

describe("clock", () => {
  it("believes the event that travelled fastest", () => {
    const skew = new Skew();
    skew.add(10_000, 5_200);
    skew.add(11_000, 6_010);
    skew.add(12_000, 9_000);
    skew.add(Number.NaN, 0);
    expect(skew.value).toBe(4_990);
  });
  it("counts whole seconds and never below zero", () => {
    expect(age(1_000, 3_999)).toBe(2);
    expect(age(9_000, 1_000)).toBe(0);
  });
  it("counts a value up only while it is above zero and it is known when it was read", () => {
    expect(counted(12, 1_000, 4_500)).toBe(15);
    expect(counted(0, 1_000, 4_500)).toBe(0);
    expect(counted(12, undefined, 4_500)).toBe(12);
  });
  it("knows no instant in nonsense", () => {
    expect(instant("2026-01-01T00:00:00Z")).toBe(1_767_225_600_000);
    expect(instant("soon")).toBeUndefined();
    expect(instant(null)).toBeUndefined();
  });
});

describe("light", () => {
  const base: LightInput = {
    link: { state: "open" },
    heard: true,
    lastNumbers: 100_000,
    lastHeard: 100_000,
    health: HEALTHY,
    browserOnline: true,
  };
  const at = (more: Partial<LightInput>, now = 102_000) => light({ ...base, ...more }, now, now);

  it("says more to who asks: what the service reports as failing", () => {
    expect(at({ health: HEALTHY }).more).toEqual([]);
    const health: Health = {
      taskrouter: { ok: false, since: "2026-01-01T10:00:00Z", reason: "503" },
      sync: { ok: false, unwritten: 4, failing: 2 },
    };
    expect(at({ health, timeZone: "UTC" }).more).toEqual([
      "TaskRouter does not answer since 10:00: 503",
      "Sync: 2 writes fail.",
      "Sync: 4 changes wait to be written.",
    ]);
  });
  it("is live with an age, and says no seconds aloud", () => {
    expect(at({})).toMatchObject({ kind: "live", text: "Live: 2 s ago", said: "Live." });
    expect(at({}).frozenAt).toBeUndefined();
  });
  it("counts down offline and names whose fault it is", () => {
    const lost = at({ link: { state: "lost", retryAt: 106_000 } });
    expect(lost.text).toBe("Offline: the service does not answer, numbers 2 s old, retrying in 4 s");
    expect(lost.frozenAt).toBe(100_000);
    expect(at({ link: { state: "connecting" } }).kind).toBe("offline");
    expect(at({ browserOnline: false }).said).toContain("this screen has no network");
  });
  it("catches up until the first byte", () => expect(at({ heard: false }).kind).toBe("catching-up"));
  it("is stale when TaskRouter does not answer", () => {
    const health = { ...HEALTHY, taskrouter: { ok: false, since: "2026-01-01T12:30:00Z", reason: "503" } };
    const stale = at({ health, timeZone: "Europe/Berlin" });
    expect(stale.text).toBe("Stale since 13:30: Twilio TaskRouter does not answer (503)");
    expect(stale.frozenAt).toBe(instant("2026-01-01T12:30:00Z"));
  });
  it("stays live, with a word, when only Sync is behind", () => {
    const health = { ...HEALTHY, sync: { ok: false, unwritten: 7 } };
    expect(at({ health })).toMatchObject({ kind: "live", text: "Live: 2 s ago; Twilio Sync is behind by 7" });
  });
});

describe("SseParser", () => {
  const text = ': hello\r\nevent: change\r\nid: 7\r\ndata: {"a":\r\ndata: 1}\r\n\r\ndata: x\n\n: ping\n\n';
  it("reads events however the text is cut", () => {
    for (let size = 1; size <= text.length; size += 1) {
      const parser = new SseParser();
      const found = [];
      for (let i = 0; i < text.length; i += size) found.push(...parser.push(text.slice(i, i + size)));
      expect(
        found.map(({ event, data }) => [event, data]),
        `pieces of ${size}`,
      ).toEqual([
        ["change", '{"a":\n1}'],
        ["message", "x"],
      ]);
      expect(found[0]?.id).toBe("7");
    }
  });
});

describe("history", () => {
  it("replaces within a second, never goes back, keeps gaps", () => {
    let points = append([], 10, 1);
    points = append(points, 10, 2);
    points = append(points, 9, 5);
    points = append(points, 11, null);
    expect(points).toEqual([
      [10, 2],
      [11, null],
    ]);
  });
  it("joins the service's past with newer points of its own", () => {
    expect(
      join(
        [
          [1, 1],
          [5, 2],
        ],
        [
          [4, 9],
          [5, 9],
          [6, 3],
        ],
      ),
    ).toEqual([
      [1, 1],
      [5, 2],
      [6, 3],
    ]);
  });
});
