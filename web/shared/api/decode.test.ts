import { expect, it } from "vitest";
import { decodeFeedEvent, decodeThreshold } from "./decode.ts";

it("drops queues that can't be read from an event, and counts them", () => {
  const queues = [{ sid: "a" }, { sid: "b" }, { sid: "c", friendlyName: "C" }, null, "text"];
  const decoded = decodeFeedEvent("snapshot", { seq: 1, now: "", queues });
  expect(decoded?.event.data.queues).toEqual([{ sid: "c", friendlyName: "C" }]);
  expect(decoded?.unreadable).toEqual(["a", "b", "#3", "#4"]);
});

it("refuses an event without its envelope", () => {
  expect(decodeFeedEvent("snapshot", { seq: 1 })).toBeUndefined();
  expect(decodeFeedEvent("change", { seq: "1" })).toBeUndefined();
  expect(decodeFeedEvent("change", null)).toBeUndefined();
  expect(decodeFeedEvent("change", { seq: 2 })?.event).toEqual({ type: "change", data: { seq: 2 } });
});

it("reads a threshold, or none", () => {
  const threshold = { level: 2, limit: 180, direction: "above" };
  expect(decodeThreshold(threshold)).toEqual(threshold);
  for (const odd of [null, "high", { ...threshold, level: 3 }, { ...threshold, limit: "180" }])
    expect(decodeThreshold(odd)).toBeNull();
});
