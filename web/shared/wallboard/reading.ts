/** What a metric shows at a moment. Pure. */
import type { Metric } from "../api/types.ts";
import { compactDuration, isSpan, spanExact } from "../format/duration.ts";
import { metricText } from "../format/number.ts";
import { counted, instant } from "../live/clock.ts";
import type { Texts } from "../locales/index.ts";
import { updateCause } from "../ui/provenance.ts";
import { type Sign, sign } from "./threshold.ts";

export interface Reading {
  text: string;
  /** Why there is no number. */
  error?: string | undefined;
  sign?: Sign | undefined;
}

export const errorText = (error: Metric["error"]): string | undefined =>
  typeof error === "string" ? error : error?.message;

/** Since when a metric may be wrong: the connection's moment, or its own while formulas can't be evaluated. */
export function staleSinceOf(metric: Metric, connection: number | undefined): number | undefined {
  const own = metric.stale ? instant(metric.stale.since) : undefined;
  return own === undefined || connection === undefined ? (own ?? connection) : Math.min(own, connection);
}

/** Ages count up until `now`. */
export function reading(metric: Metric, now: number, text: Texts, timeZone?: string): Reading {
  if (metric.error) return { text: metric.text || "ERR", error: errorText(metric.error) };
  // Only editors get the reason, and not through Sync.
  if (metric.text === "ERR") return { text: "ERR", error: text.metric.formulaFails };
  if (metric.text === "ERR FMT") return { text: "ERR FMT", error: text.metric.wrongFormat };
  if (metric.value === null || metric.value === undefined) return { text: "–", error: text.metric.noValue };
  let shown = metric.text;
  if (metric.increment && typeof metric.value === "number") {
    const value = counted(metric.value, instant(metric.asOf), now);
    shown = metricText(metric.format, value, timeZone) ?? shown;
  }
  return { text: isSpan(metric.format) ? compactDuration(shown) : shown, sign: sign(metric, text) };
}

/** The service level of a metric: its threshold and who counts. */
export function slaText(metric: Metric, text: Texts): string | undefined {
  if (!metric.sla || metric.slaThreshold === undefined) return metric.sla;
  return text.metric.slaWithin(spanExact(metric.slaThreshold), metric.sla);
}

/** Where a metric's number comes from: formula for editors, interval, source. */
export function provenance(
  metric: Metric,
  formula: string | undefined,
  interval: string,
  texts: Texts,
): string {
  const { provenance: text } = texts;
  return [
    formula ?? metric.label,
    metric.sla && text.serviceLevel(slaText(metric, texts) ?? metric.sla),
    metric.stale && text.failing(metric.stale.reason),
    metric.error && text.failing(errorText(metric.error) ?? ""),
    text.metric(updateCause(metric.readBy, text), interval),
  ]
    .filter(Boolean)
    .join("\n");
}
