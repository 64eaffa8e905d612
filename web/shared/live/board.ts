/** The board that everything is drawn from, built from events. Pure. */
import type { FeedEvent, Health, Metric, QueueItem, Voice } from "../api/types.ts";

export interface Board {
  seq: number;
  queues: ReadonlyMap<string, QueueItem>;
  workspace: unknown;
  metrics: readonly Metric[];
  health: Health;
  /** Null when no poor call was reported. */
  voice: Voice | null;
  queuesKnown: boolean;
}

/**
 * A snapshot replaces everything, even one with a smaller number: the service may have restarted. A change that is not
 * newer than the board was sent twice and is dropped; so is one before any snapshot.
 */
export function applyEvent(board: Board | undefined, event: FeedEvent): Board | undefined {
  if (event.type === "snapshot") {
    const { seq, queues, workspace, metrics = [], health, voice = null, queuesKnown = true } = event.data;
    const bySid = new Map(queues.map((item) => [item.sid, item]));
    return {
      seq,
      queues: bySid,
      workspace,
      metrics: shareMetrics(board?.metrics, metrics),
      health,
      voice,
      queuesKnown,
    };
  }
  const change = event.data;
  if (!board || change.seq <= board.seq) return board;
  let queues = board.queues;
  if (change.queues?.length || change.removed?.length) {
    const next = new Map(queues);
    for (const item of change.queues ?? []) next.set(item.sid, item);
    for (const sid of change.removed ?? []) next.delete(sid);
    queues = next;
  }
  return {
    seq: change.seq,
    queues,
    workspace: change.workspace ?? board.workspace,
    metrics: change.metrics ? shareMetrics(board.metrics, change.metrics) : board.metrics,
    health: change.health ?? board.health,
    voice: change.voice === undefined ? board.voice : change.voice,
    queuesKnown: change.queuesKnown ?? board.queuesKnown,
  };
}

/** Keeps the old object of each metric that did not change, so that memoised tiles need not be drawn again. */
export function shareMetrics(
  before: readonly Metric[] | undefined,
  after: readonly Metric[],
): readonly Metric[] {
  if (!before) return after;
  const known = new Map(before.map((metric) => [metric.name, metric]));
  const shared = after.map((metric) => {
    const old = known.get(metric.name);
    return old && JSON.stringify(old) === JSON.stringify(metric) ? old : metric;
  });
  return shared.length === before.length && shared.every((metric, n) => metric === before[n])
    ? before
    : shared;
}
