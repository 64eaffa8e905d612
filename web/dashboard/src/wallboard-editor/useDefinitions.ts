/** The metrics' definitions: read when the wallboard opens, changed one step at a time, each step undoable. */
import { messageOf } from "@taskrouter-sync/shared/api/errors.ts";
import type { Definition, Definitions } from "@taskrouter-sync/shared/api/types.ts";
import { useCallback, useEffect, useMemo, useState } from "react";
import { useClient } from "../base/session.ts";
import { useToaster } from "../base/Toaster.tsx";
import { usePageText } from "../locales/index.ts";

export interface DefinitionsApi {
  all: Definitions | undefined;
  /** Why the last reading failed. */
  trouble: string | undefined;
  /** Reads them again: others may have changed them. */
  read(): Promise<void>;
  /** Changes these fields of what is saved by now, and leaves the others, which another editor may have changed. */
  change(name: string, fields: Partial<Definition>, anyway: boolean): Promise<void>;
  /** `anyway` saves a formula that has no value now; otherwise the service refuses it. */
  add(name: string, metric: Definition, anyway: boolean): Promise<void>;
  remove(name: string): Promise<void>;
  reorder(names: string[]): Promise<boolean>;
}

const NOTICE = "definitions";

export function useDefinitions(): DefinitionsApi {
  const client = useClient();
  const toaster = useToaster();
  const text = usePageText().editor;
  const [all, setAll] = useState<Definitions>();
  const [trouble, setTrouble] = useState<string>();

  const read = useCallback(async () => {
    try {
      setAll(await client.definitions());
      setTrouble(undefined);
    } catch (error) {
      setTrouble(messageOf(error));
    }
  }, [client]);
  useEffect(() => void read(), [read]);

  return useMemo(() => {
    const undoable = (announcement: string, back: () => Promise<unknown>) => {
      const run = async () => {
        try {
          await back();
        } catch (error) {
          toaster.show(NOTICE, { kind: "error", text: text.notUndone(messageOf(error)) });
        }
        await read();
      };
      toaster.show(NOTICE, {
        kind: "status",
        text: announcement,
        action: { label: text.undo, run: () => void run() },
      });
    };
    return {
      all,
      trouble,
      read,
      async change(name, fields, anyway) {
        const before = (await client.definitions())[name];
        if (!before) throw new Error(text.removedMeanwhile);
        const metric = { ...before.metric, ...fields };
        setAll(await client.save({ [name]: { metric } }, { refuseFailing: !anyway }));
        const announcement = anyway ? text.savedFailing(metric.label) : text.saved(metric.label);
        undoable(announcement, () => client.save({ [name]: before }));
      },
      async add(name, metric, anyway) {
        setAll(await client.save({ [name]: { metric } }, { refuseFailing: !anyway }));
        undoable(anyway ? text.savedFailing(metric.label) : text.added(metric.label), () =>
          client.remove([name]),
        );
      },
      async remove(name) {
        const before = all?.[name];
        const names = Object.keys(all ?? {});
        await client.remove([name]);
        await read();
        if (before) {
          undoable(text.removed(before.metric.label), async () => {
            await client.save({ [name]: before });
            await client.order(names);
          });
        }
      },
      async reorder(names) {
        const before = Object.keys(all ?? {});
        try {
          await client.order(names);
        } catch (error) {
          toaster.show(NOTICE, { kind: "error", text: text.notMoved(messageOf(error)) });
          return false;
        }
        await read();
        undoable(text.reordered, () => client.order(before));
        return true;
      },
    };
  }, [all, trouble, read, client, toaster, text]);
}
