/** Curves by uPlot: a spark line without axes, and the larger chart with axes, units and a crosshair. */
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { clockTimeSeconds, isSpan, metricText } from "../format.ts";
import { useHistory } from "../live/history.ts";
import { historyOf, serverNow } from "../live/store.ts";
import { useTheme } from "../shell/theme.ts";
import type { Points } from "../types.ts";
import { DRAFT } from "./draft.ts";

interface Props {
  name: string;
  /** Drawn as a hairline. */
  limit?: number;
  format?: string;
  large?: boolean;
  timeZone?: string;
  height: number;
  /** Of the line. */
  thick?: number;
  /** Of the line, where a threshold's style has one. */
  colour?: string;
}

const data = (points: Points): uPlot.AlignedData => [points.map(([t]) => t), points.map(([, v]) => v)];

const token = (name: string) => getComputedStyle(document.body).getPropertyValue(name).trim();

export function Spark({
  name,
  limit,
  format = "",
  large = false,
  timeZone,
  height,
  thick = 1.5,
  colour,
}: Props) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const points = useHistory(historyOf, name, name !== DRAFT);
  const theme = useTheme();
  const latest = useRef(points);
  latest.current = points;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme's colours are read when the chart is made
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    // On a coloured ground only the colours of its own style can be seen.
    const own = colour === undefined ? undefined : getComputedStyle(element).color;
    const line = own ?? token("--color-text-weak");
    const hair = own ?? token("--color-border-weak");
    const unit = (v: number | null) => (v == null ? "–" : (metricText(format, v, timeZone) ?? String(v)));
    const axis: uPlot.Axis = {
      stroke: line,
      grid: { stroke: token("--color-border-weaker"), width: 1 },
      ticks: { show: false },
      font: "12px system-ui",
    };
    const options: uPlot.Options = {
      width: Math.max(40, element.clientWidth),
      height,
      padding: large ? [8, 22, 0, 0] : [4, 6, 4, 2],
      legend: { show: large },
      cursor: large ? { y: false, points: { size: 7 } } : { show: false },
      scales: {
        x: {
          time: true,
          range: () => {
            const now = serverNow() / 1000;
            return [now - historyOf.span(now), now];
          },
        },
        y: {
          range: (_, min, max) => {
            const low = Math.min(min ?? 0, limit ?? min ?? 0);
            const high = Math.max(max ?? 1, limit ?? max ?? 1);
            const room = (high - low || 1) * 0.1;
            return [low >= 0 ? Math.max(0, low - room) : low - room, high + room];
          },
        },
      },
      axes: large
        ? [
            {
              ...axis,
              values: (_, ticks) => ticks.map((t) => clockTimeSeconds(t * 1000, timeZone).slice(0, 5)),
            },
            { ...axis, size: format === "" ? 48 : 76, values: (_, ticks) => ticks.map(unit) },
          ]
        : [{ show: false }, { show: false }],
      series: [
        { label: "At", value: (_, t) => (t == null ? "–" : clockTimeSeconds(t * 1000, timeZone)) },
        {
          label: isSpan(format) ? "Time" : "Value",
          value: (_, v) => unit(v),
          stroke: line,
          width: thick,
          spanGaps: false,
          points: { show: false },
        },
      ],
      hooks: {
        draw: [
          (u) => {
            const { ctx } = u;
            const ratio = devicePixelRatio;
            ctx.save();
            if (limit !== undefined) {
              const y = Math.round(u.valToPos(limit, "y", true)) + 0.5;
              ctx.strokeStyle = hair;
              ctx.globalAlpha = own === undefined ? 1 : 0.5;
              ctx.lineWidth = ratio;
              ctx.setLineDash([3 * ratio, 3 * ratio]);
              ctx.beginPath();
              ctx.moveTo(u.bbox.left, y);
              ctx.lineTo(u.bbox.left + u.bbox.width, y);
              ctx.stroke();
              ctx.globalAlpha = 1;
            }
            const last = latest.current.findLast(([, v]) => v !== null);
            if (last?.[1] != null) {
              ctx.fillStyle = own ?? token("--color-text");
              ctx.beginPath();
              ctx.arc(
                u.valToPos(last[0], "x", true),
                u.valToPos(last[1], "y", true),
                (1 + thick) * ratio,
                0,
                2 * Math.PI,
              );
              ctx.fill();
            }
            ctx.restore();
          },
        ],
      },
    };
    const made = new uPlot(options, data(latest.current), element);
    chart.current = made;
    const watch = new ResizeObserver(() =>
      made.setSize({ width: Math.max(40, element.clientWidth), height }),
    );
    watch.observe(element);
    return () => {
      watch.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [theme, limit, format, large, timeZone, height, thick, colour]);

  useEffect(() => chart.current?.setData(data(points)), [points]);

  return (
    <div
      className={large ? "chart" : "spark"}
      ref={box}
      aria-hidden="true"
      style={{ minHeight: height, color: colour }}
    />
  );
}
