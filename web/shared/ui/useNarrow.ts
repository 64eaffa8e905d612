import { useSyncExternalStore } from "use-sync-external-store/shim";

const QUERY = "(max-width: 719px)";

const subscribe = (listener: () => void) => {
  const list = matchMedia(QUERY);
  list.addEventListener("change", listener);
  return () => list.removeEventListener("change", listener);
};

/** Whether the screen is as narrow as a phone's. */
export const useNarrow = () => useSyncExternalStore(subscribe, () => matchMedia(QUERY).matches);
