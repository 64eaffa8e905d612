// @vitest-environment happy-dom
/** Where the plugin's numbers come from, and what it says when they don't. */
import { ApiError } from "@taskrouter-sync/shared/api/errors.ts";
import type { FeedEvent } from "@taskrouter-sync/shared/api/types.ts";
import type { ActiveSource, Link } from "@taskrouter-sync/shared/live/source.ts";
import { FakeSource } from "@taskrouter-sync/shared/test/fakeEnvironment.ts";
import { FakeClient } from "@taskrouter-sync/shared/test/fakeSync.ts";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DialSocket, type DialState } from "../src/dialpad/socket.ts";
import { withMapFallback } from "../src/live/mapFallback.ts";
import { SessionPoll } from "../src/live/session.ts";
import { en } from "../src/locales/en.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  localStorage.clear();
});

const SESSION = {
  user: "ada",
  channels: ["voice"],
  slaThresholds: [20],
  timeZone: "Europe/Berlin",
  dayStart: "00:00",
  watches: true,
};

describe("the session", () => {
  const failing = (...errors: unknown[]) => {
    const session = vi.fn(async () => {
      const error = errors.shift();
      if (error) throw error;
      return SESSION as never;
    });
    return { poll: new SessionPoll({ session }), session };
  };

  it.each([
    [new ApiError(0, "x"), "unreachable"],
    [new ApiError(503, "x", [], "flex_token_unchecked"), "unreachable"],
    [new ApiError(403, "x", [], "flex_token"), "token"],
    [new ApiError(401, "x"), "token"],
    [new ApiError(403, "x", [], "flex_role"), "role"],
    [new ApiError(404, "x"), "older"],
    [new ApiError(403, "no", [], "origin"), "refused"],
  ])("%s shows as %s, and the session is read again until it answers", async (error, kind) => {
    const { poll, session } = failing(error);
    await poll.ask();
    expect(poll.getState().trouble?.kind).toBe(kind);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(session.mock.calls.length).toBe(2);
    expect(poll.getState()).toMatchObject({
      answered: true,
      trouble: undefined,
      session: { slaThresholds: [20] },
    });
    poll.stop();
  });

  it("of an older service, or of a user who may not watch, is no session", async () => {
    const answers: unknown[] = [{ user: "x" }, { ...SESSION, watches: false }];
    const poll = new SessionPoll({ session: async () => answers.shift() as never });
    await poll.ask();
    expect(poll.getState().trouble?.kind).toBe("older");
    await poll.ask();
    expect(poll.getState().trouble?.kind).toBe("role");
    poll.stop();
  });

  it("is remembered for the next time that the service is gone", async () => {
    await failing().poll.ask();
    const later = failing(new ApiError(0, "x"));
    expect(later.poll.getState().session.slaThresholds).toEqual([20]);
  });

  it("without an address is a trouble of its own", () => {
    expect(new SessionPoll(undefined).getState().trouble?.kind).toBe("no-address");
  });
});

describe("the Sync Map", () => {
  function start(client: FakeClient | undefined) {
    const feed = new FakeSource();
    const events: FeedEvent[] = [];
    const links: Link["state"][] = [];
    const sources: ActiveSource["kind"][] = [];
    const source = withMapFallback(feed, {
      client: () => client,
      map: "queueStats",
      text: en.source,
      feedReason: "feed",
    });
    const stop = source.start({
      event: (event) => events.push(event),
      link: ({ state }) => links.push(state),
      activity: () => undefined,
      activeSource: ({ kind }) => sources.push(kind),
    });
    const lost = () => feed.listener?.link({ state: "lost", retryAt: 0 });
    return { feed, events, links, sources, stop, lost };
  }
  const item = (pending: number) => ({
    sid: "WQ1",
    friendlyName: "Sales",
    realTimeStats_all: { tasksByStatus: { pending } },
  });
  function sync() {
    const client = new FakeClient();
    client.maps.set("queueStats", new Map([["WQ1", item(3)]]));
    return client;
  }
  const METRIC = { name: "m", label: "M", value: 1, text: "1", format: "" };

  it("takes over when the feed stays lost, marks the metrics stale, and gives way when it is back", async () => {
    const client = sync();
    const { feed, events, links, sources, lost } = start(client);
    feed.listener?.link({ state: "open" });
    const health = { taskrouter: { ok: true }, sync: { ok: true } };
    feed.listener?.event({
      type: "snapshot",
      data: { seq: 7, now: "", queues: [], workspace: {}, health, metrics: [METRIC as never] },
    });
    lost();
    await vi.advanceTimersByTimeAsync(3000);
    expect(sources).toEqual(["feed", "sync"]);
    expect(links.at(-1)).toBe("open");
    const [stale, queues] = events.slice(-2);
    expect(stale).toMatchObject({
      data: { seq: 8, metrics: [{ name: "m", stale: { reason: expect.anything() } }] },
    });
    expect(queues).toMatchObject({ type: "change", data: { seq: 9, queues: [{ sid: "WQ1" }] } });
    client.put("queueStats", "WQ1", item(4));
    await vi.advanceTimersByTimeAsync(200);
    expect(events.at(-1)).toMatchObject({
      data: { queues: [{ realTimeStats_all: { tasksByStatus: { pending: 4 } } }] },
    });
    expect(feed.cursors).toEqual([""]);
    feed.listener?.link({ state: "open" });
    expect(sources).toEqual(["feed", "sync", "feed"]);
    const before = events.length;
    client.put("queueStats", "WQ1", item(5));
    await vi.advanceTimersByTimeAsync(200);
    expect(events.length, "the Map is closed").toBe(before);
  });

  it("says that nothing is live when the Map is lost too, and that it is when either is back", async () => {
    const client = sync();
    const { links, lost, stop } = start(client);
    lost();
    await vi.advanceTimersByTimeAsync(3000);
    expect(links.at(-1)).toBe("open");
    client.state("disconnected");
    expect(links.at(-1)).toBe("lost");
    client.state("connected");
    expect(links.at(-1)).toBe("open");
    client.fail("queueStats", new Error("gone"));
    expect(links.at(-1)).toBe("lost");
    client.put("queueStats", "WQ1", item(4));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(links.at(-1), "the Map was opened again").toBe("open");
    stop();
    const before = links.length;
    client.state("disconnected");
    expect(links.length).toBe(before);
  });

  it("stands in from the start, when the service never answered", async () => {
    const { events, lost } = start(sync());
    lost();
    await vi.advanceTimersByTimeAsync(3000);
    expect(events[0]?.type).toBe("snapshot");
    expect(events[1]).toMatchObject({ data: { queues: [{ sid: "WQ1" }] } });
  });

  it("is left alone for a short loss, and where Flex has no Sync client", async () => {
    const client = sync();
    const { feed, sources, lost, stop } = start(client);
    lost();
    await vi.advanceTimersByTimeAsync(2000);
    feed.listener?.link({ state: "open" });
    await vi.advanceTimersByTimeAsync(5000);
    expect(sources).toEqual(["feed"]);
    stop();
    const none = start(undefined);
    none.lost();
    await vi.advanceTimersByTimeAsync(5000);
    expect([none.sources, none.links]).toEqual([["feed"], ["connecting", "lost"]]);
  });
});

describe("the dialpad's socket", () => {
  class FakeSocket extends EventTarget {
    sent: string[] = [];
    closed = false;
    send = (text: string) => void this.sent.push(text);
    close = () => {
      this.closed = true;
    };
    hear = (message: unknown) =>
      this.dispatchEvent(
        new MessageEvent("message", {
          data: typeof message === "string" ? message : JSON.stringify(message),
        }),
      );
  }
  function dial() {
    const sockets: { address: string; token: string; socket: FakeSocket }[] = [];
    let state: DialState = { connection: "closed" };
    const one = new DialSocket({
      service: "https://stats.example.com/tr/",
      token: () => `token ${sockets.length}`,
      changed: (next) => {
        state = next;
      },
      open(address, token) {
        const socket = new FakeSocket();
        sockets.push({ address, token, socket });
        return socket as unknown as WebSocket;
      },
    });
    return { one, sockets, state: () => state };
  }
  const update = (callStatus: string) => ({ messageType: "callUpdate", callSid: "CA1", callStatus });

  it("places a call once it is open, follows it, and hangs up", () => {
    const { one, sockets, state } = dial();
    one.call("+1500", "+1415", "client:ada");
    expect(sockets[0]).toMatchObject({
      address: "wss://stats.example.com/tr/websocket/outboundDial",
      token: "token 0",
    });
    const { socket } = sockets[0] as { socket: FakeSocket };
    socket.dispatchEvent(new Event("open"));
    expect(JSON.parse(socket.sent[0] ?? "")).toEqual({
      method: "call",
      to: "+1500",
      from: "+1415",
      workerContactUri: "client:ada",
    });
    socket.hear(update("queued"));
    socket.hear("echo: no JSON");
    socket.hear(update("ringing"));
    expect(state()).toEqual({ connection: "open", callSid: "CA1", status: "ringing" });
    one.hangUp();
    expect(JSON.parse(socket.sent[1] ?? "")).toEqual({ method: "hangup", callSid: "CA1" });
  });

  it("shows a refusal in the service's words, and keeps a call whose hang-up was refused", () => {
    const { one, sockets, state } = dial();
    one.call("+1900", "+1415", "client:ada");
    const { socket } = sockets[0] as { socket: FakeSocket };
    socket.dispatchEvent(new Event("open"));
    socket.hear({ messageType: "error", message: "not allowed" });
    expect(state()).toEqual({ connection: "open", error: "not allowed" });
    one.call("+1500", "+1415", "client:ada");
    socket.hear(update("in-progress"));
    socket.hear({ messageType: "error", message: "busy" });
    expect(state()).toMatchObject({ callSid: "CA1", status: "in-progress", error: "busy" });
  });

  it("drops a call that could not be sent in time, and places none when the service is back", async () => {
    const { one, sockets, state } = dial();
    one.call("+1500", "+1415", "client:ada");
    expect(state()).toMatchObject({ status: "queued" });
    await vi.advanceTimersByTimeAsync(5000);
    expect(state()).toEqual({ connection: "connecting", problem: "unsent" });
    sockets[0]?.socket.dispatchEvent(new Event("open"));
    expect(sockets[0]?.socket.sent).toEqual([]);
    one.call("+1500", "+1415", "client:ada");
    expect(state()).toEqual({ connection: "open", status: "queued" });
  });

  it("gives the buttons back where the service says nothing of a call, also after a restart", async () => {
    const { one, sockets, state } = dial();
    one.open();
    sockets[0]?.socket.dispatchEvent(new Event("open"));
    one.call("+1500", "+1415", "client:ada");
    sockets[0]?.socket.dispatchEvent(new Event("close"));
    await vi.advanceTimersByTimeAsync(5000);
    sockets[1]?.socket.dispatchEvent(new Event("open"));
    expect(state()).toMatchObject({ connection: "open", status: "queued" });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(state()).toEqual({ connection: "open", problem: "unanswered" });
    expect(sockets[1]?.socket.sent).toEqual([]);
  });

  it("places no call after it was closed", async () => {
    const { one, sockets } = dial();
    one.call("+1500", "+1415", "client:ada");
    one.close();
    one.open();
    sockets[1]?.socket.dispatchEvent(new Event("open"));
    expect(sockets[1]?.socket.sent).toEqual([]);
  });

  it("is opened again with the token of then, and hears how the call stands", async () => {
    const { one, sockets, state } = dial();
    one.open();
    sockets[0]?.socket.dispatchEvent(new Event("open"));
    sockets[0]?.socket.hear(update("ringing"));
    sockets[0]?.socket.dispatchEvent(new Event("close"));
    expect(state()).toMatchObject({ connection: "lost", status: "ringing" });
    await vi.advanceTimersByTimeAsync(5000);
    expect(sockets[1]?.token).toBe("token 1");
    sockets[1]?.socket.dispatchEvent(new Event("open"));
    sockets[1]?.socket.hear(update("completed"));
    expect(state()).toMatchObject({ connection: "open", status: "completed" });
    one.close();
    expect(sockets[1]?.socket.closed).toBe(true);
  });
});
