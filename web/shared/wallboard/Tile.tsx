import * as React from "react";
import type { Metric } from "../api/types.ts";
import { tokenColour } from "../format/colour.ts";
import { age, instant } from "../live/clock.ts";
import { useSecond } from "../live/react.tsx";
import { useText } from "../locales/index.ts";
import ui from "../ui/ui.module.css";
import { provenance, reading, slaText, staleSinceOf } from "./reading.ts";
import { Sparkline } from "./Sparkline.tsx";
import css from "./Tile.module.css";

export interface TileProps {
  metric: Metric;
  /** Shown to editors as the metric's provenance. */
  formula?: string | undefined;
  /** The interval of totals, in words. */
  interval: string;
  timeZone: string;
  /** A hairline in the curve. */
  limit?: number | undefined;
  staleSince: number | undefined;
  selected?: boolean;
  /** False for a metric that is not saved yet and has no past. */
  past?: boolean;
  /** A link to the queues that the metric counts. */
  queuesHref?: string | undefined;
  onOpen(name: string): void;
}

/** One metric: its name, value and second sign as one button, with the curve below. */
export const Tile = React.memo(function Tile(props: TileProps) {
  const { metric, formula, interval, timeZone, limit, selected = false, past = true } = props;
  const { queuesHref, onOpen } = props;
  const text = useText();
  const { style } = metric;
  const staleSince = staleSinceOf(metric, props.staleSince);
  const stale = staleSince !== undefined;
  const plain = stale || style?.backgroundColour === "transparent";
  return (
    <div
      className={selected ? `${css.tile} ${css.selected}` : css.tile}
      data-metric={metric.name}
      data-style={style?.styleName}
      data-stale={stale ? "" : undefined}
      style={stale ? undefined : { background: tokenColour(style?.backgroundColour) }}
    >
      <button
        type="button"
        className={css.face}
        data-tip={provenance(metric, formula, interval, text)}
        data-as-of={instant(metric.asOf)}
        onClick={() => onOpen(metric.name)}
      >
        <span
          className={css.label}
          data-part="label"
          style={stale ? undefined : { color: tokenColour(style?.headlineColour) }}
        >
          {metric.label}
        </span>
        <Value metric={metric} staleSince={staleSince} timeZone={timeZone} />
      </button>
      {queuesHref !== undefined && typeof metric.value === "number" && metric.value > 0 && (
        <a className={css.queues} href={queuesHref} style={{ color: plain ? undefined : "inherit" }}>
          {text.metric.showQueues}
        </a>
      )}
      <Sparkline
        name={metric.name}
        limit={limit ?? metric.threshold?.limit}
        height={24}
        past={past}
        colour={plain ? undefined : tokenColour(style?.statColour)}
      />
    </div>
  );
});

/** Texts are smaller the longer they are, so that they stay within the tile. */
const size = (text: string) =>
  text.length > 8 ? `clamp(15px, ${Math.round(118 / text.length)}cqi, 32px)` : undefined;

function Value({ metric, staleSince, timeZone }: Pick<TileProps, "metric" | "staleSince" | "timeZone">) {
  const text = useText();
  const now = useSecond() * 1000;
  const shown = reading(metric, Math.min(now, staleSince ?? now), text, timeZone);
  const coloured = staleSince === undefined && !shown.error;
  const colour = coloured ? tokenColour(metric.style?.statColour) : undefined;
  return (
    <>
      <span
        className={shown.error ? `${css.value} ${css.none}` : css.value}
        data-part="value"
        style={{ color: colour }}
      >
        <span style={{ fontSize: size(shown.text) }}>{shown.text}</span>
      </span>
      <span className={css.meta}>
        <span className={css.sign} data-part="sign" style={{ color: colour }}>
          {staleSince !== undefined ? (
            <span className={ui.dataAge} data-part="data-age">
              {text.ageOld(text.span(age(staleSince, now)))}
            </span>
          ) : shown.error ? (
            <span className={css.error} data-part="error">
              {shown.error}
            </span>
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
            className={css.sla}
            data-part="sla"
            style={{
              color: staleSince === undefined ? tokenColour(metric.style?.headlineColour) : undefined,
            }}
          >
            {slaText(metric, text)}
          </span>
        )}
      </span>
    </>
  );
}
