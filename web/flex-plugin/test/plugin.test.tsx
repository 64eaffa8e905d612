// @vitest-environment happy-dom
/** The plugin in the stand-in's parts, under React 17. */
import { act, reactVersion, render } from "@taskrouter-sync/shared/test/render.tsx";
import * as React from "react";
import { afterEach, expect, it, vi } from "vitest";
import { type ShellConfig, shellManager } from "../shell/manager.ts";
import { standIn } from "../shell/standIn.tsx";
import type { Flex } from "../src/flex/api.ts";
import { TaskrouterSyncPlugin } from "../src/TaskrouterSyncPlugin.tsx";

globalThis.ResizeObserver ??= class {
  observe() {}
  unobserve() {}
  disconnect() {}
} as unknown as typeof ResizeObserver;

const SESSION = {
  user: "ada",
  role: "viewer",
  channels: ["voice"],
  slaThresholds: [20],
  timeZone: "UTC",
  dayStart: "00:00",
  watches: true,
  callerIds: ["+14155550100"],
};

/** The service: JSON by path, or a status. */
function serve(answers: Record<string, unknown>) {
  const asked: { path: string; init: RequestInit | undefined }[] = [];
  vi.stubGlobal("fetch", async (address: string, init?: RequestInit) => {
    const path = new URL(address).pathname;
    asked.push({ path, init });
    const answer = answers[path];
    if (answer === undefined) throw new TypeError("Failed to fetch");
    if (typeof answer === "number") return new Response("{}", { status: answer });
    return new Response(JSON.stringify(answer));
  });
  return asked;
}

const ended: (() => void)[] = [];
afterEach(() => {
  for (const end of ended.splice(0)) end();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  localStorage.clear();
});

async function start(config: Partial<ShellConfig> = {}) {
  const shell = shellManager(
    {
      service: "",
      token: "t1",
      identity: "ada",
      roles: ["agent"],
      worker: { sid: "WK1", contactUri: "client:ada" },
      attributes: { TaskrouterSync: { url: "https://stats.example.com" } },
      ...config,
    },
    undefined,
  );
  const flex = standIn(() => shell.manager.strings as unknown as Record<string, string>);
  await new TaskrouterSyncPlugin().init(flex as unknown as Flex, shell.manager);
  return { ...shell, flex };
}

/** Draws what the plugin added, and waits until it says what `holds` looks for. */
async function shown(
  parts: readonly { child: React.ReactElement }[],
  holds: (container: HTMLElement) => boolean,
) {
  const { container, unmount } = await render(<div>{parts.map(({ child }) => child)}</div>);
  ended.push(unmount);
  await vi.waitFor(() => expect(holds(container)).toBe(true), { timeout: 30_000 });
  return container;
}

const says = (words: string) => (container: HTMLElement) => container.textContent?.includes(words) === true;

it("runs under Flex's React", () => {
  expect(reactVersion).toMatch(/^17\./);
});

it("gives supervisors a view and columns, and agents neither", async () => {
  serve({});
  const agent = await start();
  expect([
    agent.flex.SideNav.Content.fragments.length,
    agent.flex.ViewCollection.Content.fragments.length,
  ]).toEqual([0, 0]);
  const { flex } = await start({ roles: ["supervisor"] });
  expect(flex.SideNav.Content.fragments).toHaveLength(1);
  expect(flex.ViewCollection.Content.fragments).toHaveLength(1);
  const columns = flex.QueuesStats.QueuesDataTable.Content.fragments.map(({ child }) => child.key);
  expect(columns).toEqual(
    ["waiting", "oldest", "service-level", "source"].map((id) => `taskrouter-sync-${id}`),
  );
});

it("shows a banner in words, never an exception, while the service is gone", async () => {
  serve({});
  const { flex } = await start({ roles: ["admin"] });
  const container = await shown(flex.ViewCollection.Content.fragments, says("can't be reached"));
  expect(container.querySelector("[data-trouble=unreachable]")).not.toBeNull();
});

it("goes on with its other parts when Flex lacks one", async () => {
  serve({ "/api/session": SESSION });
  const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const shell = shellManager(
    {
      service: "",
      token: "t",
      identity: "a",
      roles: ["admin"],
      attributes: { TaskrouterSync: { url: "https://x.example" } },
    },
    undefined,
  );
  const flex = standIn(() => shell.manager.strings as unknown as Record<string, string>);
  const without = { ...flex, ViewCollection: undefined };
  await new TaskrouterSyncPlugin().init(without as unknown as Flex, shell.manager);
  expect(warn.mock.calls.join()).toContain("realtime view");
  expect(flex.MainHeader.Content.fragments).toHaveLength(1);
});

it("asks with the Flex token of the moment, and shows the dialpad only where the service offers it", async () => {
  const asked = serve({ "/api/session": SESSION });
  const { flex, setToken } = await start();
  setToken("t2");
  await shown(flex.MainHeader.Content.fragments, says("Dialpad"));
  expect(asked[0]?.init).toMatchObject({ credentials: "omit", headers: { token: "t2" } });

  const later = serve({ "/api/session": { ...SESSION, callerIds: null } });
  const other = await start();
  const answered = () => other.flex.MainHeader.Content.fragments.length === 1 && later.length > 0;
  const container = await shown(other.flex.MainHeader.Content.fragments, answered);
  await act(async () => undefined);
  expect(container.textContent).toBe("");
});

it("the dialpad says what is no number, and is labelled", async () => {
  serve({ "/api/session": SESSION });
  vi.stubGlobal(
    "WebSocket",
    class extends EventTarget {
      send() {}
      close() {}
    },
  );
  const { flex } = await start({ language: "de-DE" });
  const container = await shown(flex.MainHeader.Content.fragments, says("Wähltastatur"));
  act(() => void container.querySelector("button")?.click());
  const dialog = container.querySelector("[role=dialog]");
  expect(document.activeElement).toBe(dialog?.querySelector("input[type=tel]"));
  act(
    () =>
      void dialog
        ?.querySelector("form")
        ?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true })),
  );
  expect(container.querySelector("[role=alert]")?.textContent).toContain("keine Rufnummer");
  expect(dialog?.querySelector("input[type=tel]")?.getAttribute("aria-invalid")).toBe("true");
});

it("accepts the task of the agent's own call, and no other", async () => {
  serve({ "/api/session": SESSION });
  const { flex, worker } = await start();
  const offer = (sid: string, attributes: Record<string, unknown>) =>
    worker.emit("reservationCreated", { sid, task: { taskChannelUniqueName: "voice", attributes } });
  flex.Actions.handle("AcceptTask", () => undefined);
  flex.Actions.handle("SelectTask", () => undefined);
  const own = { direction: "outbound", autoAnswer: "true", targetWorker: "client:ada" };
  offer("WR1", { direction: "inbound" });
  offer("WR2", { ...own, targetWorker: "client:bob" });
  offer("WR3", own);
  await vi.waitFor(() => expect(flex.Actions.invoked).toHaveLength(2));
  expect(flex.Actions.invoked).toEqual([
    { name: "AcceptTask", payload: { sid: "WR3" } },
    { name: "SelectTask", payload: { sid: "WR3" } },
  ]);
});

it("tells the agent and the service of a bad call, by the configuration of DeviceMonitoringPlugin", async () => {
  const asked = serve({ "/respond-to-issue": { data: "success" } });
  const settings = { alertAgent: "true", action: "log-call" };
  const { flex, voiceClient, worker } = await start({
    attributes: { TaskrouterSync: { url: "https://stats.example.com" }, DeviceMonitoringPlugin: settings },
  });
  worker.reservations.set("WR1", {
    sid: "WR1",
    task: { taskChannelUniqueName: "voice", attributes: { from: "+1500", to: "+1415" } },
  });
  const { Emitter } = await import("../shell/manager.ts");
  const call = Object.assign(new Emitter(), { parameters: {}, status: () => "pending" });
  voiceClient.emit("incoming", call);
  call.emit("accept");
  call.emit("disconnect");
  await vi.waitFor(() => expect(asked.map(({ path }) => path)).toContain("/respond-to-issue"));
  expect(flex.Notifications.shown).toEqual(["Possible voice network quality issue detected: short call"]);
  const sent = JSON.parse(String(asked.find(({ path }) => path === "/respond-to-issue")?.init?.body));
  expect(sent).toEqual({
    issues: "short call",
    callerId: "+1500",
    dnis: "+1415",
    action: "log-call",
    Token: "t1",
  });
});

it("names a wrong configuration to those who can mend it", async () => {
  serve({});
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const attributes = {
    TaskrouterSync: { url: "https://stats.example.com" },
    DeviceMonitoringPlugin: { lowMosThreshold: "much" },
  };
  const agent = await start({ attributes });
  expect(agent.flex.Notifications.shown).toEqual([]);
  const { flex } = await start({ attributes, roles: ["admin"] });
  expect(flex.Notifications.shown.join()).toContain("DeviceMonitoringPlugin.lowMosThreshold");
});
