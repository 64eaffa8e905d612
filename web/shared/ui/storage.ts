/** State that this browser keeps. What is stored may be older than the program or damaged: it is checked, or ignored. */
import * as React from "react";
import * as v from "valibot";

const PREFIX = "taskrouter-sync.";

export function readStored<S extends v.GenericSchema>(key: string, schema: S): v.InferOutput<S> | undefined {
  try {
    const text = localStorage.getItem(PREFIX + key);
    if (text === null) return undefined;
    const result = v.safeParse(schema, JSON.parse(text));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}

/** `undefined` removes the key. A browser that refuses storage forgets, and nothing else happens. */
export function writeStored(key: string, value: unknown): void {
  try {
    if (value === undefined) localStorage.removeItem(PREFIX + key);
    else localStorage.setItem(PREFIX + key, JSON.stringify(value));
  } catch {
    // See above.
  }
}

export function removeStored(prefix: string): void {
  try {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(PREFIX + prefix)) localStorage.removeItem(key);
    }
  } catch {
    // See above.
  }
}

export function useStoredState<S extends v.GenericSchema>(
  key: string,
  schema: S,
  initial: v.InferOutput<S>,
): [v.InferOutput<S>, (value: v.InferOutput<S>) => void] {
  const [value, setValue] = React.useState<v.InferOutput<S>>(() => readStored(key, schema) ?? initial);
  const set = React.useCallback(
    (next: v.InferOutput<S>) => {
      setValue(next);
      writeStored(key, next);
    },
    [key],
  );
  return [value, set];
}
