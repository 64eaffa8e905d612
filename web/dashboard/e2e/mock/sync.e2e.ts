/**
 * The built page on Twilio's own Sync SDK, unmodified, against the emulator's Sync, under the strict policy. It needs
 * the emulator's program: EMULATOR names it, or it stands in the repository's `target/debug`.
 */

import type { QueueItem } from "@taskrouter-sync/shared/api/types.ts";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startMock } from "../../mock/server.mjs";
import { emulatorProgram, metricDocuments, queueDocuments, startEmulator } from "../../mock/sync.mjs";
import { launch } from "../browser.mjs";

type Mock = Awaited<ReturnType<typeof startMock>>;
type Emulator = Awaited<ReturnType<typeof startEmulator>>;
type Layout = "map" | "documents";
const dist = new URL("../../../dist/", import.meta.url);
const program = emulatorProgram();
if (!program)
  console.warn("e2e/sync: skipped, there is no emulator (cargo build -p twilio-emulator, or EMULATOR)");

let browser: Browser;
let ends: (() => Promise<unknown>)[] = [];
let complaints: string[] = [];

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());
afterEach(async () => {
  for (const end of ends.reverse()) await end();
  ends = [];
});

async function write(emulator: Emulator, mock: Mock, layout: Layout): Promise<void> {
  await emulator.createMap(layout === "map" ? "queueStats" : "task-queues");
  const queues = [...mock.world.queues];
  while (queues.length > 0)
    await Promise.all(
      queues.splice(0, 20).map((queue) => writeQueue(emulator, mock.world.item(queue), layout)),
    );
  await emulator.putDocument("dashboard-data", { workspace_statistics: mock.world.workspace() });
  const documents = metricDocuments(mock.world.metrics());
  for (const { name, data } of documents) await emulator.putDocument(name, data);
  mock.state.metricsDocuments = documents.map(({ name }: { name: string }) => name);
}

async function writeQueue(emulator: Emulator, item: QueueItem, layout: Layout): Promise<void> {
  if (layout === "map") return emulator.putItem("queueStats", item.sid, item);
  const { entry, names, realtime, today } = queueDocuments(item);
  await emulator.putDocument(names.realtime, realtime);
  await emulator.putDocument(names.today, today);
  await emulator.putItem("task-queues", item.sid, entry);
}

async function open(layout: Layout = "map", path = "/#/queues", more: object = {}, tokenSeconds?: number) {
  const emulator = await startEmulator(program);
  ends.push(() => emulator.stop());
  const sync = {
    queues: layout === "map" ? { map: "queueStats" } : { index: "task-queues" },
    workspace: "dashboard-data",
    metrics: "dashboard-metrics",
    endpoint: emulator.endpoint,
  };
  let tokens = 0;
  const token = () => {
    tokens += 1;
    return emulator.token(tokens === 1 ? tokenSeconds : 7200);
  };
  const mock = await startMock({ dist, seed: 7, still: true, sync, token, ...more });
  ends.push(() => mock.stop());
  await write(emulator, mock, layout);
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  ends.push(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  complaints = [];
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) =>
      console.error(`CSP ${event.violatedDirective} ${event.blockedURI} ${event.sample}`),
    );
  });
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  const hosts = [mock.url, emulator.url];
  page.on("request", (request) => {
    if (!hosts.some((host) => request.url().startsWith(host))) complaints.push(`foreign ${request.url()}`);
  });
  await page.goto(mock.url + path);
  return { page, mock, emulator, tokens: () => tokens };
}

const via = (page: Page, way: "feed" | "sync") =>
  page.locator(`[data-testid=freshness][data-kind=live][data-via=${way}]`).waitFor({ state: "attached" });
const row = (page: Page, name: string) => page.locator("[role=row][data-scope=all]", { hasText: name });
const pending = (page: Page, name: string, text: string) =>
  row(page, name).locator("[data-column=pending]").getByText(text, { exact: true }).waitFor();

/** A queue's item with this number of waiting tasks; the mock's own world does not change. */
function waiting(mock: Mock, name: string, tasks: number) {
  const queue = mock.world.queues.find((one) => one.name === name);
  if (!queue) throw new Error(`no queue ${name}`);
  const item: QueueItem = mock.world.item(queue);
  const numbers = item.realTimeStats_all?.tasksByStatus;
  if (!numbers) throw new Error("no numbers");
  numbers.pending = tasks;
  return item;
}

describe.skipIf(!program)("through Twilio Sync", () => {
  for (const layout of ["map", "documents"] as const) {
    it(`queues come from the layout of ${layout}: changed, added, removed`, async () => {
      const { page, mock, emulator } = await open(layout);
      await via(page, "sync");
      expect(await page.locator("[role=row][data-scope=all]").count()).toBe(10);
      await writeQueue(emulator, waiting(mock, "Sales", 777), layout);
      await pending(page, "Sales", "777");
      const sid = `WQ${"f".repeat(32)}`;
      await writeQueue(emulator, { ...waiting(mock, "Sales", 1), sid, friendlyName: "Brand new" }, layout);
      await row(page, "Brand new").waitFor();
      await emulator.removeItem(layout === "map" ? "queueStats" : "task-queues", sid);
      await row(page, "Brand new").waitFor({ state: "detached" });
      await row(page, "Sales").locator("button[aria-expanded]").click();
      await page.locator("[role=row][data-scope=voice]").waitFor();
      expect(await row(page, "Claims").locator("[data-column=sla_60]").innerText()).toMatch(/^\d+%$/);
      expect(complaints).toEqual([]);
    });
  }

  it("tiles come from the Documents of metrics, also from their continuations, in order", async () => {
    const { page, mock, emulator } = await open("map", "/");
    await via(page, "sync");
    const names = () =>
      page.locator("[data-metric]").evaluateAll((all) => all.map((one) => one.getAttribute("data-metric")));
    expect(await names()).toEqual(Object.keys(mock.world.definitions));
    const metrics = mock.world
      .metrics()
      .map((metric) =>
        metric.name === "completed"
          ? { ...metric, value: 4242, text: "4242" }
          : metric.name === "waiting"
            ? { ...metric, value: null, text: "ERR" }
            : metric,
      );
    for (const { name, data } of metricDocuments(metrics)) await emulator.putDocument(name, data);
    await page.locator("[data-metric=completed] [data-part=value]", { hasText: "4242" }).waitFor();
    await page.locator("[data-metric=waiting] [data-part=error]", { hasText: "formula failed" }).waitFor();
    // One more Document, as the service's health tells.
    await emulator.putDocument("dashboard-metrics-3", {
      extra: { ...metrics[0], name: undefined, label: "Extra", text: "1", value: 1, position: 99 },
    });
    mock.state.metricsDocuments = [...mock.state.metricsDocuments, "dashboard-metrics-3"];
    await page.locator("[data-metric=extra]").waitFor();
    await via(page, "sync");
    expect((await names()).at(-1)).toBe("extra");
    expect(complaints).toEqual([]);
  });

  it("draws only the rows in sight of 1,000 queues at five updates a second", async () => {
    const { page, mock, emulator } = await open("map", "/#/queues", { queues: 1000 });
    await via(page, "sync");
    expect(await page.locator("[role=row][data-sid]").count()).toBeLessThan(60);
    const watched = page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          let total = 0;
          new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) total += entry.duration;
          }).observe({ type: "longtask" });
          setTimeout(() => resolve(total), 3000);
        }),
    );
    for (let n = 0; n < 15; n += 1) {
      const moved: QueueItem[] = mock.world.beat(20);
      await Promise.all(moved.map((item) => emulator.putItem("queueStats", item.sid, item)));
      await page.waitForTimeout(200);
    }
    const longTasks = await watched;
    console.log(`long tasks in 3 s with 1,000 queues through Sync: ${Math.round(longTasks)} ms`);
    expect(await page.locator("[role=row][data-sid]").count()).toBeLessThan(60);
    await writeQueue(emulator, waiting(mock, "Support 37", 999), "map");
    await page.getByRole("searchbox").fill("Support 37");
    await pending(page, "Support 37", "999");
    expect(complaints).toEqual([]);
  });

  it("goes by the feed while Sync is away, and back when it has caught up", async () => {
    const { page, mock, emulator } = await open();
    await via(page, "sync");
    await emulator.door(false);
    await via(page, "feed");
    mock.push({ queues: [waiting(mock, "Sales", 555)] });
    await pending(page, "Sales", "555");
    await writeQueue(emulator, waiting(mock, "Sales", 556), "map");
    await emulator.door(true);
    await via(page, "sync");
    await pending(page, "Sales", "556");
    await page.locator("[data-testid=freshness] button").hover();
    await page.locator("#provenance-tooltip", { hasText: "Source: Twilio Sync." }).waitFor();
  });

  it("goes by the feed while an object is gone, and opens it again", async () => {
    const { page, mock, emulator } = await open();
    await via(page, "sync");
    await emulator.removeMap("queueStats");
    await via(page, "feed");
    expect(await page.locator("[role=row][data-scope=all]").count()).toBe(10);
    await page.locator("[data-testid=freshness] button").hover();
    await page.locator("#provenance-tooltip", { hasText: "Sync has no Map `queueStats` (yet)" }).waitFor();
    await emulator.createMap("queueStats");
    await writeQueue(emulator, waiting(mock, "Sales", 333), "map");
    await via(page, "sync");
    await pending(page, "Sales", "333");
    expect(await page.locator("[role=row][data-scope=all]").count()).toBe(1);
  });

  it("renews its token before it ends, without leaving Sync", async () => {
    const { page, mock, emulator, tokens } = await open("map", "/#/queues", {}, 900);
    await via(page, "sync");
    expect(tokens()).toBe(1);
    await emulator.advance(900 - 170);
    await expect.poll(tokens, { timeout: 10_000 }).toBe(2);
    await writeQueue(emulator, waiting(mock, "Sales", 222), "map");
    await pending(page, "Sales", "222");
    expect(await page.locator("[data-via=sync]").count()).toBe(1);
  });

  it("says offline when the service, which writes to Sync, is silent", async () => {
    const { page, mock } = await open();
    await via(page, "sync");
    mock.refuse(true);
    await page
      .locator("[data-testid=freshness][data-kind=offline]")
      .waitFor({ state: "attached", timeout: 20_000 });
    await page.locator(".shell.stale").waitFor();
    mock.refuse(false);
    await page
      .locator("[data-testid=freshness][data-kind=live]")
      .waitFor({ state: "attached", timeout: 20_000 });
  });

  it("shows alerts about calls, which come with the service's health", async () => {
    const { page, mock } = await open("map", "/#/voice");
    await via(page, "sync");
    mock.world.alert();
    await page.locator(".voice tbody tr").waitFor();
    expect(complaints).toEqual([]);
  });

  it("stays on the feed when the address asks for it, and then loads no SDK", async () => {
    const loaded: string[] = [];
    const { page, tokens } = await open("map", "/?source=feed#/queues");
    await via(page, "feed");
    loaded.push(...(await page.evaluate(() => performance.getEntriesByType("resource").map((e) => e.name))));
    expect(loaded.filter((name) => name.includes("sync-sdk"))).toEqual([]);
    expect(tokens()).toBe(0);
  });

  it("paints its first content without waiting for Sync", async () => {
    const { page, emulator, mock } = await open("map", "/login");
    await emulator.door(false);
    await page.goto(`${mock.url}/#/queues`);
    await via(page, "feed");
    const painted = await page.evaluate(
      () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.POSITIVE_INFINITY,
    );
    console.log(`first contentful paint without Sync: ${Math.round(painted)} ms`);
    expect(await page.locator("[role=row][data-scope=all]").count()).toBe(10);
  });
});
