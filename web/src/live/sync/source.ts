/**
 * Twilio Sync as a source of live numbers, with the service's feed beside it. The page starts on the feed, which has
 * everything in one answer; it goes over to Sync once all objects are read, and back to the feed at once when Sync is
 * lost or something is missing in it. So nothing ever waits for Sync, and the light says by which way numbers come.
 *
 * ```text
 * line (token, connection) → numbers (objects kept open) ─┐
 * feed ───────────────────────────────────────────────────┼→ handover → listener
 * health (what Sync does not carry) ──────────────────────┘
 * ```
 */
import type { FeedEvent, HealthAnswer, SyncPlaces } from "../../types.ts";
import { HEALTH_MS, pollHealth } from "../health.ts";
import type { LiveListener, LiveSource, Route } from "../source.ts";
import { type LineDoors, line } from "./line.ts";
import { Numbers, type NumbersChange } from "./numbers.ts";

/** A connection that came back may still be catching up; each loss makes the next return more careful. */
const FIRST_SETTLING_MS = 2000;
const LONGEST_SETTLING_MS = 60_000;
/** Who held this long has earned trust again. */
const TRUSTED_MS = 600_000;
/** A feed that is taken up again is given this long before the light says that it is not there yet. */
const GRACE_MS = 2000;

export interface SyncDoors extends LineDoors {
  health(signal: AbortSignal): Promise<HealthAnswer>;
}

const BY_SYNC: Route = { via: "sync", why: "Numbers come through Twilio Sync." };
const byFeed = (why: string): Route => ({
  via: "feed",
  why: `Numbers come by the service's own feed: ${why}.`,
});

export function syncSource(places: SyncPlaces, feed: LiveSource, doors: SyncDoors): LiveSource {
  return {
    start(listener) {
      const handover = new Handover(listener, feed);
      let numbers: Numbers | undefined;
      let metricsDocuments = [places.metrics];
      const stopLine = line(doors, {
        client(client) {
          numbers = new Numbers(client, places, {
            changed: (change) => handover.changed(change),
            missing: (why) => handover.missing(why),
          });
          numbers.setMetricsDocuments(metricsDocuments);
          handover.use(numbers);
        },
        connected: (yes) => handover.connected(yes),
        ended(why) {
          numbers?.close();
          numbers = undefined;
          handover.use(undefined, why);
        },
      });
      const stopHealth = pollHealth(doors.health, {
        answer(answer) {
          if (answer.metricsDocuments?.length) metricsDocuments = answer.metricsDocuments;
          numbers?.setMetricsDocuments(metricsDocuments);
          handover.health(answer);
        },
        silent: (retryAt) => handover.silent(retryAt),
      });
      return () => {
        stopLine();
        stopHealth();
        numbers?.close();
        handover.stop();
      };
    },
  };
}

class Handover {
  private via: Route["via"] = "feed";
  private said = "";
  private stopFeed: (() => void) | undefined;
  private feedGrace: ReturnType<typeof setTimeout> | undefined;
  private settling: ReturnType<typeof setTimeout> | undefined;
  private doubt: ReturnType<typeof setTimeout> | undefined;
  private losses = 0;
  private wentOverAt = 0;
  private stopped = false;

  private numbers: Numbers | undefined;
  private isConnected = false;
  private why: string | undefined = "Twilio Sync is being read";
  private answer: HealthAnswer | undefined;

  private seq = 0;
  private lost = false;
  /** This clock: the last sign of life while numbers come through Sync. */
  private alive = 0;

  constructor(
    private readonly listener: LiveListener,
    private readonly feed: LiveSource,
  ) {
    this.takeFeed();
  }

  use(numbers: Numbers | undefined, why?: string): void {
    this.numbers = numbers;
    if (!numbers && why) this.why = why;
    this.decide();
  }

  connected(yes: boolean): void {
    this.isConnected = yes;
    this.decide();
  }

  missing(why: string | undefined): void {
    this.why = why;
    this.decide();
  }

  changed(change: NumbersChange): void {
    if (this.via !== "sync") return;
    this.alive = Date.now();
    if (this.lost) this.found();
    this.tell({ type: "change", data: { seq: this.next(), now: "", ...change } });
  }

  health(answer: HealthAnswer): void {
    this.answer = answer;
    clearTimeout(this.doubt);
    if (this.via === "sync") {
      const { now, health, queuesKnown, voice = null } = answer;
      this.alive = Date.now();
      if (this.lost) this.found();
      this.tell({ type: "change", data: { seq: this.next(), now, health, queuesKnown, voice } });
    } else this.decide();
  }

  silent(retryAt: number): void {
    clearTimeout(this.doubt);
    if (this.via !== "sync") return;
    const left = this.alive + 2 * HEALTH_MS - Date.now();
    if (left > 0) {
      // Two intervals after the last sign of life, and not at the next question after that.
      this.doubt = setTimeout(() => this.silent(retryAt), left);
      return;
    }
    // Sync itself lives, but nobody is known to write to it.
    this.lost = true;
    this.listener.link({ state: "lost", retryAt });
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.settling);
    clearTimeout(this.doubt);
    this.dropFeed();
  }

  private reason(): string | undefined {
    if (!this.numbers) return this.why;
    if (!this.isConnected) return "Twilio Sync is not connected";
    return this.why ?? (this.answer ? undefined : "the service has not told its health yet");
  }

  private decide(): void {
    if (this.stopped) return;
    const why = this.reason();
    if (why !== undefined) {
      clearTimeout(this.settling);
      this.settling = undefined;
      if (this.via === "sync") {
        this.losses = Date.now() - this.wentOverAt > TRUSTED_MS ? 1 : this.losses + 1;
        this.via = "feed";
        this.takeFeed();
      }
      this.route(byFeed(why));
      return;
    }
    if (this.via === "sync" || this.settling !== undefined) return;
    if (this.losses === 0) {
      this.goOver();
      return;
    }
    const ms = Math.min(LONGEST_SETTLING_MS, FIRST_SETTLING_MS * 2 ** (this.losses - 1));
    this.route(byFeed("Twilio Sync is back and catches up"));
    this.settling = setTimeout(() => this.goOver(), ms);
  }

  private goOver(): void {
    this.settling = undefined;
    if (!this.numbers || !this.answer) return;
    this.dropFeed();
    this.via = "sync";
    this.lost = false;
    this.alive = this.wentOverAt = Date.now();
    const { health, queuesKnown, voice = null } = this.answer;
    this.listener.link({ state: "open" });
    // The clock's `now` would be as old as the last answer.
    const data = { seq: this.next(), now: "", ...this.numbers.snapshot(), health, queuesKnown, voice };
    this.tell({ type: "snapshot", data });
    this.route(BY_SYNC);
  }

  private found(): void {
    this.lost = false;
    this.listener.link({ state: "open" });
  }

  private takeFeed(): void {
    if (this.stopFeed) return;
    const first = this.seq === 0;
    let opened = false;
    let live = true;
    // While the feed is on its way the last numbers hold: a blink of the light would say nothing.
    this.feedGrace = first
      ? undefined
      : setTimeout(() => !opened && this.listener.link({ state: "connecting" }), GRACE_MS);
    const stop = this.feed.start({
      event: (event) => live && this.listener.event(event),
      heard: () => live && this.listener.heard(),
      link: (link) => {
        if (!live) return;
        if (link.state !== "connecting") opened = true;
        else if (!opened && !first) return;
        this.listener.link(link);
      },
    });
    this.stopFeed = () => {
      live = false;
      clearTimeout(this.feedGrace);
      stop();
    };
  }

  private dropFeed(): void {
    this.stopFeed?.();
    this.stopFeed = undefined;
  }

  private next(): number {
    this.seq += 1;
    return this.seq;
  }

  private tell(event: FeedEvent): void {
    this.listener.event(event);
  }

  private route(route: Route): void {
    if (route.why === this.said) return;
    this.said = route.why;
    this.listener.route?.(route);
  }
}
