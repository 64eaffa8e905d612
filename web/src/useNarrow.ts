import { useSyncExternalStore } from "react";

const query = "(max-width: 719px)";

export const useNarrow = () =>
  useSyncExternalStore(
    (tell) => {
      const list = matchMedia(query);
      list.addEventListener("change", tell);
      return () => list.removeEventListener("change", tell);
    },
    () => matchMedia(query).matches,
  );
