import { describe, expect, it } from "vitest";
import { burnInOffset, capacity, digits, paginate, pinned } from "./pages.ts";

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

describe("what stays in sight", () => {
  const width = () => 3;
  const names = (items: readonly { name: string }[]) => items.map(({ name }) => name);
  const metric = (name: string, tv?: "always" | "never" | "") => ({ name, tv });

  it("is what definitions say, at most three, and never what is not for the TV", () => {
    const { always, inTurn } = pinned(
      [metric("a"), metric("b", "always"), metric("c", "never"), metric("d", "always"), metric("e", "")],
      width,
      10,
    );
    expect([names(always), names(inTurn)]).toEqual([
      ["b", "d"],
      ["a", "e"],
    ]);
    const many = ["a", "b", "c", "d"].map((name) => metric(name, "always"));
    expect(names(pinned(many, width, 99).always)).toEqual(["a", "b", "c"]);
  });

  it("is the first three where definitions say nothing, as long as their digits stay legible", () => {
    const older = ["a", "b", "c", "d"].map((name) => metric(name));
    expect(names(pinned(older, width, 10).always)).toEqual(["a", "b", "c"]);
    expect(names(pinned(older, () => 5.5, 10).always)).toEqual(["a", "b"]);
    expect(names(pinned(older, () => 30, 10).always)).toEqual(["a"]);
  });
});
