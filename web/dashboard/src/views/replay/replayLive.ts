/** Live data of the past: a store like that of the page, fed with what the history knows of a moment. */
import type { HistoryApi, MetricCurve, Moment } from "@taskrouter-sync/shared/api/history.ts";
import type { FeedEvent, Health, Points } from "@taskrouter-sync/shared/api/types.ts";
import { dateOf, localDay } from "@taskrouter-sync/shared/format/localDays.ts";
import type { Environment } from "@taskrouter-sync/shared/live/environment.ts";
import type { LiveListener, LiveSource } from "@taskrouter-sync/shared/live/source.ts";

const CURVE_MS = 4 * 3_600_000;
const STEP_S = 60;
const KEPT = 200;

const iso = (ms: number) => new Date(ms).toISOString();

/** Seconds, or an instant as text. */
export const gapTime = (time: number | string | null | undefined): number | undefined =>
  typeof time === "number" ? time * 1000 : time ? Date.parse(time) : undefined;

function healthOf({ known, gap }: Moment): Health {
  const sync = { ok: true };
  if (known && !gap) return { taskrouter: { ok: true, since: null, reason: null }, sync };
  const since = gapTime(gap?.from);
  return {
    taskrouter: { ok: false, since: since === undefined ? null : iso(since), reason: gap?.reason ?? null },
    sync,
  };
}

export function snapshotOf(moment: Moment, seq: number, now: number): FeedEvent {
  const { queues, workspace, tiles } = moment;
  return {
    type: "snapshot",
    data: {
      seq,
      now: iso(now),
      queues,
      workspace,
      metrics: tiles,
      health: healthOf(moment),
      voice: null,
      queuesKnown: true,
    },
  };
}

/** A source that shows moments as they are handed to it; the newest is there from the start. */
export class MomentSource implements LiveSource {
  private listener: LiveListener | undefined;
  private seq = 0;

  constructor(
    private moment: Moment,
    private readonly now: () => number,
  ) {}

  start(listener: LiveListener): () => void {
    this.listener = listener;
    listener.link({ state: "open" });
    this.send();
    return () => {
      this.listener = undefined;
    };
  }

  show(moment: Moment): void {
    this.moment = moment;
    this.send();
  }

  private send(): void {
    this.seq += 1;
    this.listener?.event(snapshotOf(this.moment, this.seq, this.now()));
  }
}

/** The past has a network, and is always in sight. */
export const pastEnvironment = (now: () => number): Environment => ({
  now,
  online: () => true,
  visible: () => true,
  onChange: () => () => undefined,
});

/** Curves up to a moment. A day's are read once, so that scrubbing asks for nothing. */
export class PastCurves {
  private readonly read = new Map<string, Promise<MetricCurve>>();

  constructor(
    private readonly api: Pick<HistoryApi, "metric">,
    private readonly timeZone: string,
    private readonly present: () => number,
  ) {}

  async until(name: string, moment: number): Promise<Points> {
    const { times, values } = await this.day(name, dateOf(moment, this.timeZone));
    const points = times.map((time, n): Points[number] => [time, values[n] ?? null]);
    return points.filter(([time]) => time * 1000 <= moment && time * 1000 >= moment - CURVE_MS);
  }

  private day(name: string, date: string): Promise<MetricCurve> {
    const present = date === dateOf(this.present(), this.timeZone);
    const key = `${name} ${date} ${present ? Math.floor(this.present() / 60_000) : ""}`;
    const known = this.read.get(key);
    if (known) return known;
    const { start, end } = localDay(date, this.timeZone);
    const asked = this.api.metric(name, { from: start - CURVE_MS, to: end, step: STEP_S });
    this.read.set(key, asked);
    if (this.read.size > KEPT) this.read.delete(this.read.keys().next().value ?? "");
    asked.catch(() => this.read.delete(key));
    return asked;
  }
}
