/**
 * One feed for all tabs of a browser. Over HTTP/1.1 a browser has six connections to a host, so that a stream for each
 * tab leaves none for requests. A `FeedHub` in a shared worker reads the stream once and keeps the board; each tab joins
 * it through a port, and reads a stream of its own where the hub does not answer.
 */
import type { FeedEvent } from "../../api/types.ts";
import { applyEvent, type Board } from "../board.ts";
import type { FeedCursor, Link, LiveListener, LiveSource } from "../source.ts";

/** What a tab tells the hub. `lastEventId` is where its own board stands. */
export type TabMessage = { type: "join"; lastEventId: string } | { type: "alive" } | { type: "leave" };

export type HubMessage =
  | { type: "joined" }
  | { type: "event"; event: FeedEvent; id: string }
  | { type: "link"; link: Link }
  | { type: "activity" }
  | { type: "unreadable"; count: number }
  /** The session ended: each tab finds that out by itself, and goes where it must. */
  | { type: "signed-out" };

/** A `MessagePort`, as far as it is used. */
export interface FeedPort<Out, In> {
  postMessage(message: Out): void;
  onmessage: ((event: { data: In }) => unknown) | null;
}

/** A tab says this often that it is there: a worker is not told when one crashes. */
export const ALIVE_MS = 30_000;
/** A tab that was silent this long is gone; timers of covered windows run once a minute. */
const GONE_MS = 180_000;
/** A hub that has not answered by then may never do so. */
const JOIN_MS = 5000;
/** Longer than the feed itself may be silent. */
const SILENCE_MS = 45_000;
const ACTIVITY_MS = 1000;

type HubPort = FeedPort<HubMessage, TabMessage>;

/** The worker's side: reads the feed while at least one tab is there. */
export class FeedHub {
  private readonly tabs = new Map<HubPort, number>();
  private readonly cursor: FeedCursor = { lastEventId: "" };
  private board: Board | undefined;
  private asOf: string | undefined;
  private now = "";
  private link: Link = { state: "connecting" };
  private unreadable = 0;
  private lastActivity = 0;
  private stopFeed: (() => void) | undefined;
  private sweep: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly feed: LiveSource) {}

  connect(port: HubPort): void {
    port.onmessage = ({ data }) => {
      if (data.type === "leave") this.leave(port);
      else if (data.type === "join") this.join(port, data.lastEventId);
      // A tab that was taken for gone, and is back with an older board.
      else if (!this.tabs.has(port)) this.join(port, "");
      else this.tabs.set(port, Date.now());
    };
  }

  signedOut(): void {
    this.broadcast({ type: "signed-out" });
    this.tabs.clear();
    this.stop();
    this.forget();
  }

  private join(port: HubPort, lastEventId: string): void {
    this.tabs.set(port, Date.now());
    port.postMessage({ type: "joined" });
    if (this.stopFeed) {
      port.postMessage({ type: "link", link: this.link });
      if (this.board)
        port.postMessage({ type: "event", event: this.snapshot(), id: this.cursor.lastEventId });
      if (this.unreadable) port.postMessage({ type: "unreadable", count: this.unreadable });
      return;
    }
    // The feed resumes only where this tab's board stands.
    if (lastEventId !== this.cursor.lastEventId) this.forget();
    this.start();
  }

  private leave(port: HubPort): void {
    this.tabs.delete(port);
    if (this.tabs.size === 0) this.stop();
  }

  private start(): void {
    this.sweep = setInterval(() => {
      const oldest = Date.now() - GONE_MS;
      for (const [port, seen] of this.tabs) if (seen < oldest) this.leave(port);
    }, ALIVE_MS);
    this.stopFeed = this.feed.start(
      {
        event: (event, id = "") => {
          this.board = applyEvent(this.board, event);
          this.now = event.data.now;
          if (event.data.asOf) this.asOf = event.data.asOf;
          this.broadcast({ type: "event", event, id });
        },
        link: (link) => {
          this.link = link;
          this.broadcast({ type: "link", link });
        },
        activity: () => {
          const now = Date.now();
          if (now - this.lastActivity < ACTIVITY_MS) return;
          this.lastActivity = now;
          this.broadcast({ type: "activity" });
        },
        unreadable: (count) => {
          this.unreadable = count;
          this.broadcast({ type: "unreadable", count });
        },
      },
      this.cursor,
    );
  }

  private stop(): void {
    clearInterval(this.sweep);
    this.stopFeed?.();
    this.stopFeed = undefined;
    this.link = { state: "connecting" };
  }

  private forget(): void {
    this.board = undefined;
    this.asOf = undefined;
    this.unreadable = 0;
    this.cursor.lastEventId = "";
  }

  /** The board as an event for a tab that has none. */
  private snapshot(): FeedEvent {
    const { queues, ...board } = this.board as Board;
    const data = { ...board, now: this.now, asOf: this.asOf ?? null, queues: [...queues.values()] };
    return { type: "snapshot", data: { ...data, metrics: [...board.metrics] } };
  }

  private broadcast(message: HubMessage): void {
    for (const port of this.tabs.keys()) port.postMessage(message);
  }
}

/** A port to the hub; undefined where this browser has no shared workers. `failed` is called when it can't be loaded. */
export type OpenHub = (failed: () => void) => FeedPort<TabMessage, HubMessage> | undefined;

/** The tab's side: the hub's feed, or `own` where there is no hub, it can't be loaded, or it falls silent. */
export function sharedFeedSource(open: OpenHub, own: LiveSource): LiveSource {
  return {
    start(listener, cursor = { lastEventId: "" }) {
      const tab = new Tab(open, own, listener, cursor);
      tab.start();
      const leave = () => tab.leave();
      // A page that the browser keeps for "back" holds no place among the tabs.
      const back = (event: Event) => (event as PageTransitionEvent).persisted && tab.start();
      globalThis.addEventListener("pagehide", leave);
      globalThis.addEventListener("pageshow", back);
      return () => {
        globalThis.removeEventListener("pagehide", leave);
        globalThis.removeEventListener("pageshow", back);
        tab.leave();
      };
    },
  };
}

class Tab {
  private port: FeedPort<TabMessage, HubMessage> | undefined;
  private stopOwn: (() => void) | undefined;
  private alive: ReturnType<typeof setInterval> | undefined;
  private silence: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly open: OpenHub,
    private readonly own: LiveSource,
    private readonly listener: LiveListener,
    private readonly cursor: FeedCursor,
  ) {}

  start(): void {
    this.leave();
    const port = this.open(() => this.port === port && this.giveUp());
    this.port = port;
    if (!port) {
      this.readAlone();
      return;
    }
    port.onmessage = ({ data }) => this.port === port && this.take(data);
    this.expectWithin(JOIN_MS);
    this.alive = setInterval(() => port.postMessage({ type: "alive" }), ALIVE_MS);
    this.listener.link({ state: "connecting" });
    port.postMessage({ type: "join", lastEventId: this.cursor.lastEventId });
  }

  leave(): void {
    clearInterval(this.alive);
    clearTimeout(this.silence);
    this.port?.postMessage({ type: "leave" });
    this.port = undefined;
    this.stopAlone();
  }

  private giveUp(): void {
    this.leave();
    this.readAlone();
  }

  private readAlone(): void {
    this.stopOwn ??= this.own.start(this.listener, this.cursor);
  }

  private stopAlone(): void {
    this.stopOwn?.();
    this.stopOwn = undefined;
  }

  private expectWithin(ms: number): void {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.readAlone(), ms);
  }

  private take(message: HubMessage): void {
    if (message.type === "signed-out") {
      this.giveUp();
      return;
    }
    this.expectWithin(SILENCE_MS);
    // A hub that was only slow: none of its messages was missed.
    this.stopAlone();
    switch (message.type) {
      case "event":
        this.listener.event(message.event, message.id);
        this.cursor.lastEventId = message.id;
        break;
      case "link":
        this.listener.link(message.link);
        break;
      case "activity":
        this.listener.activity();
        break;
      case "unreadable":
        this.listener.unreadable?.(message.count);
    }
  }
}
