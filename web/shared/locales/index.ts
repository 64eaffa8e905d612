/** The languages of the shared components. A further one is a file that `satisfies Texts`. */
import * as React from "react";
import { en } from "./en.ts";

export type Texts = typeof en;

const TextContext = React.createContext<Texts>(en);

export const TextProvider = TextContext.Provider;
export const useText = (): Texts => React.useContext(TextContext);
