import * as React from "react";
import uPlot from "uplot";
import type { Points } from "../api/types.ts";
import { alignedData } from "./plot.ts";

/** Makes a plot in an element, fits it to its width, and gives it new points at most once a frame. */
export function usePlot(
  points: Points,
  height: number,
  /** A new function makes a new plot. */
  optionsOf: (element: HTMLElement) => Omit<uPlot.Options, "width" | "height">,
): React.RefObject<HTMLDivElement> {
  const box = React.useRef<HTMLDivElement>(null);
  const plot = React.useRef<uPlot | undefined>(undefined);
  const latest = React.useRef(points);
  latest.current = points;

  React.useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const width = () => Math.max(40, element.clientWidth);
    const made = new uPlot(
      { ...optionsOf(element), width: width(), height },
      alignedData(latest.current),
      element,
    );
    plot.current = made;
    const watch = new ResizeObserver(() => made.setSize({ width: width(), height }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [height, optionsOf]);

  React.useEffect(() => {
    const frame = requestAnimationFrame(() => plot.current?.setData(alignedData(points)));
    return () => cancelAnimationFrame(frame);
  }, [points]);

  return box;
}
