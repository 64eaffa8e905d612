/** How far the numbers can be trusted, in one sentence. Pure. */
import type { Health } from "../api/types.ts";
import { clockTime } from "../format/time.ts";
import type { Texts } from "../locales/index.ts";
import { instant } from "./clock.ts";
import type { Link } from "./source.ts";

export type FreshnessKind = "connecting" | "live" | "catching-up" | "stale" | "offline";

export interface Freshness {
  kind: FreshnessKind;
  /** What is shown. */
  label: string;
  /** What a screen reader announces: without seconds, so that it speaks only when the state changes. */
  announcement: string;
  /** What else the service reports as failing, for the tooltip. */
  details: string[];
  /** Since when numbers may be wrong (service's clock); undefined while they hold. */
  staleSince?: number;
}

export interface FreshnessInput {
  link: Link;
  /** Whether anything arrived since the connection opened. */
  active: boolean;
  /** The last event with numbers, and the last byte of any kind; service's clock. */
  lastNumbers?: number | undefined;
  /** When the oldest of the numbers was read: a message that just arrived may carry old ones. */
  asOf?: number | undefined;
  lastActivity?: number | undefined;
  health?: Health | undefined;
  browserOnline: boolean;
  timeZone?: string | undefined;
  /** Items of the data that can't be read. */
  unreadable?: number;
}

export function freshness(input: FreshnessInput, text: Texts, now: number, localNow: number): Freshness {
  return { ...kindOf(input, text, now, localNow), details: failing(input, text) };
}

function failing({ health, timeZone, unreadable }: FreshnessInput, { freshness: text }: Texts): string[] {
  const details = unreadable ? [text.unreadable(unreadable)] : [];
  if (!health) return details;
  const { taskrouter, sync } = health;
  const since = instant(taskrouter.since);
  if (!taskrouter.ok) {
    details.push(
      text.taskRouterSilent(
        since === undefined ? undefined : clockTime(since, timeZone),
        taskrouter.reason ?? undefined,
      ),
    );
  }
  if (sync.failing) details.push(text.syncFailing(sync.failing));
  if (sync.beyondLimit) {
    const { object, waiting, writesASecond } = sync.beyondLimit;
    details.push(text.syncBeyondLimit(object, waiting, writesASecond));
  }
  if (sync.unwritten) details.push(text.syncPending(sync.unwritten));
  return details;
}

function kindOf(
  input: FreshnessInput,
  texts: Texts,
  now: number,
  localNow: number,
): Omit<Freshness, "details"> {
  const text = texts.freshness;
  const { link, lastNumbers, lastActivity, health } = input;
  const numbersAt = input.asOf ?? lastNumbers;
  const age = (since: number) => texts.span((now - since) / 1000);
  // A retry under way is still offline: the indicator would only flicker.
  if (link.state === "lost" || !input.browserOnline || (link.state === "connecting" && link.retry)) {
    const whose = input.browserOnline ? text.serviceUnreachable : text.noNetwork;
    const wait = link.state === "lost" ? Math.max(0, Math.ceil((link.retryAt - localNow) / 1000)) : 0;
    return {
      kind: "offline",
      label: text.offline(whose, numbersAt === undefined ? undefined : age(numbersAt), wait),
      announcement: text.offlineAnnouncement(whose),
      staleSince: lastActivity ?? now,
    };
  }
  if (lastNumbers === undefined) {
    return { kind: "connecting", label: text.connecting, announcement: text.connectingAnnouncement };
  }
  if (!input.active || link.state !== "open") {
    const since = lastActivity ?? lastNumbers;
    return {
      kind: "catching-up",
      label: text.catchingUp(age(numbersAt ?? since)),
      announcement: text.catchingUpAnnouncement,
      staleSince: since,
    };
  }
  if (health && !health.taskrouter.ok) {
    const since = instant(health.taskrouter.since) ?? lastNumbers;
    const label = text.stale(clockTime(since, input.timeZone), health.taskrouter.reason ?? undefined);
    return { kind: "stale", label, announcement: label, staleSince: since };
  }
  const behind = health && !health.sync.ok ? text.syncBehind(health.sync.unwritten) : "";
  return {
    kind: "live",
    label: text.live(age(numbersAt ?? lastNumbers), behind),
    announcement: text.liveAnnouncement(behind),
  };
}
