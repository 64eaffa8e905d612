/** The languages of the shared components. */
import * as React from "react";
import { de } from "./de.ts";
import { en, type Texts } from "./en.ts";

export type { Texts };

export const LANGUAGES = { en, de } as const;
export type Language = keyof typeof LANGUAGES;

/** The first of a user's languages that there is, by its main part: `de-AT` is German. */
export function languageOf(wanted: readonly string[]): Language {
  const mains = wanted.map((tag) => tag.split("-")[0]?.toLowerCase() ?? "");
  return mains.find((main): main is Language => Object.hasOwn(LANGUAGES, main)) ?? "en";
}

const TextContext = React.createContext<Texts>(en);

export const TextProvider = TextContext.Provider;
export const useText = (): Texts => React.useContext(TextContext);
