/** The live data in React 17 and 18: a provider, and hooks that draw again only when what they select changes. */
import * as React from "react";
import { useSyncExternalStore } from "use-sync-external-store/shim";
import { useSyncExternalStoreWithSelector } from "use-sync-external-store/shim/with-selector";
import type { Metric, Points, QueueItem } from "../api/types.ts";
import type { Board } from "./board.ts";
import type { Freshness } from "./freshness.ts";
import type { ActiveSource } from "./source.ts";
import type { Live, LiveState } from "./store.ts";

const LiveContext = React.createContext<Live | undefined>(undefined);

export function LiveProvider({ value, children }: { value: Live; children?: React.ReactNode }) {
  return <LiveContext.Provider value={value}>{children}</LiveContext.Provider>;
}

export function useLiveStore(): Live {
  const live = React.useContext(LiveContext);
  if (!live) throw new Error("no LiveProvider above");
  return live;
}

export function useLive<T>(selector: (state: LiveState) => T, equal?: (a: T, b: T) => boolean): T {
  const live = useLiveStore();
  return useSyncExternalStoreWithSelector(live.subscribe, live.getState, live.getState, selector, equal);
}

export const useBoard = (): Board | undefined => useLive((state) => state.board);
export const useQueue = (sid: string): QueueItem | undefined =>
  useLive((state) => state.board?.queues.get(sid));
export const useMetrics = (): readonly Metric[] | undefined => useLive((state) => state.board?.metrics);
export const useFreshness = (): Freshness => useLive((state) => state.freshness);
export const useActiveSource = (): ActiveSource | undefined => useLive((state) => state.activeSource);

/** Since when the numbers may be wrong, or undefined: ages stop there, and numbers are grey. */
export const useStaleSince = (): number | undefined => useLive((state) => state.freshness.staleSince);

/** The service's clock in whole seconds; draws again every second. */
export const useSecond = (): number => useLive((state) => state.second);

/** A metric's curve; `past` is false for a metric that the service doesn't know. */
export function useHistory(name: string, past = true): Points {
  const { history } = useLiveStore();
  React.useEffect(() => {
    if (past) void history.ask(name);
  }, [history, name, past]);
  return useSyncExternalStore(history.subscribe, () => history.of(name));
}
