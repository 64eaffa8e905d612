import { describe, expect, it } from "vitest";
import type { QueueItem } from "../api/types.ts";
import { en } from "../locales/en.ts";
import { columns } from "./columns.ts";
import { figures } from "./figures.ts";
import { keepOrder, matches, sorted } from "./sort.ts";
import { urgency } from "./urgency.ts";

const item = (name: string, more: Partial<QueueItem> = {}): QueueItem => ({
  sid: `WQ${name}`,
  friendlyName: name,
  ...more,
});
const line = (name: string, pending: number, available: number, since?: string) => {
  const one = item(name, {
    asOf: "2026-01-01T10:00:00Z",
    realTimeStats_all: {
      tasksByStatus: { pending, reserved: 1, assigned: 2, wrapping: 3 },
      availableWorkers: available,
      eligibleWorkers: 9,
      oldestTask: 0,
      oldestTaskSince: since,
    },
  });
  return { item: one, all: figures(one, "all", [60]) };
};
const NOW = Date.parse("2026-01-01T10:02:00Z");
const names = (lines: { item: QueueItem }[]) => lines.map((l) => l.item.friendlyName);

describe("order", () => {
  const waits = line("waits", 2, 3, "2026-01-01T10:00:00Z");
  const alone = line("alone", 1, 0, "2026-01-01T10:01:30Z");
  const calm = line("calm", 0, 0);
  const all = columns({ thresholds: [60], interval: "today" }, en);

  it("puts the most urgent queue first: no agent available, then the longest wait; queues without tasks last", () => {
    expect(urgency(calm.all, NOW)).toBe(0);
    expect(names(sorted([calm, waits, alone], { down: true }, all, NOW))).toEqual(["alone", "waits", "calm"]);
  });
  it("sorts by a column both ways, what is not known last in both", () => {
    const unknown = { item: item("unknown"), all: figures(item("unknown"), "all", [60]) };
    const lines = [unknown, waits, alone, calm];
    expect(names(sorted(lines, { by: "pending", down: true }, all, NOW))).toEqual([
      "waits",
      "alone",
      "calm",
      "unknown",
    ]);
    expect(names(sorted(lines, { by: "pending", down: false }, all, NOW))).toEqual([
      "calm",
      "alone",
      "waits",
      "unknown",
    ]);
    expect(names(sorted(lines, { by: "oldest", down: true }, all, NOW)).slice(0, 2)).toEqual([
      "waits",
      "alone",
    ]);
  });
  it("sorts names as people count, and holds an order", () => {
    const lines = ["q 10", "q 2", "q 1"].map((name) => ({
      item: item(name),
      all: figures(item(name), "all", []),
    }));
    expect(names(sorted(lines, { by: "name", down: false }, all, NOW))).toEqual(["q 1", "q 2", "q 10"]);
    const order = new Map(["WQq 2", "WQq 10", "WQq 1"].map((sid, n) => [sid, n]));
    expect(names(keepOrder(lines, order))).toEqual(["q 2", "q 10", "q 1"]);
  });
  it("finds by a part of the name", () => {
    expect(matches(item("Support"), " UPP ")).toBe(true);
    expect(matches(item("Support"), "sales")).toBe(false);
  });
});
