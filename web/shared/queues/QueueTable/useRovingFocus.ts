/**
 * The keyboard in the table: up and down go from queue to queue, left and right along the cells of a row, Home, End and
 * the page keys far. The target may not be in the page yet; it is focused once it is.
 */
import * as React from "react";
import type { Entry } from "./entry.ts";

const PAGE = 10;

interface RovingFocusOptions {
  entries: readonly Entry[];
  body: React.RefObject<HTMLElement | null>;
  /** The key of the row with focus; read while rows are windowed. */
  focused: React.MutableRefObject<string | undefined>;
  scrollTo(index: number): void;
  onInside(inside: boolean): void;
}

export function useRovingFocus({ entries, body, focused, scrollTo, onInside }: RovingFocusOptions) {
  const [target, setTarget] = React.useState<{ key: string }>();

  React.useLayoutEffect(() => {
    if (!target) return;
    const row = [...(body.current?.querySelectorAll<HTMLElement>("[data-key]") ?? [])].find(
      (one) => one.dataset.key === target.key,
    );
    row?.querySelector<HTMLElement>("[role=rowheader] button")?.focus({ preventScroll: true });
  }, [target, body]);

  const moveFocus = (from: string, step: (index: number, last: number) => number) => {
    const whole = entries.flatMap((entry, index) => (entry.scope === "all" ? [{ entry, index }] : []));
    const at = whole.findIndex(({ entry }) => from === entry.key || from.startsWith(`${entry.key} `));
    const next = whole[Math.max(0, Math.min(whole.length - 1, step(at, whole.length - 1)))];
    if (!next) return;
    focused.current = next.entry.key;
    scrollTo(next.index);
    setTarget({ key: next.entry.key });
  };

  return {
    onFocus(event: React.FocusEvent) {
      focused.current = (event.target as HTMLElement).closest<HTMLElement>("[data-key]")?.dataset.key;
      onInside(true);
    },
    onBlur(event: React.FocusEvent<HTMLElement>) {
      if (event.currentTarget.contains(event.relatedTarget as Node | null)) return;
      focused.current = undefined;
      onInside(false);
    },
    onKeyDown(event: React.KeyboardEvent<HTMLElement>) {
      const from = (event.target as HTMLElement).closest<HTMLElement>("[data-key]");
      if (!from?.dataset.key || event.altKey || event.ctrlKey || event.metaKey) return;
      const rows: Record<string, (index: number, last: number) => number> = {
        ArrowDown: (index) => index + 1,
        ArrowUp: (index) => index - 1,
        PageDown: (index) => index + PAGE,
        PageUp: (index) => index - PAGE,
        Home: () => 0,
        End: (_, last) => last,
      };
      const step = Object.hasOwn(rows, event.key) ? rows[event.key] : undefined;
      if (step) {
        event.preventDefault();
        moveFocus(from.dataset.key, step);
      } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
        event.preventDefault();
        const places = [...from.querySelectorAll<HTMLElement>("[role=rowheader] button, [role=cell]")];
        const here = places.findIndex((one) => one.contains(event.target as Node));
        places[here + (event.key === "ArrowRight" ? 1 : -1)]?.focus();
      }
    },
  };
}
