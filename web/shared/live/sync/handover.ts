/**
 * Decides which source numbers come from, and hands over between the feed and Sync without a gap: Sync while it holds
 * everything, the feed while the service writes to Sync more slowly than it reads, Sync again where the feed fails then.
 */
import type { FeedEvent, HealthAnswer } from "../../api/types.ts";
import type { Texts } from "../../locales/index.ts";
import { HEALTH_MS } from "../pollHealth.ts";
import type { ActiveSource, LiveListener, LiveSource } from "../source.ts";
import type { SyncChange, SyncObjects } from "./objects.ts";

/** A connection that came back may still be catching up; each loss makes the next return more careful. */
const FIRST_SETTLING_MS = 2000;
const LONGEST_SETTLING_MS = 60_000;
/** A connection that held this long is trusted again. */
const TRUSTED_MS = 600_000;
/** A feed that is opened again has this long before the indicator says that it is connecting. */
const GRACE_MS = 2000;
/** A feed that failed is not tried again for as long as Sync, if behind, has all numbers. */
const FEED_AGAIN_MS = 60_000;

export class Handover {
  private active: ActiveSource["kind"] = "feed";
  private lastReason = "";
  private stopFeed: (() => void) | undefined;
  private feedGrace: ReturnType<typeof setTimeout> | undefined;
  private settling: ReturnType<typeof setTimeout> | undefined;
  private doubt: ReturnType<typeof setTimeout> | undefined;
  private losses = 0;
  private handedOverAt = 0;
  private stopped = false;
  private feedFailedAt = Number.NEGATIVE_INFINITY;

  private objects: SyncObjects | undefined;
  private isConnected = false;
  private why: string | undefined;
  private answer: HealthAnswer | undefined;

  private seq = 0;
  private unreadableInSync = 0;
  private lost = false;
  /** This clock: the last sign of life while numbers come through Sync. */
  private alive = 0;

  constructor(
    private readonly listener: LiveListener,
    private readonly feed: LiveSource,
    private readonly text: Texts["source"],
  ) {
    this.why = text.reading;
    this.takeFeed();
  }

  use(objects: SyncObjects | undefined, why?: string): void {
    this.objects = objects;
    if (!objects && why) this.why = why;
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

  unreadable(count: number): void {
    this.unreadableInSync = count;
    if (this.active === "sync") this.listener.unreadable?.(count);
  }

  changed(change: SyncChange): void {
    if (this.active !== "sync") return;
    this.alive = Date.now();
    if (this.lost) this.recovered();
    this.notify({ type: "change", data: { seq: this.next(), now: "", ...change } });
  }

  health(answer: HealthAnswer): void {
    this.answer = answer;
    clearTimeout(this.doubt);
    if (this.active === "sync") {
      const { now, health, queuesKnown, voice = null } = answer;
      this.alive = Date.now();
      if (this.lost) this.recovered();
      const asOf = answer.asOf ?? null;
      this.notify({ type: "change", data: { seq: this.next(), now, asOf, health, queuesKnown, voice } });
    }
    this.decide();
  }

  silent(retryAt: number): void {
    clearTimeout(this.doubt);
    if (this.active !== "sync") return;
    const left = this.alive + 2 * HEALTH_MS - Date.now();
    if (left > 0) {
      // Two intervals after the last sign of life, and not only at the next poll.
      this.doubt = setTimeout(() => this.silent(retryAt), left);
      return;
    }
    // Sync itself is up, but the service, which writes to it, is silent.
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
    if (!this.objects) return this.why;
    if (!this.isConnected) return this.text.notConnected;
    return this.why ?? (this.answer ? this.behind() : this.text.noHealthYet);
  }

  /** The feed is fresher while Sync takes the service's writes too slowly or not at all, unless the feed fails as well. */
  private behind(): string | undefined {
    const { ok, beyondLimit } = this.answer?.health.sync ?? { ok: true };
    if (ok && !beyondLimit) return undefined;
    return Date.now() - this.feedFailedAt < FEED_AGAIN_MS ? undefined : this.text.behind;
  }

  private byFeed(why: string): ActiveSource {
    return { kind: "feed", reason: this.text.feed(why) };
  }

  private decide(): void {
    if (this.stopped) return;
    const why = this.reason();
    if (why !== undefined) {
      clearTimeout(this.settling);
      this.settling = undefined;
      if (this.active === "sync") {
        this.losses = Date.now() - this.handedOverAt > TRUSTED_MS ? 1 : this.losses + 1;
        this.active = "feed";
        this.takeFeed();
      }
      this.announce(this.byFeed(why));
      return;
    }
    if (this.active === "sync" || this.settling !== undefined) return;
    if (this.losses === 0) {
      this.handOver();
      return;
    }
    const ms = Math.min(LONGEST_SETTLING_MS, FIRST_SETTLING_MS * 2 ** (this.losses - 1));
    this.announce(this.byFeed(this.text.settling));
    this.settling = setTimeout(() => this.handOver(), ms);
  }

  private handOver(): void {
    this.settling = undefined;
    if (!this.objects || !this.answer) return;
    this.dropFeed();
    this.active = "sync";
    this.lost = false;
    this.alive = this.handedOverAt = Date.now();
    const { health, queuesKnown, voice = null } = this.answer;
    this.listener.link({ state: "open" });
    // The clock's `now` would be as old as the last answer.
    const numbers = this.objects.snapshot();
    const asOf = this.answer.asOf ?? null;
    const data = { seq: this.next(), now: "", asOf, ...numbers, health, queuesKnown, voice };
    this.notify({ type: "snapshot", data });
    this.listener.unreadable?.(this.unreadableInSync);
    this.announce({ kind: "sync", reason: this.text.sync });
  }

  private recovered(): void {
    this.lost = false;
    this.listener.link({ state: "open" });
  }

  private takeFeed(): void {
    if (this.stopFeed) return;
    const first = this.seq === 0;
    let opened = false;
    let live = true;
    // While the feed connects the last numbers hold: a flicker of the indicator would say nothing.
    this.feedGrace = first
      ? undefined
      : setTimeout(() => !opened && this.listener.link({ state: "connecting" }), GRACE_MS);
    const stop = this.feed.start({
      event: (event) => live && this.listener.event(event),
      activity: () => live && this.listener.activity(),
      unreadable: (count) => live && this.listener.unreadable?.(count),
      link: (link) => {
        if (!live) return;
        if (link.state === "lost") this.feedFailedAt = Date.now();
        if (link.state !== "connecting") opened = true;
        else if (!opened && !first) return;
        this.listener.link(link);
        // Where Sync is merely behind, its numbers are the fresher ones now.
        if (link.state === "lost" && this.why === undefined) this.decide();
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

  private notify(event: FeedEvent): void {
    this.listener.event(event);
  }

  private announce(source: ActiveSource): void {
    if (source.reason === this.lastReason) return;
    this.lastReason = source.reason;
    this.listener.activeSource?.(source);
  }
}
