import * as React from "react";
import type uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { compactDuration, isSpan } from "../format/duration.ts";
import { metricText } from "../format/number.ts";
import { clockTimeSeconds } from "../format/time.ts";
import { useHistory, useLiveStore } from "../live/react.tsx";
import { useText } from "../locales/index.ts";
import { useTokenTheme } from "../ui/TokenScope.tsx";
import css from "./plot.module.css";
import { coloursOf, drawMarks, scales } from "./plot.ts";
import { usePlot } from "./usePlot.ts";

export interface ChartProps {
  name: string;
  label: string;
  limit?: number | undefined;
  format: string;
  timeZone: string;
  height: number;
  past?: boolean;
}

const THICK = 1.5;

/** A curve with axes, units and a crosshair; screen readers get its latest, lowest and highest value. */
export function Chart({ name, label, limit, format, timeZone, height, past = true }: ChartProps) {
  const live = useLiveStore();
  const text = useText().metric;
  const points = useHistory(name, past);
  const theme = useTokenTheme();
  const unit = React.useCallback(
    (v: number | null) => (v == null ? "–" : compactDuration(metricText(format, v, timeZone) ?? String(v))),
    [format, timeZone],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme's colours are read when the plot is made
  const options = React.useCallback(
    (element: HTMLElement): Omit<uPlot.Options, "width" | "height"> => {
      const colours = coloursOf(element);
      const at = (t: number) => clockTimeSeconds(t * 1000, timeZone);
      const axis: uPlot.Axis = {
        stroke: colours.line,
        grid: { stroke: colours.grid, width: 1 },
        ticks: { show: false },
        font: '12px "Inter Variable", system-ui',
      };
      return {
        padding: [8, 22, 0, 0],
        cursor: { y: false, points: { size: 7 } },
        scales: scales(live, limit),
        axes: [
          { ...axis, values: (_, ticks) => ticks.map((t) => at(t).slice(0, 5)) },
          { ...axis, size: format === "" ? 48 : 76, values: (_, ticks) => ticks.map(unit) },
        ],
        series: [
          { label: text.at, value: (_, t) => (t == null ? "–" : at(t)) },
          {
            label: isSpan(format) ? text.time : text.value,
            value: (_, v) => unit(v),
            stroke: colours.line,
            width: THICK,
            spanGaps: false,
            points: { show: false },
          },
        ],
        hooks: {
          draw: [
            (plot) =>
              drawMarks(
                plot,
                colours,
                limit,
                live.history.of(name).findLast(([, v]) => v !== null),
                THICK,
              ),
          ],
        },
      };
    },
    [live, name, limit, format, timeZone, unit, text, theme],
  );
  const box = usePlot(points, height, options);
  const values = points.flatMap(([, value]) => (value === null ? [] : [value]));
  const latest = values.at(-1);
  const summary =
    latest === undefined
      ? text.chartEmpty(label)
      : text.chart(label, unit(latest), unit(Math.min(...values)), unit(Math.max(...values)));
  return (
    <div role="img" aria-label={summary}>
      <div className={css.chart} ref={box} aria-hidden="true" style={{ minHeight: height }} />
    </div>
  );
}
