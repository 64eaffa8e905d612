/** The texts of curves, report and replay in the page's language. */
import { type Language, useText } from "@taskrouter-sync/shared/locales/index.ts";
import { de } from "./de.ts";
import { en, type HistoryTexts } from "./en.ts";

export type { HistoryTexts };

export const HISTORY_TEXTS: Readonly<Record<Language, HistoryTexts>> = { en, de };

export const useHistoryText = (): HistoryTexts => HISTORY_TEXTS[useText().language as Language];
