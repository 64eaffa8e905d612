import * as React from "react";

/** How far below the start of the scrolled content the table's body begins. */
export function useScrollMargin(
  scroller: React.RefObject<HTMLElement | null>,
  body: React.RefObject<HTMLElement | null>,
): number {
  const [margin, setMargin] = React.useState(0);
  const [mounted, setMounted] = React.useState(false);
  // An ancestor's ref is set after the first layout effects of its children: draw once more when it is there.
  React.useEffect(() => setMounted(true), []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  React.useLayoutEffect(() => {
    const outer = scroller.current;
    const measure = () => {
      if (!body.current || !outer) return;
      const top = body.current.getBoundingClientRect().top - outer.getBoundingClientRect().top;
      setMargin(Math.round(top + outer.scrollTop));
    };
    measure();
    if (typeof ResizeObserver === "undefined") return undefined;
    const watch = new ResizeObserver(measure);
    if (outer) watch.observe(outer);
    // Whatever stands above the table may grow, tiles for example.
    for (
      let one: Element | null = body.current?.closest("[role=table]") ?? null;
      one && one !== outer;
      one = one.parentElement
    ) {
      const before = one.previousElementSibling;
      if (before) watch.observe(before);
    }
    return () => watch.disconnect();
  }, [scroller, body, mounted]);
  return margin;
}
