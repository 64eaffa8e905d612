import { describe, expect, it } from "vitest";
import { burnInOffset, capacity, digits, paginate } from "./pages.ts";

describe("TV", () => {
  it("packs what fits", () => {
    expect(paginate([3, 5, 3, 4, 20, 3], (n) => n, 13)).toEqual([[3, 5, 3], [4], [20], [3]]);
    expect(digits("04:12")).toBe(4.5);
    expect(capacity(1920, 1080)).toBeGreaterThan(digits("17") + digits("04:12") + digits("100"));
  });
  it("moves a few pixels each minute and comes back", () => {
    expect(burnInOffset(1)).not.toEqual(burnInOffset(2));
    expect(burnInOffset(8)).toEqual(burnInOffset(0));
  });
});
