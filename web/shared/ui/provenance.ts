import type { ReadBy } from "../api/types.ts";
import type { Texts } from "../locales/index.ts";

/** When a number is updated, and what caused the last update. */
export const updateCause = (cause: ReadBy | undefined, text: Texts["provenance"]): string =>
  text.updated + (cause === undefined ? "" : text.lastUpdate[cause]);
