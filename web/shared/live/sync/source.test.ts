import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { FeedEvent, HealthAnswer, SyncObjectNames } from "../../api/types.ts";
import { FakeClient } from "../../test/fakeSync.ts";
import { applyEvent, type Board } from "../board.ts";
import type { ActiveSource, Link, LiveListener } from "../source.ts";
import { syncSource } from "./source.ts";

const A = `WQ${"a".repeat(32)}`;
const B = `WQ${"b".repeat(32)}`;
const item = (sid: string, pending: number) => ({
  sid,
  friendlyName: sid.slice(0, 3),
  realTimeStats_all: { tasksByStatus: { pending } },
});
const metric = (position: number, more: object = {}) => ({
  label: "L",
  value: 1,
  text: "1",
  position,
  ...more,
});
const ANSWER: HealthAnswer = {
  now: "2026-01-01T10:00:00Z",
  health: { taskrouter: { ok: true }, sync: { ok: true } },
  metricsDocuments: ["metrics"],
};
const MAP: SyncObjectNames = { queues: { map: "queues" }, workspace: "workspace", metrics: "metrics" };
const INDEX: SyncObjectNames = { ...MAP, queues: { index: "index" } };

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("addEventListener", () => undefined);
  vi.stubGlobal("removeEventListener", () => undefined);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** Runs all timers of the next milliseconds. */
const pass = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

function start(places: SyncObjectNames = MAP, prepare: (client: FakeClient) => void = () => undefined) {
  const clients: FakeClient[] = [];
  const links: Link[] = [];
  const routes: ActiveSource[] = [];
  const feeds: { listener: LiveListener; stopped: boolean }[] = [];
  const state = {
    board: undefined as Board | undefined,
    events: [] as FeedEvent[],
    away: false,
    tokens: 0,
    unreadable: 0,
  };
  let answer = ANSWER;
  const source = syncSource(
    places,
    {
      start(listener) {
        const feed = { listener, stopped: false };
        feeds.push(feed);
        listener.link({ state: "connecting" });
        return () => {
          feed.stopped = true;
        };
      },
    },
    {
      async token() {
        if (state.away) throw new Error("away");
        state.tokens += 1;
        return `token ${state.tokens}`;
      },
      async connect() {
        const client = new FakeClient();
        client.maps.set("queues", new Map([[A, item(A, 1)]]));
        client.documents.set("workspace", { workspace_statistics: { realtime: {} } });
        client.documents.set("metrics", { one: metric(0) });
        prepare(client);
        clients.push(client);
        return client;
      },
      async health() {
        if (state.away) throw new Error("away");
        return answer;
      },
    },
  );
  const stop = source.start({
    event(event) {
      state.events.push(event);
      state.board = applyEvent(state.board, event);
    },
    link: (link) => links.push(link),
    activity: () => undefined,
    activeSource: (route) => routes.push(route),
    unreadable: (count) => {
      state.unreadable = count;
    },
  });
  const pending = (sid: string) => state.board?.queues.get(sid)?.realTimeStats_all?.tasksByStatus?.pending;
  return {
    state,
    links,
    feeds,
    clients,
    stop,
    pending,
    client: () => clients.at(-1) as FakeClient,
    via: () => routes.at(-1)?.kind,
    why: () => routes.at(-1)?.reason,
    tellHealth: (next: HealthAnswer) => {
      answer = next;
    },
    async connect() {
      await pass();
      clients.at(-1)?.state("connected");
      await pass(200);
    },
  };
}

describe("handing over", () => {
  it("starts on the feed and goes over to Sync once everything is read", async () => {
    const s = start(MAP, (client) => client.documents.delete("metrics"));
    await s.connect();
    expect([s.via(), s.feeds.length]).toEqual(["feed", 1]);
    expect(s.why()).toContain("Sync has no Document `metrics` (yet)");
    s.client().documents.set("metrics", { one: metric(0) });
    await pass(2000);
    expect(s.via()).toBe("sync");
    expect(s.feeds[0]?.stopped).toBe(true);
    expect(s.state.board?.metrics.map(({ name }) => name)).toEqual(["one"]);
    expect(s.state.board?.health).toBe(ANSWER.health);
    expect(s.pending(A)).toBe(1);
    expect(s.links.at(-1)).toEqual({ state: "open" });
    s.stop();
  });

  it("tells changes together, and queues that are gone", async () => {
    const s = start();
    await s.connect();
    const before = s.state.events.length;
    s.client().put("queues", A, item(A, 5));
    s.client().put("queues", A, item(A, 6));
    s.client().put("queues", B, item(B, 7));
    s.client().put("queues", "of others", { sid: "x" });
    s.client().put("queues", "WQ-broken", { sid: "WQ-broken", friendlyName: null });
    s.client().write("metrics", { one: metric(1), two: metric(0) });
    await pass(200);
    expect(s.state.events.length).toBe(before + 1);
    expect([s.pending(A), s.pending(B), s.state.board?.queues.size]).toEqual([6, 7, 2]);
    expect(s.state.board?.metrics.map(({ name }) => name)).toEqual(["two", "one"]);
    expect(s.state.unreadable).toBe(1);
    s.client().drop("queues", "WQ-broken");
    expect(s.state.unreadable).toBe(0);
    s.client().drop("queues", A);
    await pass(200);
    expect([...(s.state.board?.queues.keys() ?? [])]).toEqual([B]);
    s.stop();
  });

  it("returns to the feed at once when the connection is lost, and waits before it trusts it again", async () => {
    const s = start();
    await s.connect();
    s.client().state("connecting");
    expect([s.via(), s.feeds.length]).toEqual(["feed", 2]);
    // The feed on its way is no blink of the light.
    expect(s.links.at(-1)).toEqual({ state: "open" });
    s.feeds[1]?.listener.link({ state: "lost", retryAt: 1 });
    expect(s.links.at(-1)).toEqual({ state: "lost", retryAt: 1 });
    s.client().state("connected");
    await pass(1900);
    expect(s.via()).toBe("feed");
    s.client().put("queues", A, item(A, 9));
    await pass(200);
    expect([s.via(), s.pending(A)]).toEqual(["sync", 9]);
    // The second loss makes it twice as careful.
    s.client().state("connecting");
    s.client().state("connected");
    await pass(3900);
    expect(s.via()).toBe("feed");
    await pass(200);
    expect(s.via()).toBe("sync");
    s.stop();
  });

  it("says connecting when the feed that is taken up again does not come", async () => {
    const s = start();
    await s.connect();
    s.client().state("connecting");
    await pass(2100);
    expect(s.links.at(-1)).toEqual({ state: "connecting" });
    s.stop();
  });

  it("shows the feed while Sync is behind it, and Sync where the feed fails meanwhile", async () => {
    const s = start();
    await s.connect();
    expect(s.via()).toBe("sync");
    const beyondLimit = { object: "Map `queueStats`", waiting: 40, writesASecond: 12 };
    const behind = { ...ANSWER, health: { ...ANSWER.health, sync: { ok: true, beyondLimit } } };
    s.tellHealth(behind);
    await pass(5000);
    expect([s.via(), s.why()]).toEqual(["feed", "Source: service feed (Twilio Sync is behind it)."]);
    const feed = s.feeds.at(-1);
    feed?.listener.link({ state: "open" });
    feed?.listener.link({ state: "lost", retryAt: Date.now() + 1000 });
    await pass(2000);
    expect(s.via()).toBe("sync");
    await pass(30_000);
    expect(s.via()).toBe("sync");
    // The feed gets another chance, and Sync is trusted again once the service has written everything.
    await pass(35_000);
    expect(s.via()).toBe("feed");
    s.feeds.at(-1)?.listener.link({ state: "open" });
    s.tellHealth(ANSWER);
    await pass(20_000);
    expect(s.via()).toBe("sync");
    s.stop();
  });

  it("hears nothing of a feed that it has left", async () => {
    const s = start();
    await s.connect();
    const events = s.state.events.length;
    s.feeds[0]?.listener.event({ type: "change", data: { seq: 999, now: "", queues: [item(A, 66)] } });
    s.feeds[0]?.listener.link({ state: "lost", retryAt: 5 });
    expect(s.state.events.length).toBe(events);
    expect(s.links.at(-1)).toEqual({ state: "open" });
    s.stop();
  });

  it("stays on the feed, and says why, when Sync refuses an object or cannot be reached", async () => {
    const s = start(MAP, (client) => client.refused.set("queues", new Error("No permission")));
    await s.connect();
    await pass(20_000);
    expect(s.via()).toBe("feed");
    expect(s.why()).toContain("Sync refuses the Map `queues`: No permission");
    s.client().emit("connectionError", { terminal: true, message: "Access Token is wrong" });
    await pass();
    expect(s.why()).toContain("Access Token is wrong");
    const before = s.clients.length;
    await pass(10_000);
    expect(s.clients.length).toBe(before + 1);
    expect(s.clients[0]?.ended).toBe(true);
    s.stop();
  });

  it("tells health and alerts, which do not come through Sync", async () => {
    const s = start();
    await s.connect();
    expect(s.state.board?.voice).toBeNull();
    const voice = { today: 1, agents: [], recent: [] };
    const health = { taskrouter: { ok: false, reason: "503" }, sync: { ok: true } };
    s.tellHealth({ ...ANSWER, health, voice });
    await pass(5000);
    expect(s.state.board).toMatchObject({ health, voice });
    s.stop();
  });

  it("is lost when the service, which writes to Sync, is silent for some intervals, and recovers", async () => {
    const s = start();
    await s.connect();
    s.state.away = true;
    await pass(16_000);
    expect(s.links.at(-1)?.state).toBe("lost");
    s.state.away = false;
    await pass(30_000);
    expect(s.links.at(-1)).toEqual({ state: "open" });
    // Numbers that arrive show that the service writes.
    s.state.away = true;
    for (let n = 0; n < 8; n += 1) {
      s.client().put("queues", A, item(A, n));
      await pass(4000);
    }
    expect(s.links.at(-1)).toEqual({ state: "open" });
    s.stop();
  });

  it("stops everything", async () => {
    const s = start();
    await s.connect();
    s.stop();
    await pass();
    expect(s.client().ended).toBe(true);
    expect(["queues", "workspace", "metrics"].map((id) => s.client().open(id))).toEqual([0, 0, 0]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("tokens", () => {
  it("are renewed before they end, also when the service is away for a moment", async () => {
    const s = start();
    await s.connect();
    s.client().emit("tokenAboutToExpire");
    s.client().emit("tokenExpired");
    await pass();
    expect(s.client().tokens).toEqual(["token 2"]);
    await pass(20_000);
    s.state.away = true;
    s.client().emit("tokenExpired");
    // The retry comes after 3.75 to 5 s.
    await pass(3700);
    s.state.away = false;
    await pass(2000);
    expect(s.client().tokens).toEqual(["token 2", "token 3"]);
    // By a clock that is wrong each one is about to end: it is not asked for without end.
    for (let n = 0; n < 50; n += 1) {
      s.client().emit("tokenAboutToExpire");
      await pass(500);
    }
    expect(s.client().tokens.length).toBeLessThanOrEqual(5);
    s.stop();
  });

  it("are asked for again, with longer and longer pauses, by who has none", async () => {
    const s = start();
    s.state.away = true;
    await pass(1);
    expect(s.why()).toBeDefined();
    s.state.away = false;
    await pass(6000);
    expect(s.clients.length).toBe(1);
    s.stop();
  });
});

describe("objects", () => {
  it("that are removed are missed, and opened again when they are back", async () => {
    const s = start();
    await s.connect();
    s.client().remove("queues");
    expect(s.via()).toBe("feed");
    expect(s.why()).toContain("Sync has no Map `queues` (yet)");
    s.client().maps.set("queues", new Map([[B, item(B, 3)]]));
    await pass(5000);
    expect(s.via()).toBe("sync");
    expect([...(s.state.board?.queues.keys() ?? [])]).toEqual([B]);
    s.stop();
  });

  it("whose subscription fails are opened again", async () => {
    const s = start();
    await s.connect();
    s.client().documents.set("metrics", { one: metric(0, { text: "newer" }) });
    s.client().fail("metrics", new Error("Failed to subscribe"));
    expect(s.via()).toBe("feed");
    await pass(5000);
    expect(s.via()).toBe("sync");
    expect(s.state.board?.metrics[0]?.text).toBe("newer");
    expect(s.client().open("metrics")).toBe(1);
    s.stop();
  });

  it("that change while they are listed are not set back by the list", async () => {
    let release: () => void = () => undefined;
    const hold = new Promise<void>((resolve) => {
      release = resolve;
    });
    const s = start(MAP, (client) => {
      client.hold = hold;
      client.maps.set(
        "queues",
        new Map([...Array(250).keys()].map((n) => [`k${n}`, { sid: `k${n}`, friendlyName: "" }])),
      );
      client.maps.get("queues")?.set(A, item(A, 1));
      client.maps.get("queues")?.set(B, item(B, 1));
    });
    await s.connect();
    s.client().put("queues", A, item(A, 2));
    s.client().drop("queues", B);
    release();
    await pass(200);
    expect([s.via(), s.pending(A), s.state.board?.queues.has(B), s.state.board?.queues.size]).toEqual([
      "sync",
      2,
      false,
      251,
    ]);
    s.stop();
  });

  it("that hold more metrics come and go as the service's health names them", async () => {
    const s = start(MAP, (client) => client.documents.set("metrics-2", { two: metric(1), one: metric(0) }));
    await s.connect();
    s.tellHealth({ ...ANSWER, metricsDocuments: ["metrics", "metrics-2"] });
    await pass(5200);
    expect(s.state.board?.metrics.map(({ name }) => name)).toEqual(["one", "two"]);
    expect([s.via(), s.feeds.length]).toEqual(["sync", 1]);
    s.tellHealth(ANSWER);
    await pass(5200);
    expect(s.state.board?.metrics.map(({ name }) => name)).toEqual(["one"]);
    expect(s.client().open("metrics-2")).toBe(0);
    s.stop();
  });

  it("of the layout by Documents: two to a queue, opened and closed with it", async () => {
    const entry = (sid: string) => ({
      sid,
      friendlyName: sid.slice(2, 4),
      realtime: `r-${sid}`,
      today: `t-${sid}`,
    });
    const s = start(INDEX, (client) => {
      client.maps.set("index", new Map([[A, entry(A)]]));
      client.documents.set(`r-${A}`, { all: { pending: 4 }, activities: { Break: 2 } });
    });
    await s.connect();
    // The Document of today is not there yet: that is no reason to wait.
    expect([s.via(), s.pending(A)]).toEqual(["sync", 4]);
    expect(s.state.board?.queues.get(A)?.cumulativeStats_all).toBeUndefined();
    s.client().documents.set(`t-${A}`, { all: { tCompl: 8 } });
    await pass(3000);
    expect(s.state.board?.queues.get(A)?.cumulativeStats_all?.tCompl).toBe(8);
    s.client().put("index", B, entry(B));
    await pass(200);
    expect([s.state.board?.queues.size, s.via(), s.feeds.length]).toEqual([2, "sync", 1]);
    s.client().drop("index", A);
    s.client().drop("index", B);
    await pass(200);
    expect(s.state.board?.queues.size).toBe(0);
    expect([s.client().open(`r-${A}`), s.client().open(`t-${A}`)]).toEqual([0, 0]);
    s.stop();
  });
});
