import { describe, expect, it } from "vitest";
import { en } from "../locales/en.ts";
import { tokenColour } from "./colour.ts";
import { clock, compactDuration, hhmmss, spanExact } from "./duration.ts";
import { metricText, percent } from "./number.ts";
import { clockTime } from "./time.ts";

describe("formats", () => {
  it("writes ages", () => {
    expect([0, 9, 252, 3599, 4021].map(clock)).toEqual(["00:00", "00:09", "04:12", "59:59", "1:07:01"]);
    expect([86_399, 86_400, 274_320, 91_969_704].map(clock)).toEqual([
      "23:59:59",
      "1 d 00:00",
      "3 d 04:12",
      "1064 d 11:08",
    ]);
    expect([0, 252, 90_000].map(hhmmss)).toEqual(["00:00:00", "00:04:12", "25:00:00"]);
    expect([5.9, 61, 7300, 200_000].map(en.span)).toEqual(["5 s", "1 min", "2 h", "2 days"]);
    expect([60, 90, 180, 7200].map(spanExact)).toEqual(["60 s", "90 s", "3 min", "2 h"]);
  });
  it("spells lengths of time alike everywhere", () => {
    expect(["00:04:12", "01:04:12", "25:00:00", "00:00:00", "04:12", "9"].map(compactDuration)).toEqual([
      "04:12",
      "1:04:12",
      "1 d 01:00",
      "00:00",
      "04:12",
      "9",
    ]);
    expect(["25547:08:24", "76h 12m", "23h 59m", "5m 03s", "3 d 04:12"].map(compactDuration)).toEqual([
      "1064 d 11:08",
      "3 d 04:12",
      "23h 59m",
      "5m 03s",
      "3 d 04:12",
    ]);
  });
  it("never rounds to all or to none", () => {
    expect([0, 0.001, 0.885, 0.999, 1].map(percent)).toEqual(["0%", "1%", "89%", "99%", "100%"]);
  });
  it("knows time zones, and survives unknown ones", () => {
    expect(clockTime(Date.parse("2026-07-01T12:00:00Z"), "Europe/Berlin")).toBe("14:00");
    expect(clockTime(0, "Nowhere/Else")).toMatch(/^\d\d:\d\d$/);
  });
  it("counts only formats that it knows", () => {
    expect(metricText("seconds", 61)).toBe("00:01:01");
    expect(metricText("", 61)).toBe("61");
    expect(metricText("roman", 61)).toBeUndefined();
    expect(metricText("number:7", 61)).toBeUndefined();
  });
  it.each([
    ["minutes", 119, "1 min"],
    ["minutes", 59, "0 min"],
    ["duration", 303, "5m 03s"],
    ["duration", 3599, "59m 59s"],
    ["duration", 3900, "1h 05m"],
    ["percent", 91.5, "92 %"],
    ["percent", 0, "0 %"],
    ["number:0", 1235.5, "1236"],
    ["number:2", 1234.5, "1234.50"],
    ["time", 0, "01:00"],
  ])("%s of %d is %s", (format, value, text) => {
    expect(metricText(format, value, "Europe/Berlin")).toBe(text);
  });
  it("turns token names into custom properties and nothing else", () => {
    expect(tokenColour("colorTextDecorative10")).toBe("var(--color-text-decorative-10)");
    expect(tokenColour("colorBackgroundErrorWeakest")).toBe("var(--color-background-error-weakest)");
    expect(tokenColour("transparent")).toBe("transparent");
    expect(tokenColour("url(https://elsewhere)")).toBeUndefined();
  });
});
