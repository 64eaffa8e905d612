import { describe, expect, it } from "vitest";
import type { Change, Health, Metric, QueueItem, Snapshot } from "../api/types.ts";
import { applyEvent, shareMetrics } from "./board.ts";

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
const pending = (board: ReturnType<typeof applyEvent>, sid: string) =>
  board?.queues.get(sid)?.realTimeStats_all?.tasksByStatus?.pending;

describe("applyEvent", () => {
  it("changes items, removes gone ones, and leaves the others as they are", () => {
    const first = applyEvent(undefined, snapshot(5, queue("a", 1), queue("b", 2), queue("c", 3)));
    const next = applyEvent(
      first,
      change({ seq: 6, queues: [queue("a", 9), queue("d", 4)], removed: ["b"] }),
    );
    expect([...(next?.queues.keys() ?? [])]).toEqual(["a", "c", "d"]);
    expect(pending(next, "a")).toBe(9);
    expect(next?.queues.get("c")).toBe(first?.queues.get("c"));
    expect(pending(first, "a")).toBe(1);
  });
  it("drops what it has already, and changes without a snapshot", () => {
    const board = applyEvent(undefined, snapshot(5, queue("a", 1)));
    expect(applyEvent(board, change({ seq: 5, queues: [queue("a", 2)] }))).toBe(board);
    expect(applyEvent(undefined, change({ seq: 6 }))).toBeUndefined();
  });
  it("takes a snapshot with a smaller number: the service restarted", () => {
    const board = applyEvent(applyEvent(undefined, snapshot(500, queue("a"))), snapshot(1, queue("b")));
    expect(board?.seq).toBe(1);
    expect(board?.queues.has("a")).toBe(false);
  });
});

describe("shareMetrics", () => {
  const metric = (name: string, text: string) => ({ name, text }) as Metric;
  it("keeps the object of each metric that did not change, and the list when none did", () => {
    const before = [metric("a", "1"), metric("b", "2")];
    expect(shareMetrics(before, [metric("a", "1"), metric("b", "2")])).toBe(before);
    const after = shareMetrics(before, [metric("a", "1"), metric("b", "3")]);
    expect(after[0]).toBe(before[0]);
    expect(after[1]).not.toBe(before[1]);
    expect(shareMetrics(before, [metric("b", "2"), metric("a", "1")])).not.toBe(before);
  });
});
