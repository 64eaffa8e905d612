/** The metrics' definitions: read once the wallboard opens, changed one step at a time, each step undoable. */
import { useCallback, useEffect, useMemo, useState } from "react";
import * as api from "../api.ts";
import type { Definition, Definitions } from "../types.ts";

export interface Undo {
  said: string;
  run(): Promise<void>;
}

export interface Editing {
  all: Definitions | undefined;
  undo: Undo | undefined;
  trouble: string | undefined;
  forget(): void;
  /** Reads them again: others may have changed them. */
  read(): Promise<void>;
  /** Changes these fields of what is saved by now, and leaves the others as somebody else may have set them. */
  change(name: string, fields: Partial<Definition>): Promise<void>;
  add(name: string, metric: Definition): Promise<void>;
  remove(name: string): Promise<void>;
  reorder(names: string[]): Promise<void>;
}

export function useDefinitions(): Editing {
  const [all, setAll] = useState<Definitions>();
  const [undo, setUndo] = useState<Undo>();
  const [trouble, setTrouble] = useState<string>();

  const read = useCallback(() => api.definitions().then(setAll, () => undefined), []);
  useEffect(() => void read(), [read]);

  return useMemo(() => {
    const step = (said: string, back: () => Promise<unknown>) => {
      setTrouble(undefined);
      setUndo({
        said,
        run: async () => {
          setUndo(undefined);
          try {
            await back();
          } catch (error) {
            setTrouble(`Not undone: ${error instanceof Error ? error.message : error}`);
          }
          await read();
        },
      });
    };
    return {
      all,
      undo,
      trouble,
      forget: () => setUndo(undefined),
      read,
      async change(name, fields) {
        const before = (await api.definitions())[name];
        if (!before) throw new Error("This metric was removed meanwhile.");
        const metric = { ...before.metric, ...fields };
        setAll(await api.save({ [name]: { metric } }));
        step(`“${metric.label}” saved.`, () => api.save({ [name]: before }));
      },
      async add(name, metric) {
        setAll(await api.save({ [name]: { metric } }));
        step(`“${metric.label}” added.`, () => api.remove([name]));
      },
      async remove(name) {
        const before = all?.[name];
        const names = Object.keys(all ?? {});
        await api.remove([name]);
        await read();
        if (before) {
          step(`“${before.metric.label}” removed.`, async () => {
            await api.save({ [name]: before });
            await api.order(names);
          });
        }
      },
      async reorder(names) {
        const before = Object.keys(all ?? {});
        try {
          await api.order(names);
        } catch (error) {
          setTrouble(`Not moved: ${error instanceof Error ? error.message : error}`);
          return;
        }
        await read();
        step("Order changed.", () => api.order(before));
      },
    };
  }, [all, undo, trouble, read]);
}
