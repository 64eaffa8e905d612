import { expect, it } from "vitest";
import { filterOf, isOfHistory, VIEWS, viewOf } from "./view.ts";

it("knows its views, and takes anything else for the wallboard", () => {
  expect(viewOf("#/agents")).toBe("agents");
  for (const hash of ["", "#/", "#/constructor", "#/toString", "#/__proto__", "#/nowhere"])
    expect(viewOf(hash)).toBe("wallboard");
});

it("selects queues by the address, and nothing by a selection that it does not know", () => {
  expect(viewOf("#/queues?show=without-agents")).toBe("queues");
  expect(filterOf("#/queues?show=without-agents")).toBe("without-agents");
  for (const hash of ["#/queues", "#/queues?show=", "#/queues?show=constructor", ""])
    expect(filterOf(hash)).toBeUndefined();
});

it("knows which views need a history", () => {
  expect(viewOf("#/replay?at=2026-11-29T10:00:00Z")).toBe("replay");
  expect(VIEWS.filter(isOfHistory)).toEqual(["report", "replay"]);
});
