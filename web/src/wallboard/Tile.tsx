import { memo } from "react";
import { metricText, readBy, span, tokenColour } from "../format.ts";
import { age, counted, instant } from "../live/clock.ts";
import { useSecond } from "../live/store.ts";
import { interval, useSession } from "../shell/session.ts";
import type { Definition, Metric, Session } from "../types.ts";
import { Spark } from "./Spark.tsx";
import { limitOf, type Sign, sign } from "./threshold.ts";

export interface Reading {
  text: string;
  /** Why there is no number. */
  error?: string;
  sign?: Sign;
}

export const words = (error: Metric["error"]) =>
  typeof error === "string" ? error : (error?.message ?? undefined);

/** What a metric shows at a moment; ages count up until `until`. */
export function reading(
  metric: Metric,
  definition: Definition | undefined,
  now: number,
  timeZone?: string,
): Reading {
  if (metric.error) return { text: metric.text || "ERR", error: words(metric.error) };
  // The reason is told to editors only, and not through Sync.
  if (metric.text === "ERR") return { text: "ERR", error: "the formula fails" };
  if (metric.text === "ERR FMT") return { text: "ERR FMT", error: "the value does not fit the format" };
  if (metric.value === null || metric.value === undefined)
    return { text: "–", error: "the formula gave nothing" };
  if (metric.increment && typeof metric.value === "number") {
    const value = counted(metric.value, instant(metric.asOf), now);
    return {
      text: metricText(metric.format, value, timeZone) ?? metric.text,
      sign: sign({ value, format: metric.format }, definition),
    };
  }
  return { text: metric.text, sign: sign(metric, definition) };
}

interface Props {
  metric: Metric;
  definition: Definition | undefined;
  frozen: number | undefined;
  selected: boolean;
  onOpen(name: string): void;
}

/** Where the number comes from: formula (for editors), interval, source. The tip itself adds when it was read. */
function provenance(metric: Metric, definition: Definition | undefined, session: Session): string {
  const parts = [
    session.role === "editor" ? (definition?.formula ?? metric.name) : metric.label,
    metric.sla && `Service level: ${metric.sla}`,
    metric.error && `Fails: ${words(metric.error)}`,
    `From TaskRouter's statistics, computed by the service. ${readBy(metric.readBy)} Sums are of ${interval(session)}.`,
  ];
  return parts.filter(Boolean).join("\n");
}

export const Tile = memo(function Tile({ metric, definition, frozen, selected, onOpen }: Props) {
  const session = useSession();
  const style = metric.style;
  const stale = frozen !== undefined;
  return (
    <button
      type="button"
      className={`tile${selected ? " selected" : ""}`}
      data-metric={metric.name}
      data-style={style?.styleName}
      data-tip={provenance(metric, definition, session)}
      data-as-of={instant(metric.asOf)}
      onClick={() => onOpen(metric.name)}
      style={stale ? undefined : { background: tokenColour(style?.backgroundColour) }}
    >
      <span className="tile-label" style={stale ? undefined : { color: tokenColour(style?.headlineColour) }}>
        {metric.label}
      </span>
      <Value metric={metric} definition={definition} frozen={frozen} />
      <Spark
        name={metric.name}
        limit={limitOf(definition?.secondThresholdValue) ?? limitOf(definition?.firstThresholdValue)}
        height={24}
        colour={
          stale || style?.backgroundColour === "transparent" ? undefined : tokenColour(style?.statColour)
        }
      />
    </button>
  );
});

/** A word or a name is smaller the longer it is, so that it stays within its tile. */
const size = (text: string) =>
  text.length > 8 ? `clamp(15px, ${Math.round(118 / text.length)}cqi, 32px)` : undefined;

function Value({ metric, definition, frozen }: Pick<Props, "metric" | "definition" | "frozen">) {
  const now = useSecond() * 1000;
  const { timeZone } = useSession();
  const shown = reading(metric, definition, Math.min(now, frozen ?? now), timeZone);
  const colour = frozen === undefined && !shown.error ? tokenColour(metric.style?.statColour) : undefined;
  return (
    <>
      <span className={shown.error ? "tile-value none" : "tile-value"} style={{ color: colour }}>
        <span style={{ fontSize: size(shown.text) }}>{shown.text}</span>
      </span>
      <span className="tile-meta">
        <span className="tile-sign" style={{ color: colour }}>
          {frozen !== undefined ? (
            <span className="old">{span(age(frozen, now))} old</span>
          ) : shown.error ? (
            <span className="tile-error">{shown.error}</span>
          ) : (
            shown.sign && (
              <>
                <span aria-hidden="true">{shown.sign.mark}</span> {shown.sign.text}
              </>
            )
          )}
        </span>
        {metric.sla && (
          <span
            className="tile-sla"
            style={{ color: frozen === undefined ? tokenColour(metric.style?.headlineColour) : undefined }}
          >
            {metric.sla}
          </span>
        )}
      </span>
    </>
  );
}
