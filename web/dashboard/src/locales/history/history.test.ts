import { shape, untranslated } from "@taskrouter-sync/shared/test/texts.ts";
import { expect, it } from "vitest";
import { HISTORY_TEXTS } from "./index.ts";

it("every language has the same keys, and its sentences take the same values", () => {
  for (const texts of Object.values(HISTORY_TEXTS))
    expect(shape(texts).sort()).toEqual(shape(HISTORY_TEXTS.en).sort());
});

it("German is translated, but for words that both have", () => {
  expect(untranslated(HISTORY_TEXTS.en, HISTORY_TEXTS.de)).toEqual([
    "report.csv",
    "report.json",
    "report.fromTwilioMark",
    "replay.wallboard",
  ]);
});
