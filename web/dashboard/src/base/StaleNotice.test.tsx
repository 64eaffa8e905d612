// @vitest-environment happy-dom
import { LiveProvider } from "@taskrouter-sync/shared/live/react.tsx";
import { createLive } from "@taskrouter-sync/shared/live/store.ts";
import { FakeEnvironment, FakeSource } from "@taskrouter-sync/shared/test/fakeEnvironment.ts";
import { act, render } from "@taskrouter-sync/shared/test/render.tsx";
import { afterEach, expect, it, vi } from "vitest";
import { StaleNotice } from "./StaleNotice.tsx";

afterEach(() => void vi.useRealTimers());

it("the age counts, and only the reason is announced", async () => {
  vi.useFakeTimers();
  const live = createLive({
    source: new FakeSource(),
    client: { history: async () => [] },
    clock: new FakeEnvironment(),
  });
  const stop = live.start();
  const { container, unmount } = await render(
    <LiveProvider value={live}>
      <StaleNotice failing={{ since: Date.now(), reason: "Service unreachable." }} />
    </LiveProvider>,
  );
  const shown = () => container.querySelector("[aria-hidden]")?.textContent;
  const announced = () => container.querySelector("[role=status]")?.textContent;
  const before = shown();
  await act(async () => void (await vi.advanceTimersByTimeAsync(7000)));
  expect(shown()).toBe("7 s old: Service unreachable.");
  expect(shown()).not.toBe(before);
  expect(announced()).toBe("Service unreachable.");
  unmount();
  stop();
});
