/** Which threshold a value has passed, and in words: the second sign beside the colour. Pure. */
import type { Definition, Metric, Threshold } from "../api/types.ts";
import { isSpan, spanExact } from "../format/duration.ts";
import { metricText } from "../format/number.ts";
import type { Texts } from "../locales/index.ts";

export interface Sign {
  mark: "▲" | "▼";
  text: string;
  level: 1 | 2;
}

export function limitOf(text: string | undefined): number | undefined {
  if (text === undefined || String(text).trim() === "") return undefined;
  const limit = Number(text);
  return Number.isFinite(limit) ? limit : undefined;
}

/**
 * The threshold that a value passes, by the service's rule (`src/wallboard/threshold.rs`; both are tested with
 * tests/fixtures/threshold.json). Numbers are compared as numbers. Over two thresholds the second wins; below them the
 * first, which is then the lower one.
 */
export function judge(value: unknown, definition: Definition): Threshold | null {
  if (typeof value !== "number") return null;
  const below = definition.invertThresholds === true;
  const order = below ? ([1, 2] as const) : ([2, 1] as const);
  for (const level of order) {
    const limit = limitOf(level === 2 ? definition.secondThresholdValue : definition.firstThresholdValue);
    if (limit === undefined) continue;
    if (below ? value < limit : value > limit) return { level, limit, direction: below ? "below" : "above" };
  }
  return null;
}

const judgedMetrics = new WeakMap<Metric, { definition: Definition; metric: Metric }>();

/**
 * A metric with its threshold. The service judges it; where an older one wrote the metric (a replica that is not upgraded
 * yet), it is judged here from the definition. The same metric gives the same object, so that memoised tiles stay.
 */
export function judged(metric: Metric, definition: Definition | undefined): Metric {
  if (metric.threshold !== undefined || !definition) return metric;
  const known = judgedMetrics.get(metric);
  if (known?.definition === definition) return known.metric;
  const made = { ...metric, threshold: judge(metric.value, definition) };
  judgedMetrics.set(metric, { definition, metric: made });
  return made;
}

/** The limit in the metric's unit: `3 min`, `90 %`, `12`. */
export function limitText(limit: number, format: string): string {
  if (isSpan(format)) return spanExact(limit);
  return (format === "percent" ? metricText("percent", limit) : undefined) ?? String(limit);
}

export function sign(metric: Pick<Metric, "threshold" | "format">, text: Texts): Sign | undefined {
  const { threshold } = metric;
  if (!threshold) return undefined;
  const words = limitText(threshold.limit, metric.format);
  return threshold.direction === "below"
    ? { mark: "▼", text: text.below(words), level: threshold.level }
    : { mark: "▲", text: text.over(words), level: threshold.level };
}
