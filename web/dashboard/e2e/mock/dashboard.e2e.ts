/** The built page in Chromium against the mock, which serves it under the strict Content-Security-Policy. */
import type { BrowserContextOptions, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { FLEX_TOKEN } from "../../mock/server.mjs";
import { violations } from "../accessibility.ts";
import { freshness as light, TV_TILE, TV_VALUE } from "../pages.ts";
import { type Mock, now, setUpDesks } from "./desk.ts";

const desks = setUpDesks();

async function open(
  path = "/",
  options: object = {},
  context: BrowserContextOptions = {},
): Promise<[Page, Mock]> {
  const desk = await desks.open(path, { still: false, ...options }, context);
  return [desk.page, desk.mock];
}

const row = (p: Page, name: string) => p.locator("[role=row][data-scope=all]", { hasText: name });

describe("live numbers", () => {
  it("tiles follow the feed, without errors in the console", async () => {
    const [p, m] = await open("/", { still: true });
    await light(p, "live");
    const metric = m.world.metrics().find((one) => one.name === "waiting");
    if (!metric) throw new Error("no such metric");
    const others = m.world.metrics().filter((one) => one.name !== "waiting");
    m.push({ metrics: [{ ...metric, value: 7777, text: "7777" }, ...others] });
    await p.locator("[data-metric=waiting] [data-part=value]", { hasText: "7777" }).waitFor();
    expect(desks.last?.complaints).toEqual([]);
  });

  it("texts of any length stay in their tiles, on the page and on the TV", async () => {
    const long = "Supercalifragilistic_expialidocious ".repeat(15).trim();
    const [p, m] = await open("/", { still: true });
    await light(p, "live");
    const [first, second, third, ...others] = m.world.metrics();
    const word = "x".repeat(500);
    const push = () =>
      m.push({
        metrics: [
          { ...first, value: long, text: long },
          { ...second, label: long.slice(0, 200) },
          { ...third, value: word, text: word },
          ...others,
        ],
      });
    const outside = (tile: string) =>
      p.evaluate((selector) => {
        const right = (element: Element) => element.getBoundingClientRect().right;
        const tiles = [...document.querySelectorAll(selector)];
        const wide = tiles.filter((one) =>
          [...one.querySelectorAll("*")].some((part) => right(part) > right(one) + 1),
        );
        return [...wide, ...tiles.filter((one) => right(one) > innerWidth)].map((one) => one.textContent);
      }, tile);
    push();
    await p.locator("[data-part=value]", { hasText: word }).waitFor();
    for (const width of [360, 1280, 1920]) {
      await p.setViewportSize({ width, height: 720 });
      expect(await outside("[data-metric]"), `${width} px`).toEqual([]);
      expect(await p.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    }
    await p.goto(`${m.url}/?tv=1`);
    await p.locator(TV_TILE).first().waitFor();
    m.push({ metrics: [{ ...second, label: long.slice(0, 200) }] });
    await p.locator("[data-part=label]", { hasText: long.slice(0, 30) }).waitFor();
    expect(await outside(TV_TILE)).toEqual([]);
  });

  it("ages count up without any event, with a clock that is ten minutes wrong", async () => {
    const [p, m] = await open("/#/queues", { still: true, skewMs: 600_000 });
    await light(p, "live");
    const sales = m.world.queues.find((queue) => queue.name === "Sales");
    const since = Math.min(
      ...Object.values(sales?.scopes ?? {}).map((scope) => scope.since ?? Number.POSITIVE_INFINITY),
    );
    const cell = row(p, "Sales").locator("[data-column=oldest]");
    const seconds = async () => {
      const [, minutes = "0", secs = "0"] = /(\d+):(\d\d)/.exec(await cell.innerText()) ?? [];
      return Number(minutes) * 60 + Number(secs);
    };
    const first = await seconds();
    expect(Math.abs(first - (now() + 600_000 - since) / 1000)).toBeLessThan(3);
    await expect.poll(seconds, { timeout: 6000 }).toBeGreaterThan(first + 1);
  });

  it("a removed queue disappears", async () => {
    const [p, m] = await open("/#/queues", { still: true });
    await row(p, "Billing").waitFor();
    const billing = m.world.queues.find((queue) => queue.name === "Billing");
    m.remove(billing?.sid ?? "");
    await row(p, "Billing").waitFor({ state: "detached" });
    expect(await p.locator("[role=row][data-scope=all]").count()).toBe(9);
  });

  it("says offline, greys the numbers, comes back by itself and has missed nothing", async () => {
    const [p, m] = await open("/#/queues", { still: true });
    await light(p, "live");
    m.refuse(true);
    await light(p, "offline");
    await p.locator(".shell.stale").waitFor();
    expect(await p.locator("[data-part=freshness]").innerText()).toMatch(
      /^Offline: service unreachable\. Data is .* old\. Retrying/,
    );
    const gone = m.world.queues.find((queue) => queue.name === "VIP");
    m.remove(gone?.sid ?? "");
    m.refuse(false);
    await light(p, "live");
    await row(p, "VIP").waitFor({ state: "detached" });
    await p.locator(".shell:not(.stale)").waitFor();
  });

  it("says since when TaskRouter does not answer", async () => {
    const [p, m] = await open("/", { still: true });
    await light(p, "live");
    m.stale("503 from api");
    await light(p, "stale");
    expect(await p.locator("[data-part=freshness]").innerText()).toMatch(
      /^Stale since \d\d:\d\d: TaskRouter is not responding \(503 from api\)$/,
    );
    await p.locator("[data-metric=waiting] [data-part=data-age]").waitFor();
    m.stale(undefined);
    await light(p, "live");
  });

  it("one queue that cannot be read is old by itself; no data is a dash, zero is a zero", async () => {
    const [p, m] = await open("/#/queues", { still: true });
    await light(p, "live");
    const queue = m.world.queues[0];
    if (!queue) throw new Error("no queue");
    const item: Record<string, unknown> = { ...m.world.item({ ...queue, message: "timed out" }) };
    delete item.cumulativeStats_all;
    m.push({ queues: [item] });
    await row(p, "Support").locator("[data-part=data-age]").waitFor();
    expect(await row(p, "Support").locator("[data-column=handled]").innerText()).toContain("no data");
    expect(await row(p, "Returns").locator("[data-column=pending]").innerText()).toBe("0");
  });

  it("signs out to the sign-in form, and goes there when the session is over", async () => {
    const [p] = await open("/", { still: true });
    await p.getByRole("button", { name: "Sign out" }).click();
    await p.waitForURL("**/login");
    await p.goto(p.url().replace("/login", "/"));
    await p.waitForURL("**/login");
  });
});

describe("queue table", () => {
  it("opens by channel, by keyboard", async () => {
    const [p] = await open("/#/queues", { still: true });
    await row(p, "Claims").waitFor();
    await p.locator("[role=row][data-sid] button").first().focus();
    await p.keyboard.press("ArrowDown");
    await p.keyboard.press("Enter");
    await p.locator("[role=row][data-scope=voice]").waitFor();
    expect(await p.locator("[data-part=channel]").allInnerTexts()).toHaveLength(2);
    expect(await p.locator("[aria-expanded=true]").count()).toBe(1);
  });

  it("sorts, searches, hides columns, and remembers", async () => {
    const [p] = await open("/#/queues", { still: true });
    await row(p, "Claims").waitFor();
    await p.getByRole("button", { name: "Queue", exact: true }).click();
    await expect
      .poll(() => p.locator("[role=row][aria-rowindex='2'] [data-part=queue-name]").innerText())
      .toBe("Billing");
    await p.getByText("Columns", { exact: true }).click();
    await p.getByLabel("Wrapping").uncheck();
    await p.reload();
    await row(p, "Claims").waitFor();
    expect(await p.getByRole("columnheader", { name: "Wrapping" }).count()).toBe(0);
    expect(await p.locator("[aria-sort=ascending]").innerText()).toContain("Queue");
    await p.getByRole("searchbox").fill("sal");
    await expect.poll(() => p.locator("[role=row][data-sid]").count()).toBe(1);
  });

  it("draws only the rows in sight of 1,000 queues at five updates a second", async () => {
    const [p] = await open("/#/queues", { queues: 1000, beatMs: 200, moves: 20 });
    await light(p, "live");
    await row(p, "Support").first().waitFor();
    expect(await p.locator("[role=row][data-sid]").count()).toBeLessThan(60);
    const longTasks = await p.evaluate(
      () =>
        new Promise<number>((resolve) => {
          let total = 0;
          new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) total += entry.duration;
          }).observe({ type: "longtask" });
          const main = document.querySelector("main");
          const timer = setInterval(() => main?.scrollBy(0, 400), 50);
          setTimeout(() => {
            clearInterval(timer);
            resolve(total);
          }, 3000);
        }),
    );
    console.log(`long tasks in 3 s with 1,000 queues: ${Math.round(longTasks)} ms`);
    // How long they take depends on the machine; how much is drawn does not.
    expect(await p.locator("[role=row][data-sid]").count()).toBeLessThan(60);
    expect(desks.last?.complaints).toEqual([]);
  });
});

describe("editing", () => {
  it("shows a preview in the tile, saves, undoes", async () => {
    const [p, m] = await open("/", { still: true });
    await p.locator("[data-metric=completed]").click();
    await p.fill("#formula", "40 + 2");
    await p.locator("[data-metric=completed] [data-part=value]", { hasText: /^42$/ }).waitFor();
    await p.fill("#firstThresholdValue", "41");
    await p.locator("[data-metric=completed] [data-part=sign]", { hasText: "over 41" }).waitFor();
    await p.locator("[data-metric=completed][data-style=Warn]").waitFor();
    await p.getByRole("button", { name: "Save" }).click();
    await p.getByText("“Completed” saved.").waitFor();
    expect(m.world.definitions.completed?.metric.formula).toBe("40 + 2");
    await p.getByRole("button", { name: "Undo" }).click();
    await expect.poll(() => m.world.definitions.completed?.metric.formula).toContain("tasks_completed");
    expect(desks.last?.complaints).toEqual([]);
  });

  it("changes only what its editor changed, whatever another editor changes meanwhile", async () => {
    const [p, m] = await open("/", { still: true });
    await p.locator("[data-metric=completed]").click();
    await p.fill("#firstThresholdValue", "41");
    const completed = m.world.definitions.completed;
    if (!completed) throw new Error("no such metric");
    m.world.definitions.completed = { metric: { ...completed.metric, label: "Done by another" } };
    await p.getByRole("button", { name: "Save" }).click();
    await p.getByText("“Done by another” saved.").waitFor();
    expect(m.world.definitions.completed.metric).toMatchObject({
      label: "Done by another",
      firstThresholdValue: "41",
    });
    await p.locator("[data-metric=completed]").click();
    await expect.poll(() => p.inputValue("#label")).toBe("Done by another");
  });

  it("says under the field, in words, what is wrong, and keeps what was typed over a reload", async () => {
    const [p] = await open("/", { still: true });
    await p.locator("[data-metric=waiting]").click();
    await p.fill("#firstThresholdValue", "many");
    await p.getByRole("button", { name: "Save" }).click();
    await p.locator("#firstThresholdValue-help", { hasText: "`many` is not a number" }).waitFor();
    await p.reload();
    await p.locator("[data-metric=waiting]").click();
    await expect.poll(() => p.inputValue("#firstThresholdValue")).toBe("many");
  });

  it("chooses format and service level", async () => {
    const [p, m] = await open("/", { still: true });
    await p.locator("[data-metric=sla_60]").click();
    await p.selectOption("#format", "percent");
    await p.selectOption("#slaName", "all-waited");
    await p.locator("[data-metric=sla_60] [data-part=value]", { hasText: /^\d+ %$/ }).waitFor();
    await p.getByRole("button", { name: "Save" }).click();
    await p.locator("[data-metric=sla_60] [data-part=sla]", { hasText: "all who waited" }).waitFor();
    expect(m.world.definitions.sla_60?.metric).toMatchObject({ format: "percent", slaName: "all-waited" });
  });

  it("browses fields into the formula, adds, moves by keyboard and removes", async () => {
    const [p, m] = await open("/", { still: true });
    await p.getByRole("button", { name: "Add metric" }).click();
    await p.fill("#label", "Mine");
    await p.fill("#formula", "");
    await p.getByRole("button", { name: "Browse fields" }).click();
    for (const name of ["workspace_statistics", "realtime"])
      await p.locator(".fields").getByRole("button", { name, exact: false }).first().click();
    await p.getByRole("button", { name: "total_workers" }).click();
    await expect
      .poll(() => p.inputValue("#formula"))
      .toBe("data.workspace_statistics.realtime.total_workers");
    await p.getByRole("button", { name: "Add", exact: true }).click();
    await p.locator("[data-metric=mine]").waitFor();
    await p.getByRole("button", { name: "Arrange" }).click();
    await p.getByRole("button", { name: "Move Mine earlier" }).press("Enter");
    await expect.poll(() => Object.keys(m.world.definitions).at(-2)).toBe("mine");
    await p.getByRole("button", { name: "Done", exact: true }).click();
    await p.locator("[data-metric=mine]").click();
    await p.getByRole("button", { name: "Remove" }).click();
    await p.locator("[data-metric=mine]").waitFor({ state: "detached" });
    await p.getByRole("button", { name: "Undo" }).click();
    await p.locator("[data-metric=mine]").waitFor();
    expect(desks.last?.complaints).toEqual([]);
  });

  it("is not for viewers, who may look", async () => {
    const [p] = await open("/", { still: true, role: "viewer" });
    await p.locator("[data-metric=waiting]").click();
    await p.locator(".drawer code", { hasText: "tasks_by_status.pending" }).waitFor();
    expect(await p.locator(".drawer form, .drawer input:not([type=date])").count()).toBe(0);
    expect(await p.getByRole("button", { name: /Add metric|Arrange/ }).count()).toBe(0);
  });
});

describe("TV", () => {
  const context = { viewport: { width: 1920, height: 1080 } };
  it("has digits of an eighth of the screen, no scrollbars, no cursor, turns, and survives the network", async () => {
    const [p, m] = await open("/?tv=1&turn=3", {}, context);
    await p.locator(TV_VALUE).first().waitFor();
    const sizes = await p.locator(TV_VALUE).evaluateAll((all) => {
      const ctx = document.createElement("canvas").getContext("2d");
      return all.map((element) => {
        const { fontWeight, fontSize, fontFamily } = getComputedStyle(element);
        if (!ctx) return 0;
        ctx.font = `${fontWeight} ${fontSize} ${fontFamily}`;
        return ctx.measureText("0").actualBoundingBoxAscent;
      });
    });
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(1080 / 8);
    const fits = await p.evaluate(() => {
      const text = (e: Element) => {
        const range = document.createRange();
        range.selectNodeContents(e);
        return range.getBoundingClientRect();
      };
      const within = [...document.querySelectorAll("ul")].every((list) => {
        const places = [...list.querySelectorAll("[data-part=value]")].map(text);
        return places.every((place, n) => place.right <= (places[n + 1]?.left ?? innerWidth));
      });
      const { scrollHeight, scrollWidth } = document.documentElement;
      const scrolls = scrollHeight > innerHeight || scrollWidth > innerWidth;
      return { within, scrolls, cursor: getComputedStyle(document.body).cursor };
    });
    expect(fits).toEqual({ within: true, scrolls: false, cursor: "none" });
    const labels = async (where: string) =>
      (await p.locator(`[data-part=${where}] [data-part=label]`).allInnerTexts()).join();
    const [always, turning] = [await labels("pinned"), await labels("turning")];
    expect(always).toBe("Waiting,Oldest,SLA 60 s");
    await expect.poll(() => labels("turning"), { timeout: 8000 }).not.toBe(turning);
    expect(await labels("pinned")).toBe(always);
    m.refuse(true);
    await light(p, "offline");
    m.refuse(false);
    await light(p, "live");
  });
});

describe("call quality", () => {
  it("says why there is nothing, then shows alerts as they come", async () => {
    const [p, m] = await open("/#/voice", { still: true });
    await p.getByText("No call quality alerts yet.").waitFor();
    m.alert();
    m.alert({ agent: "Alan Turing", issues: "short call", callerId: null });
    await p.locator("[data-testid=voice-today]", { hasText: /^2$/ }).waitFor();
    expect(await p.locator(".voice-agents li").count()).toBe(2);
    const first = p.locator(".voice tbody tr").first();
    expect(await first.innerText()).toMatch(/Alan Turing\s+short call/);
    expect(await first.innerText()).toContain("not reported");
    expect(desks.last?.complaints).toEqual([]);
  });
});

describe("voice-quality.js", () => {
  it("raises an alert for a bad call, which arrives on the page", async () => {
    const [p, m] = await open("/#/voice", { still: true });
    await p.getByText("No call quality alerts yet.").waitFor();
    await p.addScriptTag({ url: `${m.url}/voice-quality.js` });
    const notified = await p.evaluate((token) => {
      const listeners = new Map<string, ((...args: unknown[]) => void)[]>();
      const emit = (event: string, ...args: unknown[]) => {
        for (const listener of [...(listeners.get(event) ?? [])]) listener(...args);
      };
      const call = {
        parameters: { From: "+493055501000", To: "client:ada" },
        status: () => "pending",
        on: (event: string, told: () => void) =>
          listeners.set(event, [...(listeners.get(event) ?? []), told]),
        removeListener: (event: string, told: () => void) =>
          listeners.set(
            event,
            (listeners.get(event) ?? []).filter((one) => one !== told),
          ),
      };
      const said: string[] = [];
      let now = 0;
      const { VoiceQuality } = window as unknown as {
        VoiceQuality: typeof import("../../../call-quality/src/index.ts");
      };
      VoiceQuality.attach(call, {
        configuration: { alertAgent: "true" },
        respond: VoiceQuality.postTo(location.origin, () => token),
        notify: (text) => said.push(text),
        parties: () => ({ dnis: "+4930555099" }),
        now: () => now,
      });
      emit("accept");
      now = 20_000;
      emit("warning", "high-jitter", { values: [80, 90], threshold: { name: "max", value: 30 } });
      now = 50_000;
      emit("warning-cleared", "high-jitter");
      now = 100_000;
      emit("disconnect");
      return said;
    }, FLEX_TOKEN);
    expect(notified).toEqual(["Possible voice network quality issue detected: call warning condition pct"]);
    const first = p.locator(".voice tbody tr");
    await first.waitFor();
    expect(await first.innerText()).toMatch(
      /call warning condition pct\s+\+493055501000\s+\+4930555099\s+log-call/,
    );
    expect(desks.last?.complaints).toEqual([]);
  });
});

describe("where a number comes from", () => {
  const tip = (p: Page) => p.locator("#provenance-tooltip");
  it("is said of a tile on focus: formula, interval, source, age", async () => {
    const [p] = await open("/", { still: true });
    await light(p, "live");
    await p.getByRole("button", { name: "Add metric" }).focus();
    await p.keyboard.press("Tab");
    await tip(p).waitFor();
    const text = await tip(p).innerText();
    expect(text).toContain("tasks_by_status.pending");
    expect(text).toContain("today since 06:00 Europe/Berlin");
    expect(text).toMatch(/Updated on events and on a timer/);
    expect(text).toMatch(/Last changed \d\d:\d\d:\d\d \(\d+ s ago\)/);
    expect(await p.locator(":focus").getAttribute("aria-describedby")).toBe("provenance-tooltip");
  });
  it("keeps the formula from viewers' tips, and names the service level on the tile", async () => {
    const [p] = await open("/", { still: true, role: "viewer" });
    await p.locator("[data-metric=sla_60] [data-part=sla]", { hasText: "accepted" }).waitFor();
    await p.locator("[data-metric=sla_60]").hover();
    await tip(p).waitFor();
    expect(await tip(p).innerText()).not.toContain("split_by_wait_time");
    expect(await tip(p).innerText()).toContain("Service level: accepted");
  });
  it("is said of a cell on hover, by its queue's own service level", async () => {
    const [p, m] = await open("/#/queues", { still: true });
    const queue = m.world.queues.find(({ name }) => name === "Sales");
    if (!queue) throw new Error("no queue");
    Object.assign(queue, { sla: "all-waited" });
    m.push({ queues: [m.world.item(queue)] });
    const own = row(p, "Sales").locator("[data-column=sla_60][data-tip*=entered]");
    await own.hover();
    await tip(p).waitFor();
    expect(await tip(p).innerText()).toMatch(/^accepted within 60 s \/ \(entered − abandoned within 60 s\)/);
    expect(await tip(p).innerText()).toMatch(/Sales\nLast changed/);
    expect(await row(p, "Claims").locator("[data-column=sla_60]").getAttribute("data-tip")).toContain(
      "/ accepted;",
    );
  });
  it("is said of the light: by which way, and what fails", async () => {
    const [p, m] = await open("/", { still: true });
    m.stale("503 from api");
    await light(p, "stale");
    await p.locator("[data-testid=freshness] button").hover();
    await tip(p).waitFor();
    expect(await tip(p).innerText()).toContain("Source: service feed");
    expect(await tip(p).innerText()).toContain("503 from api");
  });
});

describe("tasks and agents", () => {
  it("list people and work, search, and count", async () => {
    const [p] = await open("/#/tasks", { still: true });
    await p.getByRole("searchbox").fill("Edsger");
    await expect.poll(() => p.locator("tbody tr").count()).toBe(1);
    expect(await p.locator("tbody tr").innerText()).toContain("In progress");
    await p.getByRole("link", { name: "Agents" }).click();
    await p.getByRole("searchbox").fill("turing");
    await expect.poll(() => p.locator(".group li").count()).toBe(1);
    expect(await p.locator(".group h3").innerText()).toMatch(/Available/);
    expect(await p.locator(".group li").innerText()).toContain("Skills: sales, german");
    await p.getByRole("button", { name: /Turing/ }).click();
    await expect.poll(() => p.locator(".group li").innerText()).toMatch(/Eligible for (Sales[^,]*, )*Sales/);
  });
});

describe("sizes", () => {
  const widths: [number, number][] = [
    [360, 740],
    [768, 1024],
    [1440, 900],
    [3840, 2160],
  ];
  for (const [width, height] of widths) {
    it(`${width} x ${height}: nothing is cut off and the page does not scroll sideways`, async () => {
      const [p] = await open("/", { still: true, alerts: 5 }, { viewport: { width, height } });
      await light(p, "live");
      for (const view of ["Wallboard", "Queues", "Tasks", "Agents", "Call quality", "Report", "Replay"]) {
        await p.getByRole("link", { name: view, exact: true }).click();
        await p.locator("main h2").first().waitFor({ state: "attached" });
        const found = await p.evaluate(() => {
          // Tables and tabs may scroll within themselves; everything else stands within the screen.
          const scrolling = (e: Element) =>
            e.closest("[role=table], .scroll-x, .tabs, [class*=srOnly], [role=tooltip]") !== null;
          const outside = [
            ...document.querySelectorAll("header *, nav *, main *, [data-testid=replay-band] *"),
          ].filter((element) => {
            const box = element.getBoundingClientRect();
            // A closed menu's content has a place that may be an old one.
            const seen = box.width > 0 && element.checkVisibility();
            return seen && !scrolling(element) && (box.right > innerWidth + 1 || box.left < -1);
          });
          const { scrollWidth } = document.documentElement;
          return { wide: scrollWidth > innerWidth, outside: outside.map((e) => e.className).slice(0, 5) };
        });
        expect([view, found]).toEqual([view, { wide: false, outside: [] }]);
      }
    });
  }
});

describe("accessibility", () => {
  const views: [string, string, ((p: Page) => Promise<unknown>)?][] = [
    ["wallboard", "/"],
    ["queues", "/#/queues", (p) => p.locator("[role=row][data-sid] button").first().click()],
    ["tasks", "/#/tasks", (p) => p.locator("tbody tr").first().waitFor()],
    [
      "agents",
      "/#/agents",
      async (p) => {
        await p.locator(".group button").first().click();
        await p.getByText(/^(Eligible|Not eligible) for/).waitFor();
      },
    ],
    [
      "voice",
      "/#/voice",
      async (p) => {
        desks.last?.mock.alert();
        await p.locator(".voice tbody tr").waitFor();
      },
    ],
    ["voice, none", "/#/voice", (p) => p.locator(".empty").waitFor()],
    [
      "settings",
      "/",
      async (p) => {
        const previewed = p.waitForResponse((response) => response.url().includes("preview"));
        await p.locator("[data-metric=oldest]").click();
        await p.locator("#formula").waitFor();
        await previewed;
      },
    ],
    ["tv", "/?tv=1", (p) => p.locator(TV_VALUE).first().waitFor()],
    [
      "offline",
      "/",
      async (p) => {
        await light(p, "live");
        desks.last?.mock.refuse(true);
        await p.locator(".stale").waitFor();
      },
    ],
  ];
  for (const colorScheme of ["light", "dark"] as const) {
    for (const [name, path, act] of views) {
      it(`${name}, ${colorScheme}: axe finds nothing`, async () => {
        const [p] = await open(path, { still: true }, { colorScheme });
        await p.locator("main").waitFor();
        if (name !== "tv") await light(p, "live");
        await act?.(p);
        expect(await violations(p)).toEqual([]);
        if (name !== "offline") expect(desks.last?.complaints).toEqual([]);
      });
    }
  }
});
