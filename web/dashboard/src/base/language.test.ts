import { expect, it } from "vitest";
import { chooseLanguage } from "./language.ts";

it("follows the browser, unless the user or the address says otherwise", () => {
  const browser = ["de-CH", "en"];
  expect(chooseLanguage({ search: "", stored: undefined, browser })).toBe("de");
  expect(chooseLanguage({ search: "", stored: "en", browser })).toBe("en");
  expect(chooseLanguage({ search: "?tv=1&lang=de", stored: "en", browser: ["en"] })).toBe("de");
  expect(chooseLanguage({ search: "?lang=xx", stored: undefined, browser: ["fr"] })).toBe("en");
});
