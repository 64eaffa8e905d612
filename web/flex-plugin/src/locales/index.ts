/** The languages of the plugin and of the shared components in it. */
import { de as sharedDe } from "@taskrouter-sync/shared/locales/de.ts";
import { en as sharedEn } from "@taskrouter-sync/shared/locales/en.ts";
import type { Texts } from "@taskrouter-sync/shared/locales/index.ts";
import * as React from "react";
import { de } from "./de.ts";
import { en, type PluginTexts } from "./en.ts";

export type { PluginTexts } from "./en.ts";

export interface Language {
  plugin: PluginTexts;
  shared: Texts;
}

const ENGLISH: Language = { plugin: en, shared: sharedEn };
const GERMAN: Language = { plugin: de, shared: sharedDe };

/** By a language tag such as `de-AT`; English for any other. */
export const languageOf = (tag: string | undefined): Language =>
  tag?.toLowerCase().split("-")[0] === "de" ? GERMAN : ENGLISH;

const LanguageContext = React.createContext<Language>(ENGLISH);
export const LanguageProvider = LanguageContext.Provider;
export const usePluginText = (): PluginTexts => React.useContext(LanguageContext).plugin;
