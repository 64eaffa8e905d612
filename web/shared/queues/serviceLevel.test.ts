import { describe, expect, it } from "vitest";
import type { QueueItem } from "../api/types.ts";
import { en } from "../locales/en.ts";
import { columns } from "./columns.ts";
import { figures } from "./figures.ts";
import { describe as describeLevel, serviceLevel } from "./serviceLevel.ts";

const item = (name: string, more: Partial<QueueItem> = {}): QueueItem => ({
  sid: `WQ${name}`,
  friendlyName: name,
  ...more,
});
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
    expect(serviceLevel(today, 60)).toBe(18 / 20);
    expect(serviceLevel(today, 60, "accepted-or-late-abandoned")).toBe(18 / 30);
    expect(serviceLevel(today, 60, "all-waited")).toBe(18 / 36);
  });
  it("tells nothing that counts from nothing known", () => {
    const none = { reservations_accepted: 0, tasks_canceled: 3 };
    const nothing = {
      tEnter: 3,
      splitByWaitTime: { "60": { below: none, above: { ...none, tasks_canceled: 0 } } },
    };
    for (const name of ["accepted", "accepted-or-late-abandoned", "all-waited"]) {
      expect(serviceLevel(nothing, 60, name)).toBeNull();
      expect(serviceLevel({}, 60, name)).toBeUndefined();
      expect(serviceLevel(undefined, 60, name)).toBeUndefined();
    }
    expect(serviceLevel({ splitByWaitTime: today.splitByWaitTime }, 60, "all-waited")).toBeUndefined();
    expect(serviceLevel(today, 60, "of tomorrow")).toBeUndefined();
    for (const inherited of ["constructor", "__proto__", "toString"])
      expect(serviceLevel(today, 60, inherited)).toBeUndefined();
  });
  it("is a queue's own, or the usual one", () => {
    const one = (sla?: string) => item("a", { sla, cumulativeStats_all: today });
    expect(figures(one(), "all", [60]).sla[60]).toBe(0.9);
    expect(figures(one(), "all", [60], "all-waited").sla[60]).toBe(0.5);
    expect(figures(one("accepted-or-late-abandoned"), "all", [60], "all-waited").sla[60]).toBe(0.6);
  });
  it("is named in words, with its threshold", () => {
    expect(describeLevel("all-waited", "60 s", en)).toBe(
      "accepted within 60 s / (entered − abandoned within 60 s)",
    );
    expect(describeLevel("own", "60 s", en, [{ name: "own", label: "ours" }])).toBe("ours");
    const [, , column] = columns({ thresholds: [60], interval: "today", usual: "all-waited" }, en);
    expect(column?.tip).toContain("entered");
    expect(column?.tipOf?.(figures(item("a", { sla: "accepted" }), "all", [60]))).toContain("/ accepted;");
    expect(
      column?.reason?.(figures(item("a", { sla: "x", cumulativeStats_all: today }), "all", [60])),
    ).toContain("“x”");
  });
});
