/** The history as the service stores it, over a simulated contact centre: curve, report, CSV and replay on its page. */
import { readFile } from "node:fs/promises";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { launch } from "../browser.mjs";
import { cell, freshness, part, tile } from "../pages.ts";
import { EDITOR, Emulator, Service, VIEWER } from "./programs.ts";
import { Visitor } from "./visitor.ts";

/** Everything waits for a condition; this is only when to give up. */
const PATIENCE = { timeout: 90_000 };

let browser: Browser;
let emulator: Emulator;
let service: Service;

/** A zone in which it is about one in the afternoon: a day that has rows already, and doesn't end meanwhile. */
function middayZone(): string {
  const west = new Date().getUTCHours() - 13;
  return west < 0 ? `Etc/GMT${west}` : `Etc/GMT+${west}`;
}

beforeAll(async () => {
  browser = await launch();
  emulator = await Emulator.start("--queues", "6", "--workers", "20", "--history", "30", "--seed", "5");
  service = await Service.start(emulator, {
    HISTORY_URL: "sqlite:history.db",
    DASHBOARD_TIMEZONE: middayZone(),
    REALTIME_INTERVAL: "1s",
    CUMULATIVE_INTERVAL: "2s",
  });
});
afterAll(async () => {
  await browser?.close();
  await service?.stop();
  await emulator?.stop();
});

it("shows what happened as a curve, in a report, as CSV, and again as it was", async () => {
  const visitor = await Visitor.come(browser, emulator, service);
  const { page } = visitor;
  await visitor.signIn(VIEWER, "/#/queues");
  await freshness(page, "live");
  const sales = await emulator.queue("Sales");
  const pending = async () => (await emulator.truth()).queues[sales]?.realtime.tasks_by_status.pending;
  for (let n = 0; n < 3; n += 1) await emulator.do("create_task", { queue: sales, channel: "voice" });
  const inTable = () => cell(page, "Sales", "pending").innerText();
  await expect.poll(async () => Number(await inTable()) === (await pending()), PATIENCE).toBe(true);

  // The curve ends where the table is.
  await page.getByRole("button", { name: "Day curve of Sales", exact: true }).click();
  const slider = page.getByRole("slider", { name: "Time", exact: true });
  await slider.waitFor();
  const latest = async () => {
    // The day before and back: the day is read again.
    await page.getByRole("button", { name: "Day before" }).click();
    await page.getByRole("button", { name: "Day after" }).click();
    return (await slider.getAttribute("aria-valuetext").catch(() => "")) ?? "";
  };
  // The curve counts those that are offered too. Its last point is up to a minute old.
  let waiting = "";
  const agree = async () => {
    waiting = await inTable();
    const offered = await cell(page, "Sales", "reserved").innerText();
    return (await latest()).includes(`Today ${Number(waiting) + Number(offered)},`);
  };
  await expect.poll(agree, { ...PATIENCE, interval: 2000 }).toBe(true);
  const then = Date.now();
  await page.keyboard.press("Escape");

  // The report counts them, and its CSV is the service's.
  await page.getByRole("link", { name: "Report", exact: true }).click();
  const entered = page.locator("[role=row][data-part=total] [data-column=entered]");
  await entered.waitFor();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "CSV", exact: true }).click(),
  ]);
  const [head, ...lines] = (await readFile(await download.path(), "utf8")).trim().split("\r\n");
  const columns = head?.split(",") ?? [];
  const total = lines.reduce((sum, line) => sum + Number(line.split(",")[columns.indexOf("entered")]), 0);
  expect(Number((await entered.innerText()).replaceAll(",", ""))).toBe(total);
  expect(columns).toContain("wait_mean_s");

  // Three tasks are cancelled; a moment before them shows them waiting.
  const { tasks } = await emulator.world();
  for (const task of tasks.filter(({ queue, status }) => queue === sales && status === "pending"))
    await emulator.do("cancel", { task: task.sid });
  await page.getByRole("link", { name: "Queues", exact: true }).click();
  await expect.poll(() => cell(page, "Sales", "pending").innerText(), PATIENCE).toBe("0");
  await page.evaluate((moment) => {
    location.hash = `#/replay?at=${moment}`;
  }, new Date(Math.floor(then / 1000) * 1000).toISOString());
  const band = page.getByTestId("replay-band");
  await band.getByText("Replay, not now").waitFor();
  await band.getByRole("button", { name: "Queues" }).click();
  await expect.poll(() => cell(page, "Sales", "pending").innerText(), PATIENCE).toBe(waiting);
  await band.getByRole("button", { name: "Wallboard" }).click();
  await part(page, "tasks-waiting", "value").waitFor();
  await band.getByRole("link", { name: "Back to now" }).click();
  await freshness(page, "live");
  expect(visitor.complaints).toEqual([]);
  await visitor.leave();
});

it("replays tiles by the definitions of then, without any right to change them", async () => {
  const visitor = await Visitor.come(browser, emulator, service);
  const { page } = visitor;
  await visitor.signIn(EDITOR);
  await freshness(page, "live");
  const shown = tile(page, "tasks-waiting").getByText("Tasks Waiting", { exact: true });
  await shown.waitFor();
  const then = Math.floor(Date.now() / 1000);
  const { request } = page.context();
  const stored = async () => {
    const moment = await (await request.get(`${service.url}/api/history/at?time=${then}`)).json();
    return moment.tiles.some(({ name }: { name: string }) => name === "tasks-waiting");
  };
  await expect.poll(stored, PATIENCE).toBe(true);
  const { csrfToken } = await (await request.get(`${service.url}/api/session`)).json();
  const definitions = await (await request.get(`${service.url}/api/definitions`)).json();
  const renamed = { metric: { ...definitions["tasks-waiting"].metric, label: "Callers" } };
  const saved = await request.post(`${service.url}/api/save`, {
    data: { "tasks-waiting": renamed },
    headers: { "X-CSRF-Token": csrfToken },
  });
  expect(saved.status()).toBe(200);
  await tile(page, "tasks-waiting").getByText("Callers", { exact: true }).waitFor();
  await page.evaluate((moment) => {
    location.hash = `#/replay?at=${moment}`;
  }, new Date(then * 1000).toISOString());
  await page.getByTestId("replay-band").waitFor();
  await shown.waitFor();
  expect(await page.getByRole("button", { name: /Add metric|Arrange/ }).count()).toBe(0);
  expect(visitor.complaints).toEqual([]);
  await visitor.leave();
});

it("shows the time in which the service was killed as a gap", async () => {
  const visitor = await Visitor.come(browser, emulator, service);
  const { page } = visitor;
  await visitor.signIn(VIEWER, "/#/queues");
  await freshness(page, "live");
  const lastSample = async () => {
    const now = Math.floor(Date.now() / 1000);
    const curve = await page.evaluate(
      async (path) => (await fetch(path)).json(),
      `api/history/queues/${await emulator.queue("Sales")}?from=${now - 300}&to=${now}&step=10`,
    );
    return curve.times.at(-1) as number;
  };
  const before = await lastSample();
  await service.kill();
  // Samples are taken every five seconds: some of them are missing.
  await expect.poll(() => Date.now() / 1000 - before, { ...PATIENCE, interval: 1000 }).toBeGreaterThan(40);
  await service.up();
  await freshness(page, "live");
  visitor.forgiveUnanswered();
  await expect.poll(lastSample, { ...PATIENCE, interval: 2000 }).toBeGreaterThan(before + 40);
  await page.getByRole("button", { name: "Day curve of Sales", exact: true }).click();
  const gaps = page.getByRole("list", { name: "Gaps" }).locator("li");
  // One before the first start, one since the kill.
  await expect
    .poll(
      async () => (await gaps.allInnerTexts()).filter((text) => /not running/.test(text)).length,
      PATIENCE,
    )
    .toBe(2);
  await page.evaluate((moment) => {
    location.hash = `#/replay?at=${moment}`;
  }, new Date((before + 25) * 1000).toISOString());
  await page.getByText(/No record from .*: the service was not running/).waitFor();
  await visitor.leave();
});
