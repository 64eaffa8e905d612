/** Light or dark: the user's choice, or what the operating system says at present. */

import { readStored, writeStored } from "@taskrouter-sync/shared/ui/storage.ts";
import { useSyncExternalStore } from "react";
import * as v from "valibot";

export const themeSchema = v.picklist(["twilio", "twilio-dark"]);
export type Theme = v.InferOutput<typeof themeSchema>;

const DARK = "(prefers-color-scheme: dark)";
const listeners = new Set<() => void>();

const current = (): Theme =>
  readStored("theme", themeSchema) ?? (matchMedia(DARK).matches ? "twilio-dark" : "twilio");

function apply(): void {
  document.body.dataset.theme = current();
  for (const listener of listeners) listener();
}

/** Applies the theme, and follows the operating system until the user chooses. */
export function startTheme(): void {
  apply();
  matchMedia(DARK).addEventListener("change", apply);
}

export function toggleTheme(): void {
  writeStored("theme", current() === "twilio" ? "twilio-dark" : "twilio");
  apply();
}

export const useTheme = () =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => (document.body.dataset.theme ?? "twilio") as Theme,
  );
