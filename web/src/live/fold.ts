/** Folds feed events into the board that everything on the page is drawn from. Pure. */
import type { FeedEvent, Health, Metric, QueueItem, Voice } from "../types.ts";

export interface Board {
  seq: number;
  queues: ReadonlyMap<string, QueueItem>;
  workspace: unknown;
  metrics: readonly Metric[];
  health: Health;
  /** Null when no call was bad. */
  voice: Voice | null;
  queuesKnown: boolean;
}

/**
 * A snapshot replaces everything, even one with a smaller number: the service may have started anew. A change that is
 * not newer than what we have was told twice and is dropped; one before any snapshot has nothing to stand on.
 */
export function fold(board: Board | undefined, event: FeedEvent): Board | undefined {
  if (event.type === "snapshot") {
    const { seq, queues, workspace, metrics = [], health, voice = null, queuesKnown = true } = event.data;
    const bySid = new Map(queues.map((item) => [item.sid, item]));
    return { seq, queues: bySid, workspace, metrics, health, voice, queuesKnown };
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
    metrics: change.metrics ?? board.metrics,
    health: change.health ?? board.health,
    voice: change.voice === undefined ? board.voice : change.voice,
    queuesKnown: change.queuesKnown ?? board.queuesKnown,
  };
}
