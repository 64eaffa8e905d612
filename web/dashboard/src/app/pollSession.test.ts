import { ApiError } from "@taskrouter-sync/shared/api/errors.ts";
import type { Session } from "@taskrouter-sync/shared/api/types.ts";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { pollSession } from "./pollSession.ts";

const session = (more: Partial<Session> = {}) => ({ user: "sam", csrfToken: "a", ...more }) as Session;
const MINUTE = 60_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function keep(read: () => Promise<Session>) {
  const told = { session: vi.fn<(s: Session) => void>(), trouble: vi.fn<(m: string) => void>() };
  return { ...told, stop: pollSession(read, told) };
}

it("reads again every five minutes, and tells only what changed", async () => {
  const read = vi.fn(async () => session());
  const kept = keep(read);
  await vi.advanceTimersByTimeAsync(11 * MINUTE);
  expect(read).toHaveBeenCalledTimes(3);
  expect(kept.session).toHaveBeenCalledTimes(1);
  read.mockResolvedValue(session({ csrfToken: "b" }));
  await vi.advanceTimersByTimeAsync(5 * MINUTE);
  expect(kept.session).toHaveBeenCalledTimes(1);
  read.mockResolvedValue(session({ role: "editor" }));
  await vi.advanceTimersByTimeAsync(5 * MINUTE);
  expect(kept.session).toHaveBeenCalledTimes(2);
  kept.stop();
  expect(vi.getTimerCount()).toBe(0);
});

it("says what is wrong until the first answer, and is silent about later failures", async () => {
  const read = vi
    .fn<() => Promise<Session>>()
    .mockRejectedValueOnce(new ApiError(0, "The service does not answer."));
  read
    .mockResolvedValueOnce(session())
    .mockRejectedValueOnce(new ApiError(503, "away"))
    .mockResolvedValue(session());
  const kept = keep(read);
  await vi.advanceTimersByTimeAsync(4000);
  expect(kept.trouble.mock.calls).toEqual([["The service does not answer."]]);
  expect(kept.session).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(6 * MINUTE);
  expect(kept.trouble).toHaveBeenCalledTimes(1);
  expect(read).toHaveBeenCalledTimes(4);
  kept.stop();
});

it("ends when the session is over: the sign-in form comes", async () => {
  const read = vi.fn(async (): Promise<Session> => Promise.reject(new ApiError(401, "Signed out.")));
  const kept = keep(read);
  await vi.advanceTimersByTimeAsync(10 * MINUTE);
  expect(read).toHaveBeenCalledTimes(1);
  expect(kept.trouble).not.toHaveBeenCalled();
});
