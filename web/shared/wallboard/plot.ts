/** What the chart is made of: the same span in every curve, colours of the element, hairline and last point. */
import type uPlot from "uplot";
import type { Points } from "../api/types.ts";
import type { Live } from "../live/store.ts";
import { valueRange } from "./curve.ts";

export interface Colours {
  line: string;
  hair: string;
  grid: string;
  dot: string;
}

/** Read once when the plot is made: reading styles in each draw would force a layout. */
export function coloursOf(element: Element): Colours {
  const style = getComputedStyle(element);
  const token = (name: string) => style.getPropertyValue(name).trim();
  return {
    line: token("--color-text-weak"),
    hair: token("--color-border-weak"),
    grid: token("--color-border-weaker"),
    dot: token("--color-text"),
  };
}

export const alignedData = (points: Points): uPlot.AlignedData => [
  points.map(([t]) => t),
  points.map(([, value]) => value),
];

export function scales(live: Live, limit: number | undefined): uPlot.Scales {
  return {
    x: {
      time: true,
      range: () => {
        const now = live.now() / 1000;
        return [now - live.history.span(now), now];
      },
    },
    y: {
      range: (_, min, max) => valueRange(min, max, limit),
    },
  };
}

/** Draws the threshold as a hairline, and marks the last point. */
export function drawMarks(
  plot: uPlot,
  colours: Colours,
  limit: number | undefined,
  last: Points[number] | undefined,
  thick: number,
): void {
  const { ctx } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  if (limit !== undefined) {
    const y = Math.round(plot.valToPos(limit, "y", true)) + 0.5;
    ctx.strokeStyle = colours.hair;
    ctx.lineWidth = ratio;
    ctx.setLineDash([3 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(plot.bbox.left, y);
    ctx.lineTo(plot.bbox.left + plot.bbox.width, y);
    ctx.stroke();
  }
  if (last?.[1] != null) {
    ctx.fillStyle = colours.dot;
    ctx.beginPath();
    const x = plot.valToPos(last[0], "x", true);
    const y = plot.valToPos(last[1], "y", true);
    ctx.arc(x, y, (1 + thick) * ratio, 0, 2 * Math.PI);
    ctx.fill();
  }
  ctx.restore();
}
