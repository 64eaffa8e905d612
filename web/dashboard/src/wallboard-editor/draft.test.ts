import type { Style } from "@taskrouter-sync/shared/api/types.ts";
import { DEFAULT_STYLES } from "@taskrouter-sync/shared/wallboard/presets.ts";
import { describe, expect, it } from "vitest";
import { en } from "../locales/en.ts";
import {
  appendPath,
  byField,
  clockSeconds,
  elementPath,
  previewError,
  previewProblem,
  problemText,
  uniqueName,
  unreachable,
  withDefaults,
} from "./draft.ts";

const text = en.editor;

describe("settings", () => {
  it("gives a threshold the style that the form shows, and leaves what is chosen", () => {
    const plain = { label: "A", formula: "1" };
    expect(withDefaults(plain)).toEqual(plain);
    expect(withDefaults({ ...plain, firstThresholdValue: "3" }).firstThresholdStyle?.styleName).toBe("Warn");
    expect(withDefaults({ ...plain, secondThresholdValue: "0" }).secondThresholdStyle?.styleName).toBe(
      "Error",
    );
    const own = {
      styleName: "Mine",
      headlineColour: "colorText",
      statColour: "colorText",
      backgroundColour: "colorText",
    };
    expect(
      withDefaults({ ...plain, firstThresholdValue: "3", firstThresholdStyle: own }).firstThresholdStyle,
    ).toBe(own);
  });

  it("makes names", () => {
    expect(uniqueName("Tasks waiting!", undefined)).toBe("tasks_waiting");
    expect(uniqueName("A", { a: { metric: { label: "", formula: "" } } })).toBe("a_2");
    expect(uniqueName("…", undefined)).toBe("metric");
  });
  it("says problems in words, under their fields", () => {
    expect(problemText({ message: "`workes` is not a field", line: 1, column: 14 }, text)).toBe(
      "line 1, column 14: `workes` is not a field",
    );
    expect(
      byField(
        [{ field: "formula", message: "a" }, { field: "formula", message: "b" }, { message: "c" }],
        text,
      ),
    ).toEqual({ formula: "a", "": "c" });
    expect(previewError(undefined, text)).toBeUndefined();
  });
  it("writes paths as formulas do", () => {
    expect(appendPath(appendPath("data.queues", 0), "friendlyName")).toBe("data.queues[0].friendlyName");
    expect(appendPath("data", "60")).toBe('data["60"]');
  });
});

describe("thresholds in the form", () => {
  const form = (first: string, second: string, invertThresholds = false) => ({
    label: "A",
    formula: "1",
    firstThresholdValue: first,
    secondThresholdValue: second,
    invertThresholds,
  });

  it("takes 5:00 for 300 seconds", () => {
    expect(["5:00", " 1:05:00 ", "0:09"].map(clockSeconds)).toEqual([300, 3900, 9]);
    expect(["300", "5:70", "5:0", "", "x"].map(clockSeconds)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(withDefaults(form("3:00", "5:00"))).toMatchObject({
      firstThresholdValue: "180",
      secondThresholdValue: "300",
    });
  });

  it("knows a threshold that never shows", () => {
    expect(unreachable(form("3:00", "300"))).toBeUndefined();
    expect(unreachable(form("10", "9"))).toBe("first");
    expect(unreachable(form("20", "30", true))).toBeUndefined();
    expect(unreachable(form("90", "80", true))).toBe("second");
    expect(unreachable(form("", "80"))).toBeUndefined();
  });
});

it("names a TaskQueue by its SID, which stays when another queue is added", () => {
  expect(elementPath("data.queues", 2, { sid: "WQ1" })).toBe('queue("WQ1")');
  expect(elementPath("data.queues", 2, {})).toBe("data.queues[2]");
  expect(elementPath("data.workspace.realtime.activity_statistics", 0, { sid: "WA1" })).toBe(
    "data.workspace.realtime.activity_statistics[0]",
  );
});

describe("a preview", () => {
  const form = { label: "A", formula: "1" };
  const preview = { value: 1, text: "1", style: DEFAULT_STYLES.defaultStyle as Style };

  it("belongs to one state of the form: a failed one never shows an older result", () => {
    expect(previewProblem({ for: form, status: "error", message: "timed out" }, form, text)).toBe(
      "timed out",
    );
    expect(
      previewProblem({ for: form, status: "error", message: "timed out" }, { ...form }, text),
    ).toBeUndefined();
    expect(previewProblem({ for: form, status: "answer", preview }, form, text)).toBeUndefined();
    const failing = { ...preview, error: { message: "no such field", line: 1, column: 3 } };
    expect(previewProblem({ for: form, status: "answer", preview: failing }, form, text)).toBe(
      "line 1, column 3: no such field",
    );
  });
});
