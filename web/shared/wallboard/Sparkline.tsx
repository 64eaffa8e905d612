import * as React from "react";
import type uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useHistory, useLiveStore } from "../live/react.tsx";
import { useTokenTheme } from "../ui/TokenScope.tsx";
import css from "./plot.module.css";
import { coloursOf, drawMarks, scales } from "./plot.ts";
import { usePlot } from "./usePlot.ts";

export interface SparklineProps {
  name: string;
  /** Drawn as a hairline. */
  limit?: number | undefined;
  height: number;
  /** Width of the line. */
  thick?: number;
  /** The line's colour on a coloured ground. */
  colour?: string | undefined;
  past?: boolean;
}

/** A curve without axes, its last point marked. Screen readers get the number beside it instead. */
export function Sparkline({ name, limit, height, thick = 1.5, colour, past = true }: SparklineProps) {
  const live = useLiveStore();
  const points = useHistory(name, past);
  const theme = useTokenTheme();

  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme's colours are read when the plot is made
  const options = React.useCallback(
    (element: HTMLElement): Omit<uPlot.Options, "width" | "height"> => {
      const colours = coloursOf(element, colour);
      return {
        padding: [4, 6, 4, 2],
        legend: { show: false },
        cursor: { show: false },
        scales: scales(live, limit),
        axes: [{ show: false }, { show: false }],
        series: [{}, { stroke: colours.line, width: thick, spanGaps: false, points: { show: false } }],
        hooks: {
          draw: [
            (plot) =>
              drawMarks(
                plot,
                colours,
                limit,
                live.history.of(name).findLast(([, v]) => v !== null),
                thick,
              ),
          ],
        },
      };
    },
    [live, name, limit, thick, colour, theme],
  );
  const box = usePlot(points, height, options);
  return (
    <div className={css.spark} ref={box} aria-hidden="true" style={{ minHeight: height, color: colour }} />
  );
}
