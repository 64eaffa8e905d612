// @vitest-environment happy-dom
import type { Client } from "@taskrouter-sync/shared/api/client.ts";
import { ApiError } from "@taskrouter-sync/shared/api/errors.ts";
import type { QueueName, Worker } from "@taskrouter-sync/shared/api/types.ts";
import { LiveProvider } from "@taskrouter-sync/shared/live/react.tsx";
import { createLive } from "@taskrouter-sync/shared/live/store.ts";
import { FakeEnvironment, FakeSource } from "@taskrouter-sync/shared/test/fakeEnvironment.ts";
import { act, render } from "@taskrouter-sync/shared/test/render.tsx";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ClientContext } from "../../base/session.ts";
import Agents from "./Agents.tsx";

const ADA: Worker = {
  worker_sid: "WK1",
  friendly_name: "Ada",
  activity_name: "Available",
  date_status_changed: null,
};

const unmounts: (() => void)[] = [];
beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  for (const unmount of unmounts.splice(0)) unmount();
  vi.useRealTimers();
});

/** The list of agents, with Ada in it, whose queues are read by `workerQueues`. */
async function show(workerQueues: (sid: string) => Promise<QueueName[]>) {
  const live = createLive({
    source: new FakeSource(),
    client: { history: async () => [] },
    clock: new FakeEnvironment(),
  });
  const after = <T,>(answer: T) => new Promise<T>((resolve) => setTimeout(() => resolve(answer), 1));
  const client = {
    workers: () => after([ADA]),
    tasks: () => after([]),
    workerQueues,
  } as unknown as Client;
  const shown = await render(
    <LiveProvider value={live}>
      <ClientContext.Provider value={client}>
        <Agents />
      </ClientContext.Provider>
    </LiveProvider>,
  );
  unmounts.push(shown.unmount);
  const pass = async (ms: number) => act(async () => void (await vi.advanceTimersByTimeAsync(ms)));
  await pass(1);
  const agent = () => shown.container.querySelector("li") as HTMLElement;
  const button = () => agent().querySelector("button") as HTMLButtonElement;
  const click = async () => {
    act(() => button().click());
    await pass(0);
  };
  return { agent, button, click, pass };
}

const named = (...names: string[]): QueueName[] =>
  names.map((friendlyName) => ({ sid: "WQ1", friendlyName }));

describe("an agent's queues", () => {
  it("are read when the details open, by the agent's SID, and again every 30 s while they are open", async () => {
    const read = vi.fn(async (_: string) => named("Sales", "Billing"));
    const { agent, button, click, pass } = await show(read);
    await pass(60_000);
    expect([read.mock.calls.length, button().getAttribute("aria-expanded")]).toEqual([0, "false"]);
    await click();
    expect(agent().textContent).toContain("Eligible for Billing, Sales");
    expect([read.mock.calls[0]?.[0], button().getAttribute("aria-expanded")]).toEqual(["WK1", "true"]);
    await pass(29_000);
    expect(read).toHaveBeenCalledTimes(1);
    await pass(1_000);
    expect(read).toHaveBeenCalledTimes(2);
    await click();
    await pass(60_000);
    expect(read).toHaveBeenCalledTimes(2);
    expect(agent().textContent).not.toContain("Sales");
  });

  it("say when there are none, and how many more there are than are listed", async () => {
    const answers = [named(), named(...Array.from({ length: 33 }, (_, n) => `Queue ${10 + n}`))];
    const { agent, click, pass } = await show(async () => answers.shift() ?? []);
    await click();
    expect(agent().textContent).toContain("Not eligible for any queue");
    await pass(30_000);
    expect(agent().textContent).toContain("Queue 39 and 3 more");
    expect(agent().textContent).not.toContain("Queue 40");
  });

  it("say why they can't be read, and the last ones stay", async () => {
    let failing = true;
    const { agent, click, pass } = await show(async () => {
      if (failing) throw new ApiError(502, "TaskRouter can't be read");
      return named("Sales");
    });
    await click();
    expect(agent().textContent).toContain("Queues could not be read: TaskRouter can't be read");
    failing = false;
    await pass(30_000);
    expect(agent().textContent).toContain("Eligible for Sales");
    failing = true;
    await pass(30_000);
    expect(agent().textContent).toContain("Eligible for Sales");
    expect(agent().textContent).toContain("could not be read");
  });
});
