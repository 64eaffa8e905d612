import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { FeedEvent, QueueItem } from "../../api/types.ts";
import { FakeSource } from "../../test/fakeEnvironment.ts";
import { ports } from "../../test/fakePorts.ts";
import { applyEvent, type Board } from "../board.ts";
import type { Link } from "../source.ts";
import { ALIVE_MS, FeedHub, type HubMessage, sharedFeedSource, type TabMessage } from "./sharedFeed.ts";

beforeEach(() => {
  vi.useFakeTimers();
  const events = new EventTarget();
  vi.stubGlobal("addEventListener", events.addEventListener.bind(events));
  vi.stubGlobal("removeEventListener", events.removeEventListener.bind(events));
  vi.stubGlobal("dispatchEvent", events.dispatchEvent.bind(events));
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const item = (sid: string): QueueItem => ({ sid, friendlyName: sid });
const health = { taskrouter: { ok: true }, sync: { ok: true } };
const snapshot = (seq: number, ...sids: string[]): FeedEvent => ({
  type: "snapshot",
  data: {
    seq,
    now: "2026-01-01T10:00:00Z",
    asOf: "2026-01-01T09:59:58Z",
    queues: sids.map(item),
    workspace: {},
    health,
  },
});
const change = (seq: number, sid: string): FeedEvent => ({
  type: "change",
  data: { seq, now: "2026-01-01T10:00:05Z", queues: [item(sid)] },
});

function browser() {
  const feed = new FakeSource();
  const hub = new FeedHub(feed);
  let dead = false;
  function tab({ loads = true } = {}) {
    const own = new FakeSource();
    const state = {
      board: undefined as Board | undefined,
      links: [] as Link["state"][],
      asOf: [] as unknown[],
    };
    const cursor = { lastEventId: "" };
    const source = sharedFeedSource(() => {
      const [mine, theirs] = ports<TabMessage, HubMessage>();
      if (loads && !dead) hub.connect(theirs);
      return mine;
    }, own);
    const listener = {
      event(event: FeedEvent) {
        state.board = applyEvent(state.board, event);
        state.asOf.push(event.data.asOf);
      },
      link: (link: Link) => state.links.push(link.state),
      activity: () => undefined,
    };
    const stop = source.start(listener, cursor);
    const queues = () => [...(state.board?.queues.keys() ?? [])];
    return { own, state, cursor, queues, stop, again: () => source.start(listener, cursor) };
  }
  return { feed, hub, tab, die: () => (dead = true) };
}

it("reads one stream for all tabs, and gives a later tab the board as it is", () => {
  const { feed, tab } = browser();
  const tabs = [tab(), tab()];
  feed.listener?.link({ state: "open" });
  feed.listener?.event(snapshot(1, "WQ1"), "7-1");
  feed.listener?.event(change(2, "WQ2"), "7-2");
  tabs.push(tab());
  feed.listener?.event(change(3, "WQ3"), "7-3");
  for (const one of tabs) {
    expect(one.queues()).toEqual(["WQ1", "WQ2", "WQ3"]);
    expect(one.state.links.at(-1)).toBe("open");
    expect(one.own.starts).toBe(0);
    expect(one.cursor.lastEventId).toBe("7-3");
  }
  expect(tabs[2]?.state.asOf[0]).toBe("2026-01-01T09:59:58Z");
  expect([feed.starts, feed.running]).toEqual([1, 1]);
  tabs[0]?.stop();
  expect(feed.running).toBe(1);
  tabs[1]?.stop();
  tabs[2]?.stop();
  expect(feed.running).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

it("resumes where the only tab stands when it is shown again, and reads everything for one that stands elsewhere", () => {
  const { feed, tab } = browser();
  const first = tab();
  feed.listener?.event(snapshot(1, "WQ1"), "7-1");
  expect(first.cursor.lastEventId).toBe("7-1");
  first.stop();
  const stop = first.again();
  expect(feed.cursors).toEqual(["", "7-1"]);
  feed.listener?.event(change(2, "WQ2"), "7-2");
  expect(first.queues()).toEqual(["WQ1", "WQ2"]);
  stop();
  tab();
  expect(feed.cursors).toEqual(["", "7-1", ""]);
});

it("drops a tab that crashed, and takes one back that was only slow", () => {
  const { feed, hub, tab } = browser();
  const [crashed, hubEnd] = ports<TabMessage, HubMessage>();
  hub.connect(hubEnd);
  crashed.postMessage({ type: "join", lastEventId: "" });
  const other = tab();
  for (let n = 0; n < 7; n += 1) {
    vi.advanceTimersByTime(ALIVE_MS);
    feed.listener?.activity();
  }
  const received = vi.fn();
  crashed.onmessage = ({ data }) => received(data.type);
  feed.listener?.event(snapshot(1, "WQ1"), "7-1");
  expect(received).not.toHaveBeenCalled();
  expect(other.queues()).toEqual(["WQ1"]);
  crashed.postMessage({ type: "alive" });
  expect(received.mock.calls.flat()).toEqual(["joined", "link", "event"]);
});

it("reads a stream of its own where the worker can't be loaded, and where it falls silent", () => {
  const { feed, tab } = browser();
  const alone = tab({ loads: false });
  vi.advanceTimersByTime(4999);
  expect(alone.own.starts).toBe(0);
  vi.advanceTimersByTime(1);
  expect(alone.own.running).toBe(1);
  alone.stop();
  expect(alone.own.running).toBe(0);
  const second = tab();
  feed.listener?.event(snapshot(1, "WQ1"), "7-1");
  vi.advanceTimersByTime(44_000);
  expect(second.own.starts).toBe(0);
  vi.advanceTimersByTime(2000);
  expect(second.own.running).toBe(1);
  // The hub was only slow.
  feed.listener?.event(change(2, "WQ2"), "7-2");
  expect(second.own.running).toBe(0);
  expect(second.queues()).toEqual(["WQ1", "WQ2"]);
});

it("without shared workers each tab reads a stream of its own", () => {
  const own = new FakeSource();
  const stop = sharedFeedSource(() => undefined, own).start({
    event: vi.fn(),
    link: vi.fn(),
    activity: vi.fn(),
  });
  expect(own.running).toBe(1);
  stop();
  expect(own.running).toBe(0);
});

it("sends each tab to find out by itself that the session ended", () => {
  const { feed, hub, tab } = browser();
  const tabs = [tab(), tab()];
  hub.signedOut();
  expect(feed.running).toBe(0);
  expect(tabs.map(({ own }) => own.running)).toEqual([1, 1]);
});

it("leaves when the browser puts the page aside, and is back with it", () => {
  const { feed, tab } = browser();
  const one = tab();
  dispatchEvent(new Event("pagehide"));
  expect(feed.running).toBe(0);
  dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
  expect(feed.running).toBe(1);
  one.stop();
  expect(feed.running).toBe(0);
});
