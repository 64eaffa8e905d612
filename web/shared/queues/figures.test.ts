import { describe, expect, it } from "vitest";
import type { QueueItem } from "../api/types.ts";
import { figures } from "./figures.ts";

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
  it("leaves unknown what was not reported, and is null when no task waits", () => {
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
