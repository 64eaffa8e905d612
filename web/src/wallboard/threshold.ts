/** Says in words which threshold a metric has passed: the second sign beside its colour. Pure. */
import { isSpan, metricText, spanExact } from "../format.ts";
import type { Definition, Metric } from "../types.ts";

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

/** Second wins over first; the numbers are compared as numbers. The service chose the style by the same rule. */
export function sign(
  metric: Pick<Metric, "value" | "format">,
  definition: Definition | undefined,
): Sign | undefined {
  if (!definition || typeof metric.value !== "number") return undefined;
  const value = metric.value;
  const inverted = definition.invertThresholds === true;
  const passed = (limit: number) => (inverted ? value < limit : value > limit);
  for (const level of [2, 1] as const) {
    const limit = limitOf(level === 2 ? definition.secondThresholdValue : definition.firstThresholdValue);
    if (limit === undefined || !passed(limit)) continue;
    const words = isSpan(metric.format)
      ? spanExact(limit)
      : metric.format === "percent"
        ? (metricText("percent", limit) ?? "")
        : String(limit);
    return { mark: inverted ? "▼" : "▲", text: `${inverted ? "below" : "over"} ${words}`, level };
  }
  return undefined;
}
