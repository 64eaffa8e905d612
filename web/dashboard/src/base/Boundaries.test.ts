import { expect, it } from "vitest";
import { reloadDelay } from "./Boundaries.tsx";

it("reloads a failed TV after 30 s, then less and less often", () => {
  expect([0, 1, 2, 3, 4, 5, 100].map(reloadDelay)).toEqual([30, 60, 120, 240, 480, 600, 600]);
});
