import { shape, untranslated } from "@taskrouter-sync/shared/test/texts.ts";
import { expect, it } from "vitest";
import { PAGE_TEXTS } from "./index.ts";

it("every language has the same keys, and its sentences take the same values", () => {
  for (const texts of Object.values(PAGE_TEXTS))
    expect(shape(texts).sort()).toEqual(shape(PAGE_TEXTS.en).sort());
});

it("German is translated, but for words that both have", () => {
  expect(untranslated(PAGE_TEXTS.en, PAGE_TEXTS.de)).toEqual([
    "views.wallboard",
    "shell.tv",
    "tasks.status",
    "tasks.agent",
    "callQuality.columns.agent",
    "editor.format",
    "editor.formats.seconds",
    "editor.formats.duration",
    "tv.title",
  ]);
});
