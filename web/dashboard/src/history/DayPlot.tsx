/** The plot of a day: its own curve, the days behind it, gaps as bands, thresholds as lines, a crosshair, zoom. */
import type { Gap } from "@taskrouter-sync/shared/api/history.ts";
import type { LocalDay } from "@taskrouter-sync/shared/format/localDays.ts";
import { clockTime } from "@taskrouter-sync/shared/format/time.ts";
import { useTokenTheme } from "@taskrouter-sync/shared/ui/TokenScope.tsx";
import { valueRange } from "@taskrouter-sync/shared/wallboard/curve.ts";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import css from "./history.module.css";
import { axisSteps, limitInSight, ticks, type Values } from "./series.ts";

/** The order is that of drawing: the day itself lies on top. */
export const KINDS = ["average", "weekBefore", "dayBefore", "day"] as const;
export type Kind = (typeof KINDS)[number];

/** Kinds differ in width and dashes, since colour means a threshold. The legend draws the same lines. */
export const LINES: Readonly<Record<Kind, { width: number; dash: number[]; token: string }>> = {
  average: { width: 5, dash: [], token: "--color-border-weak" },
  weekBefore: { width: 1.5, dash: [2, 3], token: "--color-text-weak" },
  dayBefore: { width: 1.25, dash: [7, 4], token: "--color-text-weak" },
  day: { width: 2, dash: [], token: "--color-text" },
};

export interface Limit {
  value: number;
  /** The name of the style that the threshold gives a tile. */
  style?: string | undefined;
}

export interface DayPlotProps {
  times: readonly number[];
  curves: Readonly<Record<Kind, Values>>;
  shown: Readonly<Record<Kind, boolean>>;
  limits: readonly Limit[];
  gaps: readonly Gap[];
  day: LocalDay;
  timeZone: string;
  height: number;
  /** A value as text, with as many decimals at most. */
  unit(value: number | null, places?: number): string;
  /** Values are seconds, and the axis has steps of minutes. */
  spans: boolean;
  zoom: readonly [number, number] | undefined;
  onZoom(zoom: [number, number] | undefined): void;
  /** Where the crosshair stands, as an index into `times`. */
  at: number | undefined;
  onAt(at: number | undefined): void;
  /** After the first drawing with a day's data. */
  onDrawn(): void;
}

/** Steps of an axis and thresholds are not rounded. */
const EXACT = 4;
const AXIS_LEAST = 48;
const AXIS_ROOM = 16;
const DIGIT = 7;

const limitToken = (style: string | undefined) =>
  /^error/i.test(style ?? "")
    ? "--color-border-error"
    : /^warn/i.test(style ?? "")
      ? "--color-border-warning"
      : "--color-text-weak";

const dataOf = ({ times, curves, shown }: DayPlotProps): uPlot.AlignedData => [
  times as number[],
  ...KINDS.map((kind) => (shown[kind] ? curves[kind] : curves[kind].map(() => null))),
];

const wholeDay = ({ start, end }: LocalDay): [number, number] => [start / 1000, end / 1000];

export function DayPlot(props: DayPlotProps) {
  const { times, curves, shown, height, zoom, at, day, limits, timeZone } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>();
  const latest = useRef(props);
  latest.current = props;
  const theme = useTokenTheme();
  const limitKey = JSON.stringify(limits);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme's colours are read when the plot is made
  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const width = () => Math.max(40, element.clientWidth);
    const made = new uPlot(
      { ...options(element, () => latest.current), width: width(), height: latest.current.height },
      dataOf(latest.current),
      element,
    );
    plot.current = made;
    const [min, max] = latest.current.zoom ?? wholeDay(latest.current.day);
    made.setScale("x", { min, max });
    // uPlot follows a mouse alone.
    const touch = ({ pointerType, clientX, clientY }: PointerEvent) => {
      if (pointerType !== "touch") return;
      const { left, top } = made.over.getBoundingClientRect();
      made.setCursor({ left: clientX - left, top: clientY - top });
    };
    made.over.addEventListener("pointermove", touch);
    let wide = width();
    const watch = new ResizeObserver(() => {
      if (width() === wide) return;
      wide = width();
      made.setSize({ width: wide, height: latest.current.height });
    });
    watch.observe(element);
    return () => {
      watch.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [theme, limitKey, timeZone, day, props.spans]);

  const first = useRef(true);
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    const { current } = plot;
    if (!current) return;
    const [min, max] = zoom ?? wholeDay(latest.current.day);
    current.batch(() => {
      current.setData(dataOf({ ...latest.current, times, curves, shown }), false);
      current.setScale("x", { min, max });
    });
  }, [times, curves, shown, zoom]);

  useEffect(() => {
    const { current } = plot;
    if (current && current.height !== height) current.setSize({ width: current.width, height });
  }, [height]);

  useEffect(() => {
    const { current } = plot;
    const time = at === undefined ? undefined : latest.current.times[at];
    if (!current || time === undefined || current.cursor.idx === at) return;
    current.setCursor({ left: current.valToPos(time, "x"), top: current.over.clientHeight / 2 }, false);
  }, [at]);

  return <div className={css.plot} ref={box} aria-hidden="true" style={{ minHeight: height }} />;
}

function options(element: HTMLElement, latest: () => DayPlotProps): Omit<uPlot.Options, "width" | "height"> {
  const style = getComputedStyle(element);
  const token = (name: string) => style.getPropertyValue(name).trim();
  const colours = {
    label: token("--color-text-weak"),
    grid: token("--color-border-weaker"),
    gap: token("--color-background"),
    gapEdge: token("--color-border-weak"),
  };
  const lines = new Map(KINDS.map((kind) => [kind, token(LINES[kind].token)]));
  const limits = latest().limits.map((limit) => ({ ...limit, colour: token(limitToken(limit.style)) }));
  const axis: uPlot.Axis = {
    stroke: colours.label,
    grid: { stroke: colours.grid, width: 1 },
    ticks: { show: false },
    font: '12px "Inter Variable", system-ui',
  };
  const stepped = uPlot.paths.stepped?.({ align: 1 });
  let told = false;
  return {
    legend: { show: false },
    padding: [8, 12, 0, 0],
    cursor: { y: false, points: { size: 7 }, drag: { x: true, y: false, setScale: true } },
    scales: {
      x: { time: true, auto: false },
      y: {
        range: (_, min, max) =>
          valueRange(
            min,
            max,
            limitInSight(
              limits.map(({ value }) => value),
              min,
              max,
            ),
          ),
      },
    },
    axes: [
      {
        ...axis,
        size: 30,
        splits: (u, _, min, max) =>
          ticks(min, max, latest().day, Math.max(2, u.bbox.width / devicePixelRatio / 60)),
        values: (_, splits) => splits.map((time) => clockTime(time * 1000, latest().timeZone)),
      },
      {
        ...axis,
        size: (_, texts) =>
          Math.max(AXIS_LEAST, AXIS_ROOM + DIGIT * Math.max(0, ...(texts ?? []).map((text) => text.length))),
        incrs: () => axisSteps(latest().curves.day, latest().spans),
        values: (_, splits) => splits.map((value) => latest().unit(value, EXACT)),
      },
    ],
    series: [
      {},
      ...KINDS.map((kind): uPlot.Series => {
        const { width, dash } = LINES[kind];
        return {
          stroke: lines.get(kind),
          width,
          dash,
          spanGaps: false,
          points: { show: false },
          ...(kind !== "average" && stepped ? { paths: stepped } : {}),
        };
      }),
    ],
    hooks: {
      drawClear: [(u) => drawGaps(u, latest().gaps, colours.gap, colours.gapEdge)],
      draw: [
        (u) => {
          drawLimits(u, limits, latest().unit);
          if (!told && latest().times.length > 0) {
            told = true;
            latest().onDrawn();
          }
        },
      ],
      setCursor: [
        (u) => {
          const left = u.cursor.left ?? -1;
          latest().onAt(left < 0 ? undefined : (u.cursor.idx ?? undefined));
        },
      ],
      setScale: [
        (u, scale) => {
          if (scale !== "x") return;
          const { min, max } = u.scales.x ?? {};
          if (min == null || max == null) return;
          const { day, zoom, onZoom } = latest();
          const [from, to] = wholeDay(day);
          const whole = max - min >= to - from - 600;
          if (whole ? zoom !== undefined : zoom?.[0] !== min || zoom[1] !== max)
            onZoom(whole ? undefined : [min, max]);
        },
      ],
    },
  };
}

/** A band with two edges where nothing was recorded. */
function drawGaps(plot: uPlot, gaps: readonly Gap[], fill: string, edge: string): void {
  const { ctx, bbox } = plot;
  const right = bbox.left + bbox.width;
  const x = (time: number) => Math.min(right, Math.max(bbox.left, plot.valToPos(time, "x", true)));
  ctx.save();
  for (const { from, to } of gaps) {
    const [begin, end] = [x(from), x(to)];
    if (end <= bbox.left || begin >= right) continue;
    ctx.fillStyle = fill;
    ctx.fillRect(begin, bbox.top, Math.max(devicePixelRatio, end - begin), bbox.height);
    ctx.fillStyle = edge;
    for (const place of [begin, end]) ctx.fillRect(place, bbox.top, devicePixelRatio, bbox.height);
  }
  ctx.restore();
}

function drawLimits(
  plot: uPlot,
  limits: readonly (Limit & { colour: string })[],
  unit: (value: number, places?: number) => string,
): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.font = `${11 * ratio}px "Inter Variable", system-ui`;
  ctx.textAlign = "right";
  for (const { value, colour } of limits) {
    const y = Math.round(plot.valToPos(value, "y", true)) + 0.5;
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    ctx.strokeStyle = colour;
    ctx.lineWidth = ratio;
    ctx.setLineDash([4 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.fillStyle = colour;
    ctx.fillText(unit(value, EXACT), bbox.left + bbox.width - 4 * ratio, y - 4 * ratio);
  }
  ctx.restore();
}
