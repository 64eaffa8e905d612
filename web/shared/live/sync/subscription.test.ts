import { describe, expect, it } from "vitest";
import { Semaphore } from "./subscription.ts";

/** Lets timers of this length run. */
const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("objects", () => {
  it("are opened a few at a time", async () => {
    const semaphore = new Semaphore(2);
    let running = 0;
    let most = 0;
    const work = async () => {
      running += 1;
      most = Math.max(most, running);
      await pass(1);
      running -= 1;
      if (most > 9) throw new Error("never");
    };
    await Promise.all([...Array(7)].map(() => semaphore.run(work)));
    const failing = semaphore.run(() => Promise.reject(new Error("refused")));
    await expect(failing).rejects.toThrow("refused");
    expect([most, await semaphore.run(async () => "free")]).toEqual([2, "free"]);
  });
});
