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

it("eight visible tabs share one stream: each is live, can send requests, and outlives the tab that came first", async () => {
  mock = await startMock({ dist: new URL("../../../dist/", import.meta.url), seed: 7, still: true });
  context = await browser.newContext();
  const pages = await Promise.all(Array.from({ length: TABS }, () => context.newPage()));
  for (const page of pages) {
    page.setDefaultTimeout(60_000);
    await page.goto(`${mock.url}/#/queues`);
  }
  for (const page of pages) await freshness(page, "live");
  await expect.poll(() => mock.streams(), { timeout: 60_000 }).toBe(1);
  const queue = mock.world.queues[0];
  if (!queue) throw new Error("the mock has no queues");
  const rename = (friendlyName: string) =>
    mock.push({ queues: [{ ...mock.world.item(queue), friendlyName }] });
  rename("Renamed");
  for (const page of pages) await queues(page).filter({ hasText: "Renamed" }).waitFor();
  const [first, second, ...rest] = pages;
  await second?.getByRole("link", { name: "Tasks" }).click();
  await second?.getByRole("heading", { name: /^Tasks \d/ }).waitFor();

  await first?.close();
  rename("Renamed again");
  await rest[0]?.getByText("Renamed again").waitFor();

  mock.refuse(true);
  for (const page of rest) await freshness(page, "offline");
  mock.refuse(false);
  for (const page of rest) await freshness(page, "live");

  mock.state.signedIn = false;
  mock.cut();
  for (const page of rest) await page.waitForURL("**/login");
  await expect.poll(() => mock.streams(), { timeout: 60_000 }).toBe(0);
}, 300_000);
