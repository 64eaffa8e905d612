/** What this browser remembers; a browser that refuses storage forgets, and that is all. */
import { useCallback, useState } from "react";

export function recall<T>(key: string, otherwise: T): T {
  try {
    const text = localStorage.getItem(`taskrouter-sync.${key}`);
    return text === null ? otherwise : (JSON.parse(text) as T);
  } catch {
    return otherwise;
  }
}

export function remember(key: string, value: unknown): void {
  try {
    if (value === undefined) localStorage.removeItem(`taskrouter-sync.${key}`);
    else localStorage.setItem(`taskrouter-sync.${key}`, JSON.stringify(value));
  } catch {
    // Nothing to do: see above.
  }
}

export function useRemembered<T>(key: string, otherwise: T): [T, (value: T) => void] {
  const [value, setValue] = useState<T>(() => recall(key, otherwise));
  const set = useCallback(
    (next: T) => {
      setValue(next);
      remember(key, next);
    },
    [key],
  );
  return [value, set];
}
