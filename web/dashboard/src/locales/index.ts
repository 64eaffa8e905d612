/** The page's texts in its language. */
import type { Language } from "@taskrouter-sync/shared/locales/index.ts";
import { createContext, useContext } from "react";
import { de } from "./de.ts";
import { en, type PageTexts } from "./en.ts";

export type { PageTexts };

export const PAGE_TEXTS: Readonly<Record<Language, PageTexts>> = { en, de };

const PageTextContext = createContext<PageTexts>(en);

export const PageTextProvider = PageTextContext.Provider;
export const usePageText = () => useContext(PageTextContext);
