/** Long names, missing values and long lists on every view, from a phone to a wall. */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { launch } from "../browser.mjs";
import { freshness } from "../pages.ts";
import { type Desk, type Mock, openDesk } from "./desk.ts";

const WORD = "Hauptniederlassung_Kundendienst_Reklamationen_Oesterreich_und_Schweiz_Nacht";
const WORDS = "Anna-Maria Theresia von und zu Hohenlohe-Schillingsfürst the Third of Regensburg";

let browser: Browser;
let desk: Desk | undefined;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());
afterEach(async () => {
  const complaints = desk?.complaints ?? [];
  await desk?.close();
  desk = undefined;
  expect(complaints, "what the page complained about").toEqual([]);
});

type Fields = Record<string, unknown>;

function spoil({ world, alert, push }: Mock): void {
  const [first, second, third, fourth] = world.workers as Fields[];
  Object.assign(first ?? {}, { friendly_name: WORD, team: WORD, routing: { skills: Array(25).fill(WORD) } });
  Object.assign(second ?? {}, { friendly_name: WORDS, date_status_changed: null, routing: null });
  Object.assign(third ?? {}, { friendly_name: "", date_status_changed: "2020-01-01T00:00:00Z", team: 7 });
  Object.assign(fourth ?? {}, { activity_name: WORD });
  for (const queue of world.queues.slice(0, 2)) queue.name = `${WORD} ${WORDS}`;
  const tasks = world.tasks.bind(world);
  world.tasks = () => {
    const list = tasks() as Fields[];
    Object.assign(list[0] ?? {}, { from: WORD, WorkerName: WORDS, Priority: 2147483647 });
    Object.assign(list[1] ?? {}, { TaskQueueName: null, TaskChannel: null, DateCreated: null, from: "" });
    Object.assign(list[2] ?? {}, { TaskQueueName: WORD, TaskChannel: WORD, TaskStatus: "transferring" });
    return list as ReturnType<typeof tasks>;
  };
  alert({ agent: WORD, issues: `${WORDS}, ${WORD}`, callerId: "+493055501000123456", action: WORD });
  alert({ agent: null, callerId: null, dnis: null, at: null, issues: "" });
  for (let n = 0; n < 20; n += 1) alert({ agent: `Agent ${n}` });
  push({ queues: world.queues.map((queue) => world.item(queue)), metrics: world.metrics() });
}

const VIEWS: [string, (page: Page) => Promise<unknown>][] = [
  ["Wallboard", (page) => page.locator("[data-sid]").first().waitFor()],
  ["Queues", (page) => page.locator("[data-sid]").first().waitFor()],
  ["Tasks", (page) => page.locator("tbody tr").first().waitFor()],
  ["Agents", (page) => page.locator(".group li").first().waitFor()],
  ["Call quality", (page) => page.locator("tbody tr").first().waitFor()],
  ["Report", (page) => page.locator("[data-part=row]").first().waitFor()],
  ["Replay", (page) => page.locator("[data-metric]").first().waitFor()],
];

/** What is wider than the screen, and texts that are cut although their box neither scrolls nor ends in an ellipsis. */
const faults = (page: Page) =>
  page.evaluate(() => {
    // Headings that only screen readers get.
    const exempt = (e: Element) =>
      e.closest("[class*=srOnly], [role=tooltip], thead, [role=rowgroup]:has([role=columnheader])") !== null;
    // Wide tables scroll, the queues' with the view around it, and on a phone the tabs.
    const scrolls = (e: Element) =>
      e.closest("[role=table], .scroll-x, .tabs") !== null || e.querySelector("[role=table]") !== null;
    const named = (e: Element) => `${e.tagName} ${e.className} ${e.textContent?.slice(0, 20)}`;
    // A closed menu's content has a place that may be an old one.
    const all = [...document.querySelectorAll("header *, nav *, main *")].filter(
      (e) => e.checkVisibility() && !exempt(e),
    );
    const outside = all.filter((e) => {
      const { width, right, left } = e.getBoundingClientRect();
      return width > 0 && !scrolls(e) && (right > innerWidth + 1 || left < -1);
    });
    const cut = all.filter((e) => {
      const { overflowX, textOverflow } = getComputedStyle(e);
      return overflowX === "hidden" && textOverflow !== "ellipsis" && e.scrollWidth > e.clientWidth + 1;
    });
    const over = all.filter((e) => {
      const { display } = getComputedStyle(e);
      return display !== "inline" && !scrolls(e) && e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1;
    });
    return {
      wide: document.documentElement.scrollWidth > innerWidth,
      outside: outside.map(named).slice(0, 5),
      cut: cut.map(named).slice(0, 5),
      over: over
        .filter((e) => getComputedStyle(e).overflowX === "visible")
        .map(named)
        .slice(0, 5),
    };
  });

describe("long names, missing values and long lists", () => {
  for (const [width, height] of [
    [360, 740],
    [800, 900],
    [1440, 900],
    [3840, 2160],
  ] as const) {
    it(`stay inside their boxes, ${width} x ${height}`, async () => {
      desk = await openDesk(browser, "/", {}, { viewport: { width, height } });
      const { page, mock } = desk;
      spoil(mock);
      await freshness(page, "live");
      for (const [view, ready] of VIEWS) {
        await page.getByRole("link", { name: view, exact: true }).click();
        await ready(page);
        expect([view, await faults(page)]).toEqual([view, { wide: false, outside: [], cut: [], over: [] }]);
      }
    });
  }

  it("on a phone each task and alert is a card with every value in sight, under its column's name", async () => {
    desk = await openDesk(browser, "/#/tasks", {}, { viewport: { width: 360, height: 740 } });
    const { page, mock } = desk;
    spoil(mock);
    for (const view of ["Tasks", "Call quality"]) {
      await page.getByRole("link", { name: view, exact: true }).click();
      const card = page.locator("tbody tr").first();
      await card.waitFor();
      const cells = await card.locator("th, td").evaluateAll((found) =>
        found.map((e) => {
          const { left, right, width } = e.getBoundingClientRect();
          return {
            inSight: width > 0 && left >= 0 && right <= innerWidth,
            label:
              e.tagName === "TH" || getComputedStyle(e, "::before").content.includes(e.dataset.label ?? "?"),
          };
        }),
      );
      expect(cells.length).toBeGreaterThan(6);
      expect(cells.filter(({ inSight, label }) => !(inSight && label))).toEqual([]);
      expect(await page.getByRole("table").getByRole("columnheader").count()).toBeGreaterThan(6);
    }
  });

  it("the open view's tab is in sight where not all tabs are", async () => {
    desk = await openDesk(
      browser,
      "/#/voice",
      {},
      { viewport: { width: 360, height: 740 }, locale: "de-DE" },
    );
    const tab = desk.page.getByRole("link", { name: "Gesprächsqualität" });
    await tab.waitFor();
    const right = () => tab.evaluate((e) => Math.round(e.getBoundingClientRect().right));
    await expect.poll(right).toBeLessThanOrEqual(360);
  });

  it("an agent without a name has the SID, and what is missing is a dash with a reason", async () => {
    desk = await openDesk(browser, "/#/agents");
    const { page, mock } = desk;
    spoil(mock);
    await page.getByRole("button", { name: /^WK0/ }).waitFor({ timeout: 20_000 });
    await page.getByRole("link", { name: "Call quality" }).click();
    await page.locator(".voice-agents li").nth(9).waitFor();
    expect(await page.locator(".voice-agents li").count()).toBe(10);
    await page.getByRole("button", { name: "Show 12 more of 22" }).click();
    expect(await page.locator(".voice-agents li").count()).toBe(22);
    expect(await page.locator(".voice-agents li", { hasText: "not reported" }).count()).toBe(1);
  });

  it("of thousands the first are drawn, more on demand, and a search covers all", async () => {
    desk = await openDesk(browser, "/#/agents");
    const { page, mock } = desk;
    const { world } = mock;
    const [tasks, one] = [world.tasks.bind(world), world.workers[0]];
    for (let n = 0; n < 2000; n += 1)
      world.workers.push({ ...one, worker_sid: `WK-${n}`, friendly_name: `Agent ${n}` } as never);
    world.tasks = () => {
      const [first, ...rest] = tasks();
      const copies = Array.from({ length: 2000 }, (_, n) => ({
        ...first,
        TaskSid: `WT-${n}`,
        from: `No. ${n}`,
      }));
      return [...rest, ...copies] as ReturnType<typeof tasks>;
    };
    const available = page.getByRole("region", { name: /^Available/ });
    await available.getByRole("button", { name: /^Show 100 more of 20\d\d$/ }).click({ timeout: 20_000 });
    await expect.poll(() => available.locator("li").count()).toBe(200);
    await page.getByRole("searchbox").fill("Agent 1999");
    await expect.poll(() => page.locator(".group li").count()).toBe(1);
    await page.getByRole("link", { name: "Tasks", exact: true }).click();
    await page.getByRole("button", { name: "Show 200 more of 2017" }).click({ timeout: 20_000 });
    await expect.poll(() => page.locator("tbody tr").count()).toBe(400);
    await page.getByRole("searchbox").fill("No. 1999");
    await expect.poll(() => page.locator("tbody tr").count()).toBe(1);
  });

  it("stale lists are grey, live ones are not", async () => {
    desk = await openDesk(browser, "/#/agents");
    const { page, mock } = desk;
    await freshness(page, "live");
    const name = page.locator(".group .agent-name").first();
    const colour = () => name.evaluate((e) => getComputedStyle(e).color);
    await name.waitFor();
    const live = await colour();
    mock.refuse(true);
    await page.locator(".stale").first().waitFor();
    expect(await colour()).not.toBe(live);
    desk.complaints.splice(0);
  });
});
