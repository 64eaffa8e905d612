/** The feed light: one sentence about how far the numbers can be trusted. Pure. */
import { clockTime, span } from "../format.ts";
import type { Health } from "../types.ts";
import { instant } from "./clock.ts";
import type { Link } from "./source.ts";

export type LightKind = "connecting" | "live" | "catching-up" | "stale" | "offline";

export interface Light {
  kind: LightKind;
  /** What is shown. */
  text: string;
  /** What a screen reader is told: without the seconds, so that it speaks when the state changes and not else. */
  said: string;
  /** What else the service reports as failing, for who asks. */
  more: string[];
  /** Since when numbers may be wrong (service's clock); undefined while they hold. */
  frozenAt?: number;
}

export interface LightInput {
  link: Link;
  /** Whether anything arrived since the connection opened. */
  heard: boolean;
  /** The last event with numbers, and the last byte of any kind; service's clock. */
  lastNumbers?: number;
  lastHeard?: number;
  health?: Health;
  browserOnline: boolean;
  timeZone?: string;
}

export function light(input: LightInput, now: number, localNow: number): Light {
  return { ...kindOf(input, now, localNow), more: failing(input.health, input.timeZone) };
}

function failing(health: Health | undefined, timeZone: string | undefined): string[] {
  if (!health) return [];
  const { taskrouter, sync } = health;
  const since = instant(taskrouter.since);
  return [
    taskrouter.ok
      ? ""
      : `TaskRouter does not answer${since === undefined ? "" : ` since ${clockTime(since, timeZone)}`}${taskrouter.reason ? `: ${taskrouter.reason}` : "."}`,
    sync.failing ? `Sync: ${sync.failing} writes fail.` : "",
    sync.unwritten ? `Sync: ${sync.unwritten} changes wait to be written.` : "",
  ].filter(Boolean);
}

function kindOf(input: LightInput, now: number, localNow: number): Omit<Light, "more"> {
  const { link, lastNumbers, lastHeard, health } = input;
  // A retry under way is still offline: the light would only flicker.
  if (
    link.state === "lost" ||
    !input.browserOnline ||
    (link.state === "connecting" && lastHeard !== undefined)
  ) {
    const silent = (link.state === "lost" && link.whose) || "the service does not answer";
    const whose = input.browserOnline ? silent : "this screen has no network";
    const wait = link.state === "lost" ? Math.max(0, Math.ceil((link.retryAt - localNow) / 1000)) : 0;
    const old = lastHeard === undefined ? "" : `, numbers ${span((now - lastHeard) / 1000)} old`;
    const retry = wait > 0 ? `retrying in ${wait} s` : "retrying";
    return {
      kind: "offline",
      text: `Offline: ${whose}${old}, ${retry}`,
      said: `Offline: ${whose}.`,
      frozenAt: lastHeard ?? now,
    };
  }
  if (lastNumbers === undefined) return { kind: "connecting", text: "Connecting", said: "Connecting." };
  if (!input.heard) {
    return {
      kind: "catching-up",
      text: `Catching up: numbers ${span((now - (lastHeard ?? lastNumbers)) / 1000)} old`,
      said: "Catching up.",
      frozenAt: lastHeard ?? lastNumbers,
    };
  }
  if (health && !health.taskrouter.ok) {
    const since = instant(health.taskrouter.since) ?? lastNumbers;
    const reason = health.taskrouter.reason ? ` (${health.taskrouter.reason})` : "";
    const text = `Stale since ${clockTime(since, input.timeZone)}: Twilio TaskRouter does not answer${reason}`;
    return { kind: "stale", text, said: text, frozenAt: since };
  }
  const late =
    health && !health.sync.ok
      ? `; Twilio Sync is behind${health.sync.unwritten ? ` by ${health.sync.unwritten}` : ""}`
      : "";
  return {
    kind: "live",
    text: `Live: ${span((now - lastNumbers) / 1000)} ago${late}`,
    said: `Live${late}.`,
  };
}
