/** The page's language: the address's (`?lang=de`, for TVs), the user's choice, or what the browser prefers. */
import { type Language, languageOf } from "@taskrouter-sync/shared/locales/index.ts";
import { readStored, writeStored } from "@taskrouter-sync/shared/ui/storage.ts";
import * as v from "valibot";

export const languageSchema = v.picklist(["en", "de"]);

export interface Wishes {
  /** The address's query. */
  search: string;
  stored: Language | undefined;
  /** The browser's languages, the preferred one first. */
  browser: readonly string[];
}

export function chooseLanguage({ search, stored, browser }: Wishes): Language {
  const asked = v.safeParse(languageSchema, new URLSearchParams(search).get("lang"));
  return asked.success ? asked.output : (stored ?? languageOf(browser));
}

export const pageLanguage = (): Language =>
  chooseLanguage({
    search: location.search,
    stored: readStored("language", languageSchema),
    browser: navigator.languages,
  });

/** Texts are chosen once, at the start of the page. */
export function changeLanguage(language: Language): void {
  writeStored("language", language);
  const address = new URL(location.href);
  address.searchParams.delete("lang");
  if (address.href === location.href) location.reload();
  else location.assign(address);
}
