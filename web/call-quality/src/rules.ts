/** Which warnings count, and what is wrong with a call when it ends. Pure; instants in milliseconds. */
import type { Configuration } from "./configuration.ts";

/** What the Voice SDK tells with a warning; null or missing for some. */
export interface WarningData {
  values?: readonly unknown[];
  value?: unknown;
  threshold?: { name: string; value: number };
}

type Limit = { over: keyof Configuration } | { under: keyof Configuration };

/** Warnings that count only beyond a configured value. All others always count. */
const LIMITS: Record<string, Limit> = {
  "high-rtt": { over: "highRttThreshold" },
  "high-packet-loss": { over: "highPacketsLostThreshold" },
  "high-packets-lost-fraction": { over: "highPacketsLostThreshold" },
  "high-jitter": { over: "highJitterThreshold" },
  "low-mos": { under: "lowMosThreshold" },
};

export function counts(
  name: string,
  data: WarningData | null | undefined,
  configuration: Configuration,
): boolean {
  const limit = Object.hasOwn(LIMITS, name) ? LIMITS[name] : undefined;
  if (!limit) return true;
  const figure = figureOf(data, "over" in limit);
  // The SDK found it worth a warning and told no figure: nothing says that it was harmless.
  if (figure === undefined) return true;
  return "over" in limit
    ? figure > Number(configuration[limit.over])
    : figure < Number(configuration[limit.under]);
}

/** The sample, or the mean of the samples, that the SDK's own threshold was compared with. */
function figureOf(data: WarningData | null | undefined, high: boolean): number | undefined {
  const values = (data?.values ?? []).filter(
    (value): value is number => typeof value === "number" && Number.isFinite(value),
  );
  if (values.length === 0) return typeof data?.value === "number" ? data.value : undefined;
  switch (data?.threshold?.name) {
    case "maxAverage":
    case "minAverage":
      return values.reduce((sum, value) => sum + value, 0) / values.length;
    case "max":
      return Math.max(...values);
    case "min":
      return Math.min(...values);
  }
  return high ? Math.max(...values) : Math.min(...values);
}

/** How long a call was in warning: from the first active warning until the last is cleared, added up. */
export class WarningClock {
  private readonly active = new Set<string>();
  private since = 0;
  private total = 0;

  raise(name: string, now: number): void {
    if (this.active.size === 0) this.since = now;
    this.active.add(name);
  }

  clear(name: string, now: number): void {
    if (this.active.delete(name) && this.active.size === 0) this.total += now - this.since;
  }

  /** What was before the call was answered is not part of it. */
  answered(now: number): void {
    this.total = 0;
    this.since = now;
  }

  get inWarning(): boolean {
    return this.active.size > 0;
  }

  milliseconds(now: number): number {
    return this.total + (this.inWarning ? now - this.since : 0);
  }
}

export interface Ended {
  milliseconds: number;
  inWarningMilliseconds: number;
  endedInWarning: boolean;
}

export const ISSUES = {
  short: "short call",
  ended: "call ended under warning",
  share: "call warning condition pct",
} as const;

/** What is wrong with a call that has ended; nothing, for most. */
export function issuesOf(call: Ended, configuration: Configuration): string[] {
  const issues: string[] = [];
  const { shortCallThreshold, endedInWarningIsTrigger, warningDurPctThreshold } = configuration;
  if (shortCallThreshold > 0 && call.milliseconds < shortCallThreshold * 1000) issues.push(ISSUES.short);
  if (endedInWarningIsTrigger && call.endedInWarning) issues.push(ISSUES.ended);
  const share = call.milliseconds > 0 ? (100 * call.inWarningMilliseconds) / call.milliseconds : 0;
  if (share > warningDurPctThreshold) issues.push(ISSUES.share);
  return issues;
}
