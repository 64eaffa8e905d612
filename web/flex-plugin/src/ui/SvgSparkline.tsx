/** A metric's last hours as an SVG line. It stands in for the shared sparkline, whose chart library is 22 kB compressed. */
import { useHistory } from "@taskrouter-sync/shared/live/react.tsx";
import * as React from "react";

interface SvgSparklineProps {
  name: string;
  limit?: number | undefined;
  height: number;
  colour?: string | undefined;
  past?: boolean;
}

const WIDTH = 160;

export function Sparkline({ name, limit, height, colour, past = true }: SvgSparklineProps) {
  const points = useHistory(name, past);
  const drawn = React.useMemo(() => draw(points, height, limit), [points, height, limit]);
  return (
    <svg
      aria-hidden="true"
      width="100%"
      height={height}
      viewBox={`0 0 ${WIDTH} ${height}`}
      preserveAspectRatio="none"
      style={{ color: colour ?? "var(--color-text-weak)" }}
    >
      {drawn && <path d={drawn.line} fill="none" stroke="currentColor" strokeWidth={1.5} />}
      {drawn?.limit !== undefined && (
        <line
          x1={0}
          x2={WIDTH}
          y1={drawn.limit}
          y2={drawn.limit}
          stroke="currentColor"
          strokeDasharray="3 3"
        />
      )}
    </svg>
  );
}

type Points = ReturnType<typeof useHistory>;

/** A null is a gap in the line. */
export function draw(points: Points, height: number, limit?: number) {
  const values = points.flatMap(([, value]) => (value === null ? [] : [value]));
  const first = points[0]?.[0];
  const last = points[points.length - 1]?.[0];
  if (values.length < 2 || first === undefined || last === undefined || last <= first) return undefined;
  const low = Math.min(...values);
  const high = Math.max(...values);
  const y = (value: number) => height - 2 - ((value - low) / (high - low || 1)) * (height - 4);
  let line = "";
  let pen = "M";
  for (const [time, value] of points) {
    if (value === null) {
      pen = "M";
      continue;
    }
    line += `${pen}${(((time - first) / (last - first)) * WIDTH).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = "L";
  }
  const shown = limit !== undefined && limit >= low && limit <= high;
  return { line, limit: shown ? y(limit) : undefined };
}
