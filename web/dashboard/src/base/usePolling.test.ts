import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { poll } from "./usePolling.ts";

const visibility = { state: "visible" };
const documentEvents = new EventTarget();

beforeEach(() => {
  vi.useFakeTimers();
  visibility.state = "visible";
  vi.stubGlobal("document", {
    get visibilityState() {
      return visibility.state;
    },
    addEventListener: documentEvents.addEventListener.bind(documentEvents),
    removeEventListener: documentEvents.removeEventListener.bind(documentEvents),
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

it("polls every five seconds, not in a hidden tab, and at once when it is shown", async () => {
  const read = vi.fn(async () => [1]);
  const listener = { items: vi.fn(), failing: vi.fn() };
  const stop = poll(read, listener);
  await vi.advanceTimersByTimeAsync(5000);
  expect(read).toHaveBeenCalledTimes(2);
  visibility.state = "hidden";
  await vi.advanceTimersByTimeAsync(60_000);
  expect(read).toHaveBeenCalledTimes(2);
  visibility.state = "visible";
  documentEvents.dispatchEvent(new Event("visibilitychange"));
  await vi.advanceTimersByTimeAsync(0);
  expect(read).toHaveBeenCalledTimes(3);
  read.mockRejectedValueOnce(new Error("away"));
  await vi.advanceTimersByTimeAsync(5000);
  expect(listener.failing).toHaveBeenCalledWith("away");
  stop();
  expect(vi.getTimerCount()).toBe(0);
});
