import * as React from "react";
import { useHistory, useLiveStore } from "../live/react.tsx";
import { curve, HEIGHT, WIDTH } from "./curve.ts";
import css from "./plot.module.css";

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
  const drawn = React.useMemo(() => {
    const now = live.now() / 1000;
    return curve(points, now - live.history.span(now), now, limit);
  }, [live, points, limit]);
  return (
    <svg
      className={colour === undefined ? css.spark : `${css.spark} ${css.onColour}`}
      aria-hidden="true"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      style={{ height, color: colour }}
    >
      {drawn.limit !== undefined && (
        <path className={css.limit} d={`M0 ${drawn.limit}H${WIDTH}`} vectorEffect="non-scaling-stroke" />
      )}
      <path className={css.line} d={drawn.line} strokeWidth={thick} vectorEffect="non-scaling-stroke" />
      {drawn.last && (
        // A line as good as without length: its round ends are a circle, however the picture is stretched.
        <path
          className={css.last}
          d={`M${drawn.last.join(" ")}h0.01`}
          strokeWidth={2 * (1 + thick)}
          vectorEffect="non-scaling-stroke"
        />
      )}
    </svg>
  );
}
