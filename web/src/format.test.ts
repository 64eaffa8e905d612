import { describe, expect, it } from "vitest";
import {
  clock,
  clockTime,
  hhmmss,
  metricText,
  percent,
  readBy,
  span,
  spanExact,
  tokenColour,
} from "./format.ts";
import { groups } from "./people/groups.ts";
import { capacity, digits, pack, shift, shorten } from "./tv/pages.ts";
import type { Definition } from "./types.ts";
import { byField, previewError, problemText, step, uniqueName, whole } from "./wallboard/draft.ts";
import { sign } from "./wallboard/threshold.ts";

describe("formats", () => {
  it("writes ages", () => {
    expect([0, 9, 252, 3599, 4021].map(clock)).toEqual(["00:00", "00:09", "04:12", "59:59", "1:07:01"]);
    expect([0, 252, 90_000].map(hhmmss)).toEqual(["00:00:00", "00:04:12", "25:00:00"]);
    expect([5.9, 61, 7300, 200_000].map(span)).toEqual(["5 s", "1 min", "2 h", "2 days"]);
    expect([60, 90, 180, 7200].map(spanExact)).toEqual(["60 s", "90 s", "3 min", "2 h"]);
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
    ["number:0", 1234.5, "1235"],
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

describe("threshold sign", () => {
  const definition: Definition = {
    label: "",
    formula: "",
    firstThresholdValue: "9",
    secondThresholdValue: "180",
  };
  const of = (value: unknown, more: Partial<Definition> = {}, format = "") =>
    sign({ value, format }, { ...definition, ...more })?.text;
  it("compares numbers, second wins", () => {
    expect(of(9)).toBeUndefined();
    expect(of(10)).toBe("over 9");
    expect(of(200, {}, "seconds")).toBe("over 3 min");
  });
  it("inverts", () =>
    expect(of(70, { invertThresholds: true, firstThresholdValue: "90", secondThresholdValue: "80" })).toBe(
      "below 80",
    ));
  it("says nothing without a number or a limit", () => {
    expect(of("ERR")).toBeUndefined();
    expect(of(99, { firstThresholdValue: "", secondThresholdValue: undefined })).toBeUndefined();
  });
});

describe("settings", () => {
  it("gives a threshold the style that the form shows, and leaves what is chosen", () => {
    const plain = { label: "A", formula: "1" };
    expect(whole(plain)).toEqual(plain);
    expect(whole({ ...plain, firstThresholdValue: "3" }).firstThresholdStyle?.styleName).toBe("Warn");
    expect(whole({ ...plain, secondThresholdValue: "0" }).secondThresholdStyle?.styleName).toBe("Error");
    const own = {
      styleName: "Mine",
      headlineColour: "colorText",
      statColour: "colorText",
      backgroundColour: "colorText",
    };
    expect(whole({ ...plain, firstThresholdValue: "3", firstThresholdStyle: own }).firstThresholdStyle).toBe(
      own,
    );
  });

  it("makes names", () => {
    expect(uniqueName("Tasks waiting!", undefined)).toBe("tasks_waiting");
    expect(uniqueName("A", { a: { metric: { label: "", formula: "" } } })).toBe("a_2");
    expect(uniqueName("…", undefined)).toBe("metric");
  });
  it("says problems in words, under their fields", () => {
    expect(problemText({ message: "`workes` is not a field", line: 1, column: 14 })).toBe(
      "line 1, column 14: `workes` is not a field",
    );
    expect(
      byField([{ field: "formula", message: "a" }, { field: "formula", message: "b" }, { message: "c" }]),
    ).toEqual({ formula: "a", "": "c" });
    expect(previewError(undefined)).toBeUndefined();
  });
  it("writes paths as formulas do", () => {
    expect(step(step("data.queues", 0), "friendlyName")).toBe("data.queues[0].friendlyName");
    expect(step("data", "60")).toBe('data["60"]');
  });
});

describe("TV", () => {
  it("packs what fits", () => {
    expect(pack([3, 5, 3, 4, 20, 3], (n) => n, 13)).toEqual([[3, 5, 3], [4], [20], [3]]);
    expect(digits("04:12")).toBe(4.5);
    expect(capacity(1920, 1080)).toBeGreaterThan(digits("17") + digits("04:12") + digits("100"));
  });
  it("shortens ages below an hour only", () => {
    expect(shorten("00:04:12")).toBe("04:12");
    expect(shorten("01:04:12")).toBe("01:04:12");
  });
  it("moves a few pixels each minute and comes back", () => {
    expect(shift(1)).not.toEqual(shift(2));
    expect(shift(8)).toEqual(shift(0));
  });
});

describe("agents", () => {
  const worker = (friendly_name: string, activity_name: string, date_status_changed: string | null) => ({
    worker_sid: friendly_name,
    friendly_name,
    activity_name,
    date_status_changed,
  });
  it("groups by Activity, the longest first, unknown last", () => {
    const found = groups(
      [
        worker("a", "Break", null),
        worker("b", "Break", "2026-01-01T10:00:00Z"),
        worker("c", "Offline", null),
      ],
      "",
    );
    expect(found.map(([name, people]) => [name, people.map((w) => w.friendly_name)])).toEqual([
      ["Break", ["b", "a"]],
      ["Offline", ["c"]],
    ]);
  });
});

describe("readBy", () => {
  it("says why a number was read, where it is known", () => {
    expect(readBy("event")).toMatch(/after an event\.$/);
    expect(readBy("timer")).toMatch(/by the timer\.$/);
    expect(readBy(undefined)).toMatch(/and by a timer\.$/);
  });
});
