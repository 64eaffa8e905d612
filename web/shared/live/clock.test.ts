import { describe, expect, it } from "vitest";
import { age, counted, instant, Skew } from "./clock.ts";

describe("clock", () => {
  it("believes the event that travelled fastest", () => {
    const skew = new Skew();
    skew.add(10_000, 5_200);
    skew.add(11_000, 6_010);
    skew.add(12_000, 9_000);
    skew.add(Number.NaN, 0);
    expect(skew.value).toBe(4_990);
  });
  it("counts whole seconds and never below zero", () => {
    expect(age(1_000, 3_999)).toBe(2);
    expect(age(9_000, 1_000)).toBe(0);
  });
  it("counts a value up only while it is above zero and it is known when it was read", () => {
    expect(counted(12, 1_000, 4_500)).toBe(15);
    expect(counted(0, 1_000, 4_500)).toBe(0);
    expect(counted(12, undefined, 4_500)).toBe(12);
  });
  it("knows no instant in nonsense", () => {
    expect(instant("2026-01-01T00:00:00Z")).toBe(1_767_225_600_000);
    expect(instant("soon")).toBeUndefined();
    expect(instant(null)).toBeUndefined();
  });
});
