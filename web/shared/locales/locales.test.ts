import { expect, it } from "vitest";
import { shape, untranslated } from "../test/texts.ts";
import { LANGUAGES, languageOf } from "./index.ts";

it("every language has the same keys, and its sentences take the same values", () => {
  for (const texts of Object.values(LANGUAGES))
    expect(shape(texts).sort()).toEqual(shape(LANGUAGES.en).sort());
});

it("German is translated, but for words that both have", () => {
  expect(untranslated(LANGUAGES.en, LANGUAGES.de)).toEqual(["source.names.sync"]);
});

it("is the first of the browser's languages that there is, else English", () => {
  expect(languageOf(["de-AT", "en"])).toBe("de");
  expect(languageOf(["fr-FR", "de"])).toBe("de");
  expect(languageOf(["en-GB", "de"])).toBe("en");
  for (const none of [[], ["fr"], ["constructor"], [""]]) expect(languageOf(none)).toBe("en");
});
