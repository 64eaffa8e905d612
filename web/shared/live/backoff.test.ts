import { expect, it } from "vitest";
import { backoff } from "./backoff.ts";

it("doubles up to the longest pause, with a quarter of jitter", () => {
  const least = [0, 1, 2, 3, 9, 5000].map((failures) => backoff(failures, 1000, 15_000, () => 0));
  expect(least).toEqual([750, 1500, 3000, 6000, 11_250, 11_250]);
  expect(backoff(0, 1000, 15_000, () => 1)).toBe(1000);
});
