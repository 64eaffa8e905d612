/**
 * The live data of one page or plugin: the board, the state of the connection, the service's clock and the curves.
 * A vanilla store without any framework; `react.tsx` gives its hooks.
 */
import type { Client } from "../api/client.ts";
import type { FeedEvent } from "../api/types.ts";
import { en } from "../locales/en.ts";
import type { Texts } from "../locales/index.ts";
import { applyEvent, type Board } from "./board.ts";
import { instant, Skew } from "./clock.ts";
import { browserEnvironment, type Environment } from "./environment.ts";
import { type Freshness, freshness } from "./freshness.ts";
import { MetricHistory } from "./history.ts";
import type { ActiveSource, FeedCursor, Link, LiveSource } from "./source.ts";

/** A hidden tab closes its connection after this long: a browser has six to a host over HTTP/1.1. */
export const HIDDEN_MS = 5000;

export interface LiveState {
  board: Board | undefined;
  link: Link;
  activeSource: ActiveSource | undefined;
  /** Whether anything arrived since the connection opened. */
  active: boolean;
  /** Service's clock, milliseconds. */
  lastNumbers: number | undefined;
  /** When the oldest of the numbers was read, where the service reports it. */
  asOf: number | undefined;
  lastActivity: number | undefined;
  unreadable: number;
  /** The service's clock in whole seconds. */
  second: number;
  freshness: Freshness;
}

export interface Live {
  /** Starts the source and the clock; returns how to stop both. */
  start(): () => void;
  getState(): LiveState;
  subscribe(listener: () => void): () => void;
  /** Calls the listener with what `selector` picks whenever that changes. */
  select<T>(selector: (state: LiveState) => T, listener: (value: T) => void): () => void;
  /** The service's clock, milliseconds. */
  now(): number;
  readonly history: MetricHistory;
}

export interface LiveOptions {
  source: LiveSource;
  client: Pick<Client, "history">;
  clock?: Environment;
  timeZone?: string;
  text?: Texts;
  /** A store whose numbers stay until the new source has its own. */
  previous?: Live | undefined;
}

export function createLive(options: LiveOptions): Live {
  return new LiveStore(options);
}

class LiveStore implements Live {
  readonly history: MetricHistory;
  private readonly listeners = new Set<() => void>();
  private readonly skew = new Skew();
  private readonly cursor: FeedCursor = { lastEventId: "" };
  private readonly clock: Environment;
  private readonly text: Texts;
  private state: LiveState;
  private tickTimer: ReturnType<typeof setTimeout> | undefined;
  private hiddenTimer: ReturnType<typeof setTimeout> | undefined;
  private stopSource: (() => void) | undefined;

  constructor(private readonly options: LiveOptions) {
    this.clock = options.clock ?? browserEnvironment();
    this.text = options.text ?? en;
    const { previous } = options;
    this.history = previous?.history ?? new MetricHistory((metric) => options.client.history(metric));
    const before = previous?.getState();
    if (previous) this.skew.add(previous.now(), this.clock.now());
    this.state = this.complete({
      board: before?.board,
      link: { state: "connecting" },
      activeSource: undefined,
      active: false,
      lastNumbers: before?.lastNumbers,
      asOf: before?.asOf,
      lastActivity: before?.lastActivity,
      unreadable: 0,
      second: 0,
    });
  }

  start(): () => void {
    this.startSource();
    const stopWatching = this.clock.onChange(() => this.environmentChanged());
    this.tick();
    return () => {
      stopWatching();
      clearTimeout(this.tickTimer);
      clearTimeout(this.hiddenTimer);
      this.stopSource?.();
      this.stopSource = undefined;
    };
  }

  getState = (): LiveState => this.state;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  };

  select<T>(selector: (state: LiveState) => T, listener: (value: T) => void): () => void {
    let last = selector(this.state);
    return this.subscribe(() => {
      const value = selector(this.state);
      if (Object.is(value, last)) return;
      last = value;
      listener(value);
    });
  }

  now = (): number => this.clock.now() + this.skew.value;

  private startSource(): void {
    let current = true;
    const stop = this.options.source.start(
      {
        event: (event) => current && this.take(event),
        link: (link) => current && this.linkChanged(link),
        activity: () => current && this.activity(),
        activeSource: (activeSource) => current && this.set({ activeSource }),
        unreadable: (unreadable) => current && this.set({ unreadable }),
      },
      this.cursor,
    );
    this.stopSource = () => {
      current = false;
      stop();
    };
  }

  private take(event: FeedEvent): void {
    this.skew.add(instant(event.data.now) ?? Number.NaN, this.clock.now());
    const board = applyEvent(this.state.board, event);
    const now = this.now();
    if (event.data.metrics) this.history.push(event.data.metrics, now);
    const { queues, metrics, workspace } = event.data;
    const withNumbers = event.type === "snapshot" || queues || metrics || workspace;
    this.set({
      board,
      active: true,
      lastActivity: now,
      asOf: instant(event.data.asOf) ?? this.state.asOf,
      lastNumbers: withNumbers ? now : this.state.lastNumbers,
    });
  }

  private linkChanged(link: Link): void {
    if (link.state === "lost") this.history.gap(this.now());
    if (link.state === "open") this.history.refill();
    this.set({ link, active: link.state === "open" ? false : this.state.active });
  }

  /** At most once a second: events report by themselves. */
  private activity(): void {
    const now = this.now();
    if (this.state.active && now - (this.state.lastActivity ?? 0) <= 1000) return;
    this.set({ active: true, lastActivity: now });
  }

  private environmentChanged(): void {
    clearTimeout(this.hiddenTimer);
    if (this.clock.visible()) {
      if (!this.stopSource) this.startSource();
    } else if (this.stopSource) {
      this.hiddenTimer = setTimeout(() => this.pause(), HIDDEN_MS);
    }
    this.set({});
  }

  private pause(): void {
    this.stopSource?.();
    this.stopSource = undefined;
    this.history.gap(this.now());
    this.set({ link: { state: "paused" }, active: false });
  }

  private tick(): void {
    this.set({});
    this.tickTimer = setTimeout(() => this.tick(), 1000 - (this.now() % 1000) + 5);
  }

  private set(next: Partial<LiveState>): void {
    this.state = this.complete({ ...this.state, ...next });
    for (const listener of this.listeners) listener();
  }

  /** Computes what depends on the clock: once for each event and each second, whatever number of components read it. */
  private complete(state: Omit<LiveState, "freshness"> & { freshness?: Freshness }): LiveState {
    const now = this.now();
    const next = freshness(
      {
        link: state.link,
        active: state.active,
        lastNumbers: state.lastNumbers,
        asOf: state.asOf,
        lastActivity: state.lastActivity,
        health: state.board?.health,
        browserOnline: this.clock.online(),
        timeZone: this.options.timeZone,
        unreadable: state.unreadable,
      },
      this.text,
      now,
      this.clock.now(),
    );
    if (next.staleSince !== undefined) next.staleSince = Math.floor(next.staleSince / 1000) * 1000;
    const same = state.freshness && JSON.stringify(state.freshness) === JSON.stringify(next);
    return {
      ...state,
      second: Math.floor(now / 1000),
      freshness: same && state.freshness ? state.freshness : next,
    };
  }
}
