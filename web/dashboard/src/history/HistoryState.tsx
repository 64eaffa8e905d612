/** Whether the service keeps a history, asked after the first paint and then each minute: views of it appear with the answer. */
import { ApiError } from "@taskrouter-sync/shared/api/errors.ts";
import type { HistoryState } from "@taskrouter-sync/shared/api/history.ts";
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { useClient } from "../base/session.ts";

const AGAIN_MS = 60_000;

/** `missing`: this service has no history at all. Undefined until it is known. */
export type Served = HistoryState | "missing" | undefined;

const ServedContext = createContext<Served>("missing");

export const useServed = (): Served => useContext(ServedContext);

/** The state of a history that the service has, whether it works or not. */
export function useHistoryState(): HistoryState | undefined {
  const served = useServed();
  return served === "missing" ? undefined : served;
}

export function HistoryStateProvider({ children }: { children: ReactNode }) {
  const client = useClient();
  const [served, setServed] = useState<Served>();
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = async () => {
      if (document.visibilityState !== "hidden") {
        try {
          const state = await client.get<HistoryState>("api/history/state", abort.signal);
          if (!abort.signal.aborted)
            setServed((before) => (JSON.stringify(before) === JSON.stringify(state) ? before : state));
        } catch (error) {
          if (abort.signal.aborted) return;
          // While the service is away, what was known of it still holds.
          if (error instanceof ApiError && error.status === 404) return setServed("missing");
        }
      }
      timer = setTimeout(() => void read(), AGAIN_MS);
    };
    void read();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [client]);
  return <ServedContext.Provider value={served}>{children}</ServedContext.Provider>;
}
