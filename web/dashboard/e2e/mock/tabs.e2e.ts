/** Several tabs and windows of one browser, all of them visible, over HTTP/1.1. */
import type { Browser, BrowserContext } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { startMock } from "../../mock/server.mjs";
import { launch } from "../browser.mjs";
import { freshness, queues } from "../pages.ts";
import type { Mock } from "./desk.ts";

const TABS = 8;
let browser: Browser;
let context: BrowserContext;
let mock: Mock;

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());
afterEach(async () => {
  await context.close();
  await mock.stop();
});

async function openTabs(path = "/") {
  mock = await startMock({ dist: new URL("../../../dist/", import.meta.url), seed: 7, still: true });
  context = await browser.newContext();
  const pages = [];
  for (let n = 0; n < TABS; n += 1) {
    const page = await context.newPage();
    await page.goto(mock.url + path);
    pages.push(page);
  }
  return pages;
}

it("eight visible tabs share one stream, each is live, and requests have connections left", async () => {
  const pages = await openTabs();
  for (const page of pages) await freshness(page, "live");
  await expect.poll(() => mock.streams(), { timeout: 20_000 }).toBe(1);
  const queue = mock.world.queues[0];
  if (!queue) throw new Error("the mock has no queues");
  mock.push({ queues: [{ ...mock.world.item(queue), friendlyName: "Renamed" }] });
  for (const page of pages) await queues(page).filter({ hasText: "Renamed" }).waitFor();
  const last = pages.at(-1);
  await last?.getByRole("link", { name: "Tasks" }).click();
  await last?.getByRole("heading", { name: /^Tasks \d/ }).waitFor();
  // The tab that came first, with whose help the stream was opened, may go.
  await pages[0]?.close();
  mock.push({ queues: [{ ...mock.world.item(queue), friendlyName: "Renamed again" }] });
  await pages[1]?.getByText("Renamed again").waitFor();
  for (const page of pages.slice(1)) await page.close();
  await expect.poll(() => mock.streams()).toBe(0);
});

it("each tab returns to the service when it was away, and goes to the sign-in form when the session has ended", async () => {
  const pages = await openTabs("/#/queues");
  for (const page of pages) await freshness(page, "live");
  mock.refuse(true);
  for (const page of pages) await freshness(page, "offline");
  mock.refuse(false);
  for (const page of pages) await freshness(page, "live");
  mock.state.signedIn = false;
  mock.cut();
  for (const page of pages) await page.waitForURL("**/login");
});
