import { describe, expect, it } from "vitest";
import type { QueueItem } from "../types.ts";
import { columns } from "./columns.ts";
import { figures, urgency } from "./figures.ts";
import { held, matches, sorted } from "./order.ts";
import { slaShare, slaWords } from "./sla.ts";

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

describe("SLA", () => {
  const today = {
    tEnter: 40,
    splitByWaitTime: {
      "60": {
        below: { reservations_accepted: 18, tasks_canceled: 4 },
        above: { reservations_accepted: 2, tasks_canceled: 10 },
      },
    },
  };
  it("has three definitions", () => {
    expect(slaShare(today, 60)).toBe(18 / 20);
    expect(slaShare(today, 60, "accepted-or-late-abandoned")).toBe(18 / 30);
    expect(slaShare(today, 60, "all-waited")).toBe(18 / 36);
  });
  it("tells nothing that counts from nothing known", () => {
    const none = { reservations_accepted: 0, tasks_canceled: 3 };
    const nothing = {
      tEnter: 3,
      splitByWaitTime: { "60": { below: none, above: { ...none, tasks_canceled: 0 } } },
    };
    for (const name of ["accepted", "accepted-or-late-abandoned", "all-waited"]) {
      expect(slaShare(nothing, 60, name)).toBeNull();
      expect(slaShare({}, 60, name)).toBeUndefined();
      expect(slaShare(undefined, 60, name)).toBeUndefined();
    }
    expect(slaShare({ splitByWaitTime: today.splitByWaitTime }, 60, "all-waited")).toBeUndefined();
    expect(slaShare(today, 60, "of tomorrow")).toBeUndefined();
  });
  it("is a queue's own, or the usual one", () => {
    const one = (sla?: string) => item("a", { sla, cumulativeStats_all: today });
    expect(figures(one(), "all", [60]).sla[60]).toBe(0.9);
    expect(figures(one(), "all", [60], "all-waited").sla[60]).toBe(0.5);
    expect(figures(one("accepted-or-late-abandoned"), "all", [60], "all-waited").sla[60]).toBe(0.6);
  });
  it("is named in words, with its threshold", () => {
    expect(slaWords("all-waited", "60 s")).toBe("accepted within 60 s / (entered − abandoned within 60 s)");
    expect(slaWords("own", "60 s", [{ name: "own", label: "ours" }])).toBe("ours");
    const [, , column] = columns([60], "today", { usual: "all-waited" });
    expect(column?.tip).toContain("entered");
    expect(column?.tipOf?.(figures(item("a", { sla: "accepted" }), "all", [60]))).toContain("/ accepted;");
    expect(
      column?.reason?.(figures(item("a", { sla: "x", cumulativeStats_all: today }), "all", [60])),
    ).toContain("“x”");
  });
});

describe("figures", () => {
  it("adds up the four open statuses, without cancelled tasks", () => {
    const one = item("a", {
      realTimeStats_all: {
        tasksByStatus: { pending: 1, reserved: 2, assigned: 3, wrapping: 4 },
        totalTasks: 99,
      },
    });
    expect(figures(one, "all", []).total).toBe(10);
  });
  it("leaves unknown what was not told, and says null when nobody waits", () => {
    const unknown = figures(item("a"), "voice", [60]);
    expect(unknown).toMatchObject({ pending: undefined, total: undefined, oldestSince: undefined });
    expect(line("a", 0, 1).all.oldestSince).toBeNull();
  });
  it("does not take the item's oldest for a channel's", () => {
    const one = item("a", { oldestTaskSince: "2026-01-01T10:00:00Z", realTimeStats_chat: { oldestTask: 0 } });
    expect(figures(one, "chat", []).oldestSince).toBeNull();
    expect(figures(one, "all", []).oldestSince).toBe(Date.parse("2026-01-01T10:00:00Z"));
  });
  it("makes no average of nothing", () => {
    const wait = { avg: 0, min: 0, max: 0, total: 0 };
    const one = item("a", {
      cumulativeStats_all: { rAccepted: 0, tCanc: 0, waitUntilAccept: wait, waitUntilCancel: wait },
    });
    expect(figures(one, "all", [])).toMatchObject({
      waitAccept: undefined,
      waitCancel: undefined,
      abandoned: 0,
    });
  });
});

describe("order", () => {
  const waits = line("waits", 2, 3, "2026-01-01T10:00:00Z");
  const alone = line("alone", 1, 0, "2026-01-01T10:01:30Z");
  const calm = line("calm", 0, 0);
  const all = columns([60], "today");

  it("puts first who needs somebody: nobody free, then the longest wait; calm queues last", () => {
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
    expect(names(held(lines, order))).toEqual(["q 2", "q 10", "q 1"]);
  });
  it("finds by a part of the name", () => {
    expect(matches(item("Support"), " UPP ")).toBe(true);
    expect(matches(item("Support"), "sales")).toBe(false);
  });
});
