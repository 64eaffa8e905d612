// @vitest-environment happy-dom
/** The shared components, under React 17 and 18. */
import * as React from "react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Health, Metric, QueueItem } from "../api/types.ts";
import { LiveProvider } from "../live/react.tsx";
import { createLive } from "../live/store.ts";
import { en } from "../locales/en.ts";
import { columns } from "../queues/columns.ts";
import { QueueTable } from "../queues/QueueTable/index.tsx";
import type { Sort } from "../queues/sort.ts";
import { FakeEnvironment, FakeSource } from "../test/fakeEnvironment.ts";
import { act, reactVersion, render } from "../test/render.tsx";
import { Tile } from "../wallboard/Tile.tsx";
import { ErrorBoundary } from "./ErrorBoundary.tsx";
import { FreshnessIndicator } from "./FreshnessIndicator.tsx";

globalThis.ResizeObserver ??= class {
  observe() {}
  unobserve() {}
  disconnect() {}
} as unknown as typeof ResizeObserver;

const HEALTHY: Health = { taskrouter: { ok: true }, sync: { ok: true } };
const METRIC: Metric = {
  name: "waiting",
  label: "Tasks waiting",
  value: 200,
  text: "00:03:20",
  format: "seconds",
  style: {
    styleName: "Error",
    headlineColour: "colorTextErrorStrong",
    statColour: "colorTextErrorStrong",
    backgroundColour: "colorBackgroundErrorWeakest",
  },
  increment: false,
  asOf: null,
  threshold: { level: 2, limit: 180, direction: "above" },
};

const mounted: (() => void)[] = [];
afterEach(() => {
  for (const unmount of mounted.splice(0)) unmount();
  vi.restoreAllMocks();
});

async function show(element: React.ReactElement, queues: QueueItem[] = []) {
  const source = new FakeSource();
  const live = createLive({ source, client: { history: async () => [] }, clock: new FakeEnvironment() });
  const stop = live.start();
  const snapshot = (items: QueueItem[]) =>
    act(() => {
      source.listener?.link({ state: "open" });
      source.listener?.event({
        type: "snapshot",
        data: { seq: 1, now: new Date().toISOString(), queues: items, workspace: {}, health: HEALTHY },
      });
    });
  snapshot(queues);
  const shown = await render(<LiveProvider value={live}>{element}</LiveProvider>);
  mounted.push(shown.unmount, stop);
  return { ...shown, source, live, snapshot };
}

it("runs under the React that its test project names", () => {
  expect(["17", "18"]).toContain(reactVersion.split(".")[0]);
});

describe("Tile", () => {
  const tile = (metric: Metric, onOpen = vi.fn()) => (
    <Tile metric={metric} interval="today" timeZone="UTC" staleSince={undefined} onOpen={onOpen} />
  );

  it("has the second sign from the metric itself, without any definition", async () => {
    const { container } = await show(tile(METRIC));
    expect(container.querySelector("[data-part=sign]")?.textContent).toBe("▲ over 3 min");
    expect(container.querySelector("[data-part=value]")?.textContent).toBe("03:20");
  });

  it("shows an age over a day in days, also while it counts and whatever its format", async () => {
    const since = new Date(Date.now() - 60_000).toISOString();
    for (const metric of [
      { ...METRIC, text: "76:12:09" },
      { ...METRIC, format: "duration", text: "76h 12m" },
      { ...METRIC, value: 274_270, text: "76:11:10", increment: true, asOf: since },
    ]) {
      const { container } = await show(tile(metric));
      expect(container.querySelector("[data-part=value]")?.textContent).toBe("3 d 04:12");
    }
  });

  it("is one button without blocks inside, and opens", async () => {
    const onOpen = vi.fn();
    const { container } = await show(tile(METRIC, onOpen));
    const button = container.querySelector("button");
    expect(button?.querySelector("div")).toBeNull();
    act(() => button?.click());
    expect(onOpen).toHaveBeenCalledWith("waiting");
  });

  it("is stale by itself while formulas can't be evaluated, and says why", async () => {
    const since = new Date(Date.now() - 65_000).toISOString();
    const stale = { since, reason: "formula process restarting" };
    const { container } = await show(tile({ ...METRIC, stale }));
    expect(container.querySelector("[data-part=data-age]")?.textContent).toBe("1 min old");
    expect(container.querySelector("[data-metric]")?.hasAttribute("data-stale")).toBe(true);
    expect(container.querySelector("button")?.getAttribute("data-tip")).toContain(
      "formula process restarting",
    );
  });

  it("shows a failed formula with a reason", async () => {
    const { container } = await show(tile({ ...METRIC, value: null, text: "ERR", threshold: null }));
    expect(container.textContent).toContain("formula failed");
    const nothing = await show(tile({ ...METRIC, value: null, text: "–", threshold: null }));
    expect(nothing.container.textContent).toContain("formula returned no value");
  });
});

describe("FreshnessIndicator", () => {
  it("shows the label, announces the state, and names the source", async () => {
    const { container, source } = await show(<FreshnessIndicator />);
    act(() => source.listener?.activeSource?.({ kind: "sync", reason: "Source: Twilio Sync." }));
    expect(container.querySelector("[data-part=freshness]")?.textContent).toMatch(/^Live: \d s ago$/);
    expect(container.querySelector("[role=status]")?.textContent).toBe("Live.");
    expect(container.querySelector("button")?.getAttribute("data-tip")).toBe("Source: Twilio Sync.");
    act(() => source.listener?.unreadable?.(2));
    expect(container.querySelector("button")?.getAttribute("data-tip")).toContain("2 queues unreadable");
  });
});

describe("ErrorBoundary", () => {
  function Broken({ broken }: { broken: boolean }) {
    if (broken) throw new Error("no name");
    return <p>fine</p>;
  }

  it("shows the fallback for the broken part alone, and tries again when the key changes", async () => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const part = (broken: boolean, resetKey: number) => (
      <div>
        <ErrorBoundary resetKey={resetKey} fallback={(error) => <p>failed: {error.message}</p>}>
          <Broken broken={broken} />
        </ErrorBoundary>
        <p>beside it</p>
      </div>
    );
    const { container, rerender, unmount } = await render(part(true, 1));
    mounted.push(unmount);
    expect(container.textContent).toBe("failed: no namebeside it");
    rerender(part(false, 1));
    expect(container.textContent).toBe("failed: no namebeside it");
    rerender(part(false, 2));
    expect(container.textContent).toBe("finebeside it");
  });
});

describe("QueueTable", () => {
  const item = (n: number, pending: number): QueueItem => ({
    sid: `WQ${n}`,
    friendlyName: `Queue ${n}`,
    realTimeStats_all: { tasksByStatus: { pending }, availableWorkers: 1, eligibleWorkers: 2 },
  });

  function Harness({ sort }: { sort: Sort }) {
    const scroller = React.useRef<HTMLDivElement>(null);
    return (
      <div
        ref={(element) => {
          (scroller as React.MutableRefObject<HTMLDivElement | null>).current = element;
          // happy-dom lays nothing out: this is what the virtual window measures.
          if (element) {
            Object.defineProperty(element, "clientHeight", { value: 240, configurable: true });
            Object.defineProperty(element, "clientWidth", { value: 800, configurable: true });
          }
        }}
      >
        <QueueTable
          scroller={scroller}
          columns={columns({ thresholds: [60], interval: "today" }, en)}
          sort={sort}
          onSort={() => undefined}
          channels={["voice"]}
          serviceLevels={{ thresholds: [60] }}
        />
      </div>
    );
  }

  it("sorts the oldest first, and shows an age over a day in days", async () => {
    const ago = (s: number) => new Date(Date.now() - s * 1000).toISOString();
    const [young, old] = [item(1, 1), item(2, 1)];
    young.oldestTaskSince = ago(86_390);
    old.oldestTaskSince = ago(274_330);
    const { container } = await show(<Harness sort={{ by: "oldest", down: true }} />, [young, old]);
    const text = container.textContent ?? "";
    expect(text).toMatch(/Queue 2.*3 d 04:12.*Queue 1.*23:59:[45]\d/);
  });

  it("draws its rows, and keeps the row with focus in the page when others overtake it", async () => {
    const many = (busy: number) => Array.from({ length: 100 }, (_, n) => item(n, n === busy ? 900 : n));
    const { container, snapshot } = await show(<Harness sort={{ by: "pending", down: true }} />, many(3));
    const first = () => container.querySelector<HTMLElement>("[role=row][data-sid]");
    expect(first()?.dataset.sid).toBe("WQ3");
    const button = first()?.querySelector("button");
    act(() => button?.focus());
    snapshot(many(99));
    expect(document.activeElement).toBe(button);
    expect(container.contains(document.activeElement)).toBe(true);
    expect(container.querySelectorAll("[role=row][data-sid]").length).toBeLessThan(60);
  });

  it("goes with Home and End to queues that are not in the page", async () => {
    const { container } = await show(
      <Harness sort={{ by: "name", down: false }} />,
      Array.from({ length: 100 }, (_, n) => item(n, 1)),
    );
    const button = container.querySelector<HTMLElement>("[role=row][data-sid] button");
    act(() => button?.focus());
    const press = (key: string) =>
      act(() => {
        document.activeElement?.dispatchEvent(
          new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }),
        );
      });
    press("End");
    expect(document.activeElement?.textContent).toContain("Queue 99");
    press("Home");
    expect(document.activeElement?.textContent).toContain("Queue 0");
    press("ArrowDown");
    expect(document.activeElement?.textContent).toContain("Queue 1");
    press("ArrowRight");
    expect(document.activeElement?.getAttribute("data-column")).toBe("pending");
  });
});
