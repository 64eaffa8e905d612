import { expect, it } from "vitest";
import type { Points } from "../api/types.ts";
import { curve, HEIGHT, WIDTH } from "./curve.ts";

it("has a gap where there was no value", () => {
  const points: Points = [
    [0, 1],
    [10, 3],
    [20, null],
    [30, 2],
    [40, 3],
  ];
  expect(curve(points, 0, 40).line.match(/M/g)).toHaveLength(2);
});

it("stands where its time is in the span, and marks the last value", () => {
  const points: Points = [
    [50, 0],
    [100, 10],
    [110, null],
  ];
  const { line, last } = curve(points, 0, 200);
  expect(line).toMatch(/^M250 100L500 /);
  expect(last?.[0]).toBe(WIDTH / 2);
  expect(last?.[1]).toBeLessThan(HEIGHT / 5);
});

it("stays inside the picture where this screen's clock lags, or a point is older than the span", () => {
  const points: Points = [
    [80, 1],
    [100, 2],
    [130, 3],
  ];
  const { line, last } = curve(points, 90, 110);
  expect(last?.[0]).toBe(WIDTH);
  const across = [...line.matchAll(/[ML](-?\d+)/g)].map(([, x]) => Number(x));
  expect(across).toEqual([0, 250, WIDTH]);
});

it("has its limit in sight, also beyond all values", () => {
  const { limit } = curve([[0, 1]], 0, 10, 99);
  expect(limit).toBeGreaterThan(0);
  expect(limit).toBeLessThan(HEIGHT / 5);
});

it("is empty without values", () => {
  expect(curve([], 0, 300)).toEqual({ line: "", limit: undefined, last: undefined });
});

it("draws of many points the extremes", () => {
  const points: Points = Array.from({ length: 1440 }, (_, n) => [n * 10, n === 700 ? 1000 : n % 2]);
  const { line } = curve(points, 0, 14_400);
  expect(line.split(/[ML]/).length).toBeLessThan(800);
  expect(
    Math.min(
      ...line
        .split(/[ML]/)
        .slice(1)
        .map((one) => Number(one.split(" ")[1])),
    ),
  ).toBeLessThan(10);
});
