import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { Metric, Threshold } from "../api/types.ts";
import { en } from "../locales/en.ts";
import { judge, judged, sign } from "./threshold.ts";

interface Case {
  first: string;
  second: string;
  invert: boolean;
  value: number;
  passed: Threshold | null;
}
const url = new URL("../../../tests/fixtures/threshold.json", import.meta.url);
const { cases } = JSON.parse(readFileSync(url, "utf8")) as { cases: Case[] };

it.each(cases)(
  "$value with $first and $second, as in the service",
  ({ first, second, invert, value, passed }) => {
    const definition = {
      label: "",
      formula: "",
      firstThresholdValue: first,
      secondThresholdValue: second,
      invertThresholds: invert,
    };
    expect(judge(value, definition)).toEqual(passed);
  },
);

it("is said in the metric's unit", () => {
  const over = { level: 2, limit: 180, direction: "above" } as const;
  expect(sign({ threshold: over, format: "seconds" }, en)).toEqual({
    mark: "▲",
    text: "over 3 min",
    level: 2,
  });
  expect(sign({ threshold: over, format: "" }, en)?.text).toBe("over 180");
  const below = { level: 1, limit: 80, direction: "below" } as const;
  expect(sign({ threshold: below, format: "percent" }, en)).toEqual({
    mark: "▼",
    text: "below 80 %",
    level: 1,
  });
  expect(sign({ threshold: null, format: "" }, en)).toBeUndefined();
});

it("is judged here only where the service that wrote the metric did not", () => {
  const definition = { label: "", formula: "", firstThresholdValue: "9" };
  const old = { value: 10 } as Metric;
  expect(judged(old, definition).threshold).toEqual({ level: 1, limit: 9, direction: "above" });
  expect(judged(old, definition)).toBe(judged(old, definition));
  const metric = { value: 10, threshold: null } as Metric;
  expect(judged(metric, definition)).toBe(metric);
  expect(judged(old, undefined)).toBe(old);
});
