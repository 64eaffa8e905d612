/** Holds the board and the state of the link; components subscribe to the part that they draw. */
import { useSyncExternalStore } from "react";
import type { Session } from "../types.ts";
import { instant, Skew } from "./clock.ts";
import { type Board, fold } from "./fold.ts";
import { MetricHistory } from "./history.ts";
import { type Light, light } from "./light.ts";
import type { Link, LiveSource, Route } from "./source.ts";

export interface LiveState {
  board: Board | undefined;
  link: Link;
  route: Route | undefined;
  heard: boolean;
  /** Service's clock, milliseconds. */
  lastNumbers: number | undefined;
  lastHeard: number | undefined;
}

const skew = new Skew();
let state: LiveState = {
  board: undefined,
  link: { state: "connecting" },
  route: undefined,
  heard: false,
  lastNumbers: undefined,
  lastHeard: undefined,
};
let timeZone: string | undefined;
const subscribers = new Set<() => void>();
const metricHistory = new MetricHistory();

function set(next: Partial<LiveState>): void {
  state = { ...state, ...next };
  for (const tell of subscribers) tell();
}

function subscribe(tell: () => void): () => void {
  subscribers.add(tell);
  return () => subscribers.delete(tell);
}

/** The service's clock, now. */
export const serverNow = () => Date.now() + skew.value;

export function startLive(source: LiveSource, session: Session): () => void {
  timeZone = session.timeZone;
  const stop = source.start({
    event(event) {
      skew.add(instant(event.data.now) ?? Number.NaN, Date.now());
      const board = fold(state.board, event);
      const now = serverNow();
      // The first event sets the clock right: ages must not wait for the next second to know.
      if (timer !== undefined && Math.abs(now / 1000 - second) > 1.5) {
        clearTimeout(timer);
        tick();
      }
      if (event.data.metrics) metricHistory.push(event.data.metrics, now);
      const withNumbers =
        event.type === "snapshot" || event.data.queues || event.data.metrics || event.data.workspace;
      set({ board, heard: true, lastHeard: now, lastNumbers: withNumbers ? now : state.lastNumbers });
    },
    link(link) {
      if (link.state === "lost") metricHistory.gap(serverNow());
      set({ link, heard: link.state === "open" ? false : state.heard });
    },
    route: (route) => set({ route }),
    heard: () => {
      // Told at most once a second: events tell by themselves.
      const now = serverNow();
      if (!state.heard || now - (state.lastHeard ?? 0) > 1000) set({ heard: true, lastHeard: now });
    },
  });
  const retell = () => set({});
  window.addEventListener("online", retell);
  window.addEventListener("offline", retell);
  return () => {
    stop();
    window.removeEventListener("online", retell);
    window.removeEventListener("offline", retell);
  };
}

export const historyOf = metricHistory;

export const useBoard = () => useSyncExternalStore(subscribe, () => state.board);

export const useRoute = () => useSyncExternalStore(subscribe, () => state.route);

// ---- the ticking second ----

const tickers = new Set<() => void>();
let second = Math.floor(Date.now() / 1000);
let timer: ReturnType<typeof setTimeout> | undefined;

function tick(): void {
  second = Math.floor(serverNow() / 1000);
  for (const tell of tickers) tell();
  timer = tickers.size > 0 ? setTimeout(tick, 1000 - (serverNow() % 1000) + 5) : undefined;
}

function subscribeTick(tell: () => void): () => void {
  tickers.add(tell);
  if (timer === undefined) tick();
  return () => tickers.delete(tell);
}

/** The service's clock in whole seconds; draws again every second. */
export const useSecond = () => useSyncExternalStore(subscribeTick, () => second);

export function useLight(): Light {
  useSecond();
  const s = useSyncExternalStore(subscribe, () => state);
  return light(
    {
      link: s.link,
      heard: s.heard,
      lastNumbers: s.lastNumbers,
      lastHeard: s.lastHeard,
      health: s.board?.health,
      browserOnline: navigator.onLine,
      timeZone,
    },
    serverNow(),
    Date.now(),
  );
}

function frozenAt(): number | undefined {
  return light(
    {
      link: state.link,
      heard: state.heard,
      lastNumbers: state.lastNumbers,
      lastHeard: state.lastHeard,
      health: state.board?.health,
      browserOnline: navigator.onLine,
    },
    serverNow(),
    Date.now(),
  ).frozenAt;
}

/** Since when the numbers may be wrong, or undefined: ages stop there, and numbers are grey. */
export const useFrozen = () => useSyncExternalStore(subscribe, frozenAtSecond);
function frozenAtSecond(): number | undefined {
  const at = frozenAt();
  return at === undefined ? undefined : Math.floor(at / 1000) * 1000;
}
