import { expect, it } from "vitest";
import type { Figures } from "./figures.ts";
import { passes, queueFilterOf } from "./filters.ts";

const row = (more: Partial<Figures>): Figures => ({ slaName: "accepted", sla: {}, ...more });

it("selects queues by what a tile counts", () => {
  const unstaffed = row({ pending: 2, available: 0, abandoned: 0 });
  const busy = row({ pending: 2, available: 1, abandoned: 3 });
  const idle = row({ pending: 0, available: 0 });
  const unknown = row({});
  const rows = [unstaffed, busy, idle, unknown];
  expect(rows.map((one) => passes("without-agents", one))).toEqual([true, false, false, false]);
  expect(rows.map((one) => passes("waiting", one))).toEqual([true, true, false, false]);
  expect(rows.map((one) => passes("abandoned", one))).toEqual([false, true, false, false]);
  expect(rows.every((one) => passes(undefined, one))).toBe(true);
});

it("takes an unknown name for no filter", () => {
  expect(queueFilterOf("waiting")).toBe("waiting");
  for (const name of [undefined, null, "", "constructor", 7]) expect(queueFilterOf(name)).toBeUndefined();
});
