import { useSyncExternalStore } from "react";
import { recall, remember } from "../remembered.ts";

export type Theme = "twilio" | "twilio-dark";

const subscribers = new Set<() => void>();

export function storedTheme(): Theme {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  return recall<Theme>("theme", dark ? "twilio-dark" : "twilio");
}

export function applyTheme(theme: Theme): void {
  document.body.dataset.theme = theme;
  for (const tell of subscribers) tell();
}

export function toggleTheme(): void {
  const theme = document.body.dataset.theme === "twilio" ? "twilio-dark" : "twilio";
  remember("theme", theme);
  applyTheme(theme);
}

export const useTheme = () =>
  useSyncExternalStore(
    (tell) => {
      subscribers.add(tell);
      return () => subscribers.delete(tell);
    },
    () => (document.body.dataset.theme ?? "twilio") as Theme,
  );
