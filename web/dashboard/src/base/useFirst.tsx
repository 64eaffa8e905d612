import controls from "@taskrouter-sync/shared/ui/controls.module.css";
import { type ReactNode, useState } from "react";
import { usePageText } from "../locales/index.ts";

/**
 * The first of a long list, and a button for more: ages are drawn each second, and thousands of rows take longer than
 * that. The whole list is searched.
 */
export function useFirst<T>(
  items: readonly T[],
  few: number,
  step: number = few,
): { first: readonly T[]; more: ReactNode } {
  const text = usePageText().lists;
  const [most, setMost] = useState(few);
  const hidden = items.length - most;
  if (hidden <= 0) return { first: items, more: undefined };
  const more = (
    <p className="more">
      <button type="button" className={controls.link} onClick={() => setMost(most + step)}>
        {text.more(Math.min(step, hidden), items.length)}
      </button>
    </p>
  );
  return { first: items.slice(0, most), more };
}
