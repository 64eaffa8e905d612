import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { cookieSession } from "../../api/auth.ts";
import { createClient } from "../../api/client.ts";
import type { Link, LiveListener } from "../source.ts";
import { feedSource } from "./source.ts";

beforeEach(() => {
  vi.stubGlobal("addEventListener", () => undefined);
  vi.stubGlobal("removeEventListener", () => undefined);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("feed", () => {
  /** A service whose connections a test writes and closes by hand. */
  function service() {
    const connections: { headers: Record<string, string>; write(text: string): void; close(): void }[] = [];
    const links: Link["state"][] = [];
    const events: unknown[] = [];
    vi.stubGlobal("fetch", (_path: string, init: RequestInit) => {
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      const writer = writable.getWriter();
      init.signal?.addEventListener(
        "abort",
        () => void writer.abort(new Error("aborted")).catch(() => undefined),
      );
      connections.push({
        headers: init.headers as Record<string, string>,
        write: (text) => void writer.write(new TextEncoder().encode(text)).catch(() => undefined),
        close: () => void writer.close().catch(() => undefined),
      });
      return Promise.resolve(new Response(readable));
    });
    const listener: LiveListener = {
      event: (e) => events.push(e),
      link: (l) => links.push(l.state),
      activity: () => undefined,
    };
    return {
      connections,
      links,
      events,
      stop: feedSource(createClient({ auth: cookieSession() })).start(listener),
    };
  }
  const connected = (s: ReturnType<typeof service>, n: number) =>
    vi.waitFor(() => expect(s.connections).toHaveLength(n), 4000);

  it("resumes after the last event that it read", async () => {
    const s = service();
    await connected(s, 1);
    expect(s.connections[0]?.headers["Last-Event-ID"]).toBeUndefined();
    s.connections[0]?.write('event: snapshot\nid: 41\ndata: {"seq":41,"queues":[]}\n\n');
    await vi.waitFor(() => expect(s.events).toEqual([{ type: "snapshot", data: { seq: 41, queues: [] } }]));
    s.connections[0]?.close();
    await connected(s, 2);
    expect(s.connections[1]?.headers["Last-Event-ID"]).toBe("41");
    expect(s.links).toEqual(
      ["connecting", "open", "lost", "connecting"].concat(s.links.length > 4 ? ["open"] : []),
    );
    s.stop();
  });

  it("asks for everything after an event that it could not read", async () => {
    const s = service();
    await connected(s, 1);
    s.connections[0]?.write(
      'event: snapshot\nid: 41\ndata: {"seq":41,"queues":[]}\n\nevent: change\nid: 42\ndata: {"se\n\n',
    );
    await connected(s, 2);
    expect(s.connections[1]?.headers["Last-Event-ID"]).toBeUndefined();
    s.stop();
  });

  it("gives a connection up after 30 silent seconds; a keep-alive is not silence", async () => {
    vi.useFakeTimers();
    const s = service();
    await vi.advanceTimersByTimeAsync(20_000);
    s.connections[0]?.write(": keep-alive\n\n");
    await vi.advanceTimersByTimeAsync(20_000);
    expect(s.links).toEqual(["connecting", "open"]);
    await vi.advanceTimersByTimeAsync(10_100);
    expect(s.links.slice(0, 3)).toEqual(["connecting", "open", "lost"]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(s.connections).toHaveLength(2);
    s.stop();
  });
});
