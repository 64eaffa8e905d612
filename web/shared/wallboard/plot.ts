/** What the spark line and the chart share: the same span in every curve, colours of the element, hairline and last point. */
import type uPlot from "uplot";
import type { Points } from "../api/types.ts";
import type { Live } from "../live/store.ts";

export interface Colours {
  line: string;
  hair: string;
  grid: string;
  dot: string;
  /** On a coloured ground the hairline is the line's colour, fainter. */
  hairAlpha: number;
}

/** Read once when the plot is made: reading styles in each draw would force a layout. */
export function coloursOf(element: Element, colour: string | undefined): Colours {
  const style = getComputedStyle(element);
  const token = (name: string) => style.getPropertyValue(name).trim();
  if (colour !== undefined) {
    const { color } = style;
    return { line: color, hair: color, grid: color, dot: color, hairAlpha: 0.5 };
  }
  return {
    line: token("--color-text-weak"),
    hair: token("--color-border-weak"),
    grid: token("--color-border-weaker"),
    dot: token("--color-text"),
    hairAlpha: 1,
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
      range: (_, min, max) => {
        const low = Math.min(min ?? 0, limit ?? min ?? 0);
        const high = Math.max(max ?? 1, limit ?? max ?? 1);
        const room = (high - low || 1) * 0.1;
        return [low >= 0 ? Math.max(0, low - room) : low - room, high + room];
      },
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
    ctx.globalAlpha = colours.hairAlpha;
    ctx.lineWidth = ratio;
    ctx.setLineDash([3 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(plot.bbox.left, y);
    ctx.lineTo(plot.bbox.left + plot.bbox.width, y);
    ctx.stroke();
    ctx.globalAlpha = 1;
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
