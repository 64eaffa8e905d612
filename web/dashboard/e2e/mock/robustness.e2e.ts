/** What must not make the page white, silent or unreadable. */
import type { QueueItem } from "@taskrouter-sync/shared/api/types.ts";
import { PRESETS } from "@taskrouter-sync/shared/wallboard/presets.ts";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { freshness, freshnessButton, queues, tooltip } from "../pages.ts";
import { setUpDesks } from "./desk.ts";

const desks = setUpDesks();

const { open } = desks;

const TASKS = "**/assets/Tasks-*.js";

describe("a view whose chunk does not load", () => {
  it("fails alone, in words, and comes when it is asked for again", async () => {
    const { page } = await open("/", {}, {}, (p) => p.route(TASKS, (route) => route.abort()));
    await freshness(page, "live");
    await page.getByRole("link", { name: "Tasks" }).click();
    await page.getByRole("alert").getByText("This part of the page failed.").waitFor();
    await freshness(page, "live");
    await page.getByRole("link", { name: "Queues" }).click();
    await queues(page).first().waitFor();
    await page.getByRole("link", { name: "Tasks" }).click();
    await page.getByRole("alert").getByText("This part of the page failed.").waitFor();
    await page.unroute(TASKS);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("heading", { name: /^Tasks/ }).waitFor();
  });

  it("reloads the page once after an upgrade, and then is there", async () => {
    let documents = 0;
    const { page } = await open("/", {}, {}, async (p) => {
      p.on("request", (request) => {
        if (request.isNavigationRequest()) documents += 1;
      });
      await p.route(TASKS, (route) =>
        documents > 1 ? route.continue() : route.fulfill({ status: 404, body: "{}" }),
      );
      // What the service has by now: a build with another hash.
      await p.route("**/", async (route) => {
        if (route.request().isNavigationRequest()) return route.continue();
        const response = await route.fetch();
        const body = (await response.text()).replace(/assets\/index-[\w-]+\.js/, "assets/index-upgraded.js");
        return route.fulfill({ response, body });
      });
    });
    await freshness(page, "live");
    await page.getByRole("link", { name: "Tasks" }).click();
    await page.getByRole("heading", { name: /^Tasks/ }).waitFor();
    expect(documents).toBe(2);
  });
});

it("an item that can't be read is not drawn, and is counted", async () => {
  const { page, mock, complaints } = await open("/#/queues");
  await freshness(page, "live");
  mock.push({ queues: [{ sid: "WQ-broken-1" }, { sid: "WQ-broken-2", friendlyName: null }] });
  await page.locator("[data-testid=freshness] button[data-tip*='2 queues unreadable']").waitFor();
  expect(await queues(page).count()).toBe(10);
  await freshnessButton(page).hover();
  expect(await tooltip(page).innerText()).toContain("2 queues unreadable, not shown");
  expect(complaints).toEqual([]);
});

it("storage of an older page does not stop it", async () => {
  const { page, complaints } = await open("/#/queues", {}, {}, (p) =>
    p.addInitScript(() => {
      localStorage.setItem("taskrouter-sync.queues.hidden", '{"wrapping":true}');
      localStorage.setItem("taskrouter-sync.queues.sort", "null");
      localStorage.setItem("taskrouter-sync.theme", "7");
    }),
  );
  await queues(page).nth(9).waitFor();
  expect(complaints).toEqual([]);
});

it("a sign-out that fails is said, and a view that is no view is the wallboard", async () => {
  const { page } = await open("/#/constructor");
  await freshness(page, "live");
  expect(await page.title()).toBe("Wallboard · Contact centre");
  await page.route("**/logout", (route) => route.abort());
  await page.getByRole("button", { name: "Sign out" }).click();
  await page
    .getByRole("alert")
    .getByText(/^Still signed in: Service unreachable/)
    .waitFor();
  await page.unroute("**/logout");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL("**/login");
});

it("a preview that fails never shows the result of an older formula", async () => {
  const { page } = await open();
  await page.locator("[data-metric=completed]").click();
  await page.fill("#formula", "40 + 2");
  await page.locator("#formula-help", { hasText: "= 42" }).waitFor();
  await page.route("**/api/definitions/preview", (route) => route.abort());
  await page.fill("#formula", "40 + 3");
  await page.locator("#formula-help", { hasText: "No preview: Service unreachable" }).waitFor();
  expect(await page.locator("#formula-help").innerText()).not.toContain("42");
  await page.getByRole("button", { name: "Save although it fails" }).waitFor();
});

it("a row keeps the keyboard's focus while others overtake it", async () => {
  const { page, mock } = await open("/#/queues", { queues: 200 });
  await freshness(page, "live");
  await page.getByRole("button", { name: "Waiting", exact: true }).click();
  await queues(page).first().locator("button[aria-expanded]").focus();
  const sid = () =>
    page.evaluate(() => document.activeElement?.closest("[data-sid]")?.getAttribute("data-sid"));
  const before = await sid();
  // Every other queue gets more tasks than this one.
  const items = mock.world.queues.map((queue) => {
    const item: QueueItem = mock.world.item(queue);
    const status = item.realTimeStats_all?.tasksByStatus;
    if (status && queue.sid !== before) status.pending = 500;
    return item;
  });
  mock.push({ queues: items });
  await page.locator("[data-column=pending]", { hasText: "500" }).first().waitFor();
  expect(await sid()).toBe(before);
  await page.keyboard.press("End");
  await page.locator("[role=row][aria-rowindex='201'] button:focus").waitFor();
});

/** Contrast of each text within an element with what is painted behind it (WCAG 2.2, 1.4.3). */
const contrasts = (page: Page, selector: string) =>
  page.evaluate((one) => {
    type Colour = [number, number, number, number];
    const parse = (text: string): Colour => {
      const [r = 0, g = 0, b = 0, a = 1] = (text.match(/[\d.]+/g) ?? []).map(Number);
      return [r, g, b, a];
    };
    const behind = (element: Element | null): Colour => {
      if (!element) return [255, 255, 255, 1];
      const own = parse(getComputedStyle(element).backgroundColor);
      if (own[3] >= 1) return own;
      const below = behind(element.parentElement);
      const mix = (n: 0 | 1 | 2) => own[n] * own[3] + below[n] * (1 - own[3]);
      return [mix(0), mix(1), mix(2), 1];
    };
    const luminance = ([r, g, b]: Colour) => {
      const [x = 0, y = 0, z = 0] = [r, g, b].map((v) => {
        const c = v / 255;
        return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    return [...document.querySelectorAll(one)].map((element) => {
      const style = getComputedStyle(element);
      const [front, back] = [luminance(parse(style.color)), luminance(behind(element))];
      const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
      const size = Number.parseFloat(style.fontSize);
      const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      const tile = element.closest("[data-style]")?.getAttribute("data-style");
      return { what: `${tile} ${element.textContent?.slice(0, 20)}`, ratio, least: large ? 3 : 4.5 };
    });
  }, selector);

describe("every preset", () => {
  for (const colorScheme of ["light", "dark"] as const) {
    for (const [where, path, selector] of [
      ["on the desk", "/", "[data-metric] [data-part]"],
      ["on a TV", "/?tv=1", "[data-part=pinned] [data-part]"],
    ] as const) {
      it(`can be read ${where}, ${colorScheme}`, async () => {
        const { page, mock } = await open(path, {}, { colorScheme, viewport: { width: 1920, height: 1080 } });
        await freshness(page, "live");
        const found: { what: string; ratio: number; least: number }[] = [];
        for (const style of PRESETS) {
          const [metric] = mock.world.metrics();
          const threshold = { level: 2, limit: 3, direction: "above" };
          mock.push({ metrics: [{ ...metric, name: "one", label: style.styleName, style, threshold }] });
          await page.locator(`[data-metric=one][data-style="${style.styleName}"]`).waitFor();
          found.push(...(await contrasts(page, selector)));
        }
        expect(found.length).toBeGreaterThanOrEqual(3 * PRESETS.length);
        expect(found.filter(({ ratio, least }) => ratio < least)).toEqual([]);
      });
    }
  }
});

it("a TV has the second sign from the metric alone, without reading definitions", async () => {
  const asked: string[] = [];
  const { page, mock } = await open("/?tv=1", {}, {}, async (p) => {
    p.on("request", (request) => asked.push(new URL(request.url()).pathname));
  });
  await page.locator("[data-metric]").first().waitFor();
  const metric = mock.world.metrics().find(({ name }) => name === "oldest");
  const push = (limit: number) =>
    mock.push({
      metrics: [
        { ...metric, value: 500, text: "00:08:20", threshold: { level: 2, limit, direction: "above" } },
      ],
    });
  push(180);
  await page.locator("[data-metric=oldest] [data-part=sign]", { hasText: "▲ over 3 min" }).waitFor();
  push(300);
  await page.locator("[data-metric=oldest] [data-part=sign]", { hasText: "▲ over 5 min" }).waitFor();
  expect(asked.filter((path) => path.startsWith("/api/definitions"))).toEqual([]);
});
