/** What this browser keeps for the plugin. What is stored may be older than the plugin or damaged: it is checked, or ignored. */
import * as React from "react";
import * as v from "valibot";

const PREFIX = "taskrouter-sync.";

export function read<S extends v.GenericSchema>(key: string, schema: S): v.InferOutput<S> | undefined {
  try {
    const text = localStorage.getItem(PREFIX + key);
    const result = text === null ? undefined : v.safeParse(schema, JSON.parse(text));
    return result?.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}

/** A browser that refuses storage forgets, and nothing else happens. */
export function write(key: string, value: unknown): void {
  try {
    localStorage.setItem(PREFIX + key, JSON.stringify(value));
  } catch {
    // See above.
  }
}

export function useStored<S extends v.GenericSchema>(
  key: string,
  schema: S,
  initial: v.InferOutput<S>,
): [v.InferOutput<S>, (value: v.InferOutput<S>) => void] {
  const [value, setValue] = React.useState<v.InferOutput<S>>(() => read(key, schema) ?? initial);
  const set = React.useCallback(
    (next: v.InferOutput<S>) => {
      setValue(next);
      write(key, next);
    },
    [key],
  );
  return [value, set];
}
