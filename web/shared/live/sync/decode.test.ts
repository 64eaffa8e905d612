import { describe, expect, it } from "vitest";
import { decodeQueueItem, entryOf, itemOfDocuments, metricsOf } from "./decode.ts";

const A = `WQ${"a".repeat(32)}`;
const B = `WQ${"b".repeat(32)}`;
const item = (sid: string, pending: number) => ({
  sid,
  friendlyName: sid.slice(0, 3),
  realTimeStats_all: { tasksByStatus: { pending } },
});
const metric = (position: number, more: object = {}) => ({
  label: "L",
  value: 1,
  text: "1",
  position,
  ...more,
});
describe("objects in Sync", () => {
  it("takes only items that are queues", () => {
    expect(decodeQueueItem(A, item(A, 1))).toBeDefined();
    for (const other of [item(B, 1), null, "text", [1], {}])
      expect(decodeQueueItem(A, other)).toBeUndefined();
  });

  it("counts a queue without a name as unreadable instead of drawing it", () => {
    expect(decodeQueueItem(A, { sid: A })).toBe("unreadable");
    expect(decodeQueueItem(A, { sid: A, friendlyName: null })).toBe("unreadable");
    expect(entryOf(A, { sid: A, friendlyName: "x" })).toBe("unreadable");
    expect(entryOf(A, { sid: B })).toBeUndefined();
  });

  it("takes a field of the wrong type for a missing one", () => {
    const odd = decodeQueueItem(A, {
      sid: A,
      friendlyName: "Odd",
      asOf: 7,
      cut: "all",
      realTimeStats_all: { tasksByStatus: [1], availableWorkers: "3", totalTasks: null, eligibleWorkers: 2 },
      realTimeStats_voice: "none",
      cumulativeStats_all: { tCompl: {}, splitByWaitTime: { "60": {} }, tCanc: 4 },
    });
    expect(odd).toEqual({
      sid: A,
      friendlyName: "Odd",
      realTimeStats_all: { eligibleWorkers: 2 },
      cumulativeStats_all: { tCanc: 4 },
    });
    const [metric] = metricsOf([
      { one: { label: 5, text: ["x"], style: { styleName: 1 }, threshold: "high" } },
    ]);
    expect(metric).toMatchObject({
      label: "one",
      text: "",
      threshold: null,
      style: { styleName: "Default" },
    });
  });

  it("makes one item of two Documents; no waiting task is none, not unknown", () => {
    const entry = { sid: A, friendlyName: "Name", realtime: "r", today: "t" };
    const realtime = {
      sid: A,
      friendlyName: "Old name",
      asOf: "2026-01-01T10:00:05Z",
      activities: { Available: 3, Break: 1 },
      all: { pending: 1, reserved: 2, assigned: 3, wrapping: 4, tasks: 10, available: 5, eligible: 6 },
      voice: { pending: 1, oldestTask: 12, oldestTaskSince: "2026-01-01T09:59:53Z" },
    };
    const today = { asOf: "2026-01-01T09:00:00Z", cumulativeStatsMessage: "timed out", all: { tCompl: 7 } };
    const one = itemOfDocuments(entry, realtime, today);
    expect(one).toMatchObject({
      sid: A,
      friendlyName: "Name",
      asOf: "2026-01-01T10:00:05Z",
      cumulativeStatsMessage: "timed out",
      realTimeStats_all: { availableWorkers: 5, eligibleWorkers: 6, oldestTask: 0, totalTasks: 10 },
      realTimeStats_voice: { oldestTask: 12, oldestTaskSince: "2026-01-01T09:59:53Z" },
      cumulativeStats_all: { tCompl: 7 },
    });
    expect(one.realTimeStats_all?.activityStatistics).toContainEqual({ friendly_name: "Break", workers: 1 });
    expect(itemOfDocuments(entry, undefined, "text")).toEqual({ sid: A, friendlyName: "Name" });
  });

  it("orders metrics over all Documents, and shows one that is in two as it was computed last", () => {
    const moved = (text: string, asOf: string) => metric(1, { text, asOf });
    const found = metricsOf([
      { b: moved("old", "2026-01-01T10:00:00Z"), c: metric(2) },
      { a: metric(0), b: moved("new", "2026-01-01T10:00:01Z"), z: { label: "no position" }, broken: 7 },
      undefined,
    ]);
    expect(found.map(({ name, text }) => [name, text])).toEqual([
      ["a", "1"],
      ["b", "new"],
      ["c", "1"],
      ["z", ""],
    ]);
    expect(found[3]).toMatchObject({ value: null, style: { styleName: "Default" }, asOf: null });
    expect(found[0]).not.toHaveProperty("position");
  });
});
