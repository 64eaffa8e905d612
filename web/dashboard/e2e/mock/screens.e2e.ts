/** What each screen does by itself: a wall after an upgrade, a phone with queues first, a page before the service goes away. */
import { expect, it } from "vitest";
import { freshness, queues, TV_TILE } from "../pages.ts";
import { setUpDesks } from "./desk.ts";

const desks = setUpDesks();

const { open } = desks;

it("views are here before they are opened, for when the service is away", async () => {
  const fetched = new Set<string>();
  const { page, mock } = await open("/", {}, {}, async (p) => {
    p.on("requestfinished", (request) => {
      const view = /assets\/(Tasks|Agents|Queues|CallQuality)-/.exec(request.url())?.[1];
      if (view) fetched.add(view);
    });
  });
  await freshness(page, "live");
  await expect.poll(() => fetched.has("Tasks")).toBe(true);
  mock.refuse(true);
  await page.getByRole("link", { name: "Tasks" }).click();
  await page.getByRole("heading", { name: /^Tasks/ }).waitFor();
});

it("a TV reloads itself after an upgrade, and a desk does not", async () => {
  for (const [path, expected] of [
    ["/?tv=1", 2],
    ["/", 1],
  ] as const) {
    let documents = 0;
    let looks = 0;
    const { page } = await open(path, {}, {}, async (p) => {
      await p.clock.install();
      p.on("request", (request) => {
        if (request.isNavigationRequest()) documents += 1;
      });
      await p.route(/\/(\?.*)?$/, async (route) => {
        if (route.request().isNavigationRequest()) return route.continue();
        looks += 1;
        const response = await route.fetch();
        const body = (await response.text()).replace(/assets\/index-[\w-]+\.js/, "assets/index-upgraded.js");
        return route.fulfill({ response, body });
      });
    });
    await page
      .locator(path === "/" ? "[data-metric]" : TV_TILE)
      .first()
      .waitFor();
    const polled = page.waitForResponse((response) => response.url().endsWith("/api/session"));
    // The session is read every five minutes, and the build with it.
    await page.clock.fastForward(5 * 60_000 + 1000);
    await polled;
    if (expected > 1) await expect.poll(() => documents).toBe(expected);
    await page
      .locator(path === "/" ? "[data-metric]" : TV_TILE)
      .first()
      .waitFor();
    expect([documents, looks > 0]).toEqual([expected, expected > 1]);
    await desks.close();
  }
});

it("a phone shows the three most urgent queues before the tiles", async () => {
  const { page } = await open("/", {}, { viewport: { width: 390, height: 844 } });
  await freshness(page, "live");
  const urgent = page.getByRole("list", { name: "Most urgent queues" });
  await expect.poll(() => urgent.getByRole("listitem").count()).toBe(3);
  const top = async (locator: typeof urgent) => (await locator.boundingBox())?.y ?? Number.NaN;
  expect(await top(urgent)).toBeLessThan(await top(page.locator("[data-metric]").first()));
});

it("the service level sorts its worst to the top at the first click, other columns their most", async () => {
  const { page } = await open("/#/queues");
  await queues(page).nth(9).waitFor();
  const values = async (column: string) => {
    const texts = await page.locator(`[role=row][data-scope=all] [data-column=${column}]`).allInnerTexts();
    return texts.map((text) => Number.parseFloat(text)).filter(Number.isFinite);
  };
  const sla = await page
    .locator("[role=row][data-scope=all] [data-column^=sla]")
    .first()
    .getAttribute("data-column");
  const head = page
    .getByRole("columnheader")
    .filter({ hasText: /SLA|Service level/ })
    .first();
  await head.getByRole("button").click();
  expect(await head.getAttribute("aria-sort")).toBe("ascending");
  const levels = await values(sla ?? "");
  expect(levels.length).toBeGreaterThan(2);
  expect(levels).toEqual([...levels].sort((a, b) => a - b));
  await page
    .getByRole("columnheader")
    .getByRole("button", { name: /^Waiting/ })
    .click();
  const waiting = await values("pending");
  expect(waiting).toEqual([...waiting].sort((a, b) => b - a));
});

it("texts are in the page's own font, whatever the machine has", async () => {
  const { page } = await open("/");
  await freshness(page, "live");
  const shown = await page.evaluate(async () => {
    await document.fonts.ready;
    const loaded = [...document.fonts].filter((face) => face.status === "loaded").map((face) => face.family);
    return { loaded, first: getComputedStyle(document.body).fontFamily.split(",")[0] };
  });
  expect(shown.first).toContain("Inter Variable");
  expect(shown.loaded.some((family) => family.includes("Inter Variable"))).toBe(true);
});
