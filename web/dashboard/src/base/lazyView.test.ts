import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type BuildDeps, reloadIfReplaced } from "./build.ts";
import { loadChunk } from "./lazyView.tsx";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("loading a chunk", () => {
  it("is retried once", async () => {
    const load = vi.fn(async () => "view").mockRejectedValueOnce(new Error("404"));
    const loaded = loadChunk(load, async () => false);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await loaded).toBe("view");
  });

  it("fails when it is gone and the page is the service's current one", async () => {
    const load = vi.fn(() => Promise.reject(new Error("404")));
    const loaded = expect(loadChunk(load, async () => false)).rejects.toThrow("404");
    await vi.advanceTimersByTimeAsync(1000);
    await loaded;
    expect(load).toHaveBeenCalledTimes(2);
  });

  it("waits for the reload when the page was replaced", async () => {
    const settled = vi.fn();
    void loadChunk(
      () => Promise.reject(new Error("404")),
      async () => true,
    ).then(settled, settled);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(settled).not.toHaveBeenCalled();
  });
});

describe("a replaced build", () => {
  const page = (build: string) => `<script type="module" src="./assets/index-${build}.js"></script>`;
  function deps(served: string, url = "https://host/") {
    const memory = new Map<string, string>();
    const made = {
      running: () => "assets/index-old.js",
      fetchPage: async () => ({ url, html: served }),
      reload: vi.fn(),
      goToLogin: vi.fn(),
      read: (key: string) => memory.get(key) ?? null,
      write: (key: string, value: string) => void memory.set(key, value),
    };
    return made satisfies BuildDeps;
  }

  it("reloads the page once for each build", async () => {
    const upgraded = deps(page("new"));
    expect(await reloadIfReplaced(upgraded)).toBe(true);
    expect(await reloadIfReplaced(upgraded)).toBe(false);
    expect(upgraded.reload).toHaveBeenCalledTimes(1);
  });

  it("is not assumed for the same build, or for an answer without one", async () => {
    for (const served of [page("old"), "proxy error"]) {
      const same = deps(served);
      expect(await reloadIfReplaced(same)).toBe(false);
      expect(same.reload).not.toHaveBeenCalled();
    }
  });

  it("leads to the sign-in form when the session is over", async () => {
    const ended = deps("", "https://host/below/login");
    expect(await reloadIfReplaced(ended)).toBe(true);
    expect(ended.goToLogin).toHaveBeenCalledTimes(1);
  });
});
