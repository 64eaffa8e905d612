/** The page's language; `<html lang>` follows it. */
import { createContext, useContext } from "react";
import { en, type PageTexts } from "./en.ts";

const PageTextContext = createContext<PageTexts>(en);
export const usePageText = () => useContext(PageTextContext);
