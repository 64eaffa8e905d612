/** The built plugin in the stand-in for Flex, beside the dashboard, on one emulator and the real service. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import * as at from "../../dashboard/e2e/pages.ts";
import { EDITOR } from "../../dashboard/e2e/service/programs.ts";
import { UNANSWERED, Visitor } from "../../dashboard/e2e/service/visitor.ts";
import { Site } from "./site.ts";

const CALLER_ID = "+14155550100";
const REFUSED = /^Failed to load resource: .* 40[13] /;

const site = new Site();
beforeAll(() => site.start({ OUTBOUND_CALLER_IDS: CALLER_ID, OUTBOUND_PREFIXES: "+1500" }));
afterAll(() => site.stop());

const desk = async (path: string) => {
  const visitor = await Visitor.come(site.browser, site.emulator, site.service);
  await visitor.signIn(EDITOR, path);
  return visitor;
};

/** Without the oldest task's age: each page counts that by its own estimate of the service's clock. */
const COLUMNS = ["pending", "reserved", "assigned", "sla_30", "handled", "agents"];

/** The queue table, row by row, by queue and channel. */
const tableOf = (page: Page) =>
  page.evaluate(
    (columns) =>
      [...document.querySelectorAll("[role=row][data-sid]")]
        .map((row) =>
          [row.getAttribute("data-sid"), row.getAttribute("data-scope")]
            .concat(columns.map((id) => row.querySelector(`[data-column=${id}]`)?.textContent?.trim() ?? "-"))
            .join(" "),
        )
        .sort(),
    COLUMNS,
  );
const tilesOf = (page: Page) =>
  page.evaluate(() =>
    [...document.querySelectorAll("[data-metric]:not([data-metric=oldest-task])")].map(
      (tile) =>
        `${tile.getAttribute("data-metric")} ${tile.querySelector("[data-part=value]")?.textContent?.trim()}`,
    ),
  );

it("shows the dashboard's digits in the realtime view and in Flex's Queues View, and axe finds nothing", async () => {
  const dashboard = await desk("/#/queues");
  const sue = await site.open("sue", ["supervisor"]);
  const queue = (await site.centre()).queues[0]?.sid ?? "";
  await site.emulator.do("create_task", { queue, channel: "voice" });
  const truth = async () =>
    String((await site.emulator.truth()).queues[queue]?.realtime.tasks_by_status.pending);

  await sue.openRealtime();
  await at.freshness(sue.page, "live", "feed");
  const pending = (page: Page) =>
    page.locator(`[data-sid=${queue}][data-scope=all] [data-column=pending]`).innerText();
  await expect.poll(() => pending(sue.page)).toBe(await truth());
  // A row opens by channel.
  for (const { page } of [sue, dashboard]) {
    await page.locator(`[data-sid=${queue}][data-scope=all] button[aria-expanded]`).click();
    await page.locator(`[data-sid=${queue}][data-scope=voice]`).waitFor();
  }
  // An event reaches the two at different moments: they are read until both have it.
  const differences = async (read: (page: Page) => Promise<string[]>) => {
    const [ours, theirs] = await Promise.all([read(sue.page), read(dashboard.page)]);
    if (theirs.length === 0) return ["nothing is shown yet"];
    return [...ours.filter((row) => !theirs.includes(row)), ...theirs.filter((row) => !ours.includes(row))];
  };
  await expect.poll(() => differences(tableOf)).toEqual([]);
  await dashboard.page.goto(`${site.service.url}/#/`);
  await expect.poll(() => differences(tilesOf)).toEqual([]);
  expect(await sue.findings("[data-testid=realtime]")).toEqual([]);

  const table = await tableOf(sue.page);
  await sue.link("Queues").click();
  await expect
    .poll(() => sue.page.locator(`tr[data-queue=${queue}] [data-part=waiting]`).innerText())
    .toBe(await truth());
  for (const { sid } of (await site.centre()).queues) {
    const [, , waiting] = table.find((row) => row.startsWith(`${sid} all `))?.split(" ") ?? [];
    expect(await sue.page.locator(`tr[data-queue=${sid}] [data-part=waiting]`).innerText()).toBe(waiting);
  }
  const { queues } = await site.emulator.truth();
  const pendings = Object.values(queues).map(({ realtime }) => realtime.tasks_by_status.pending ?? 0);
  const total = pendings.reduce((sum, one) => sum + one, 0);
  await expect.poll(() => sue.page.locator("[data-part=tile-waiting]").innerText()).toBe(String(total));
  expect(await sue.findings("main")).toEqual([]);
  expect([...sue.complained(), ...dashboard.complaints]).toEqual([]);
  await sue.leave();
  await dashboard.leave();
});

it("remembers the columns of each user of a browser", async () => {
  const ann = await site.open("ann", ["supervisor"]);
  const bob = await site.open("bob", ["supervisor"]);
  const handled = () => ann.page.getByRole("columnheader").filter({ hasText: "Handled" });
  const enter = async (name: string) => {
    await ann.page.goto(new URL(`../${name}/`, ann.page.url()).href);
    await ann.openRealtime();
    await at.freshness(ann.page, "live", "feed");
  };
  await enter("ann");
  await expect.poll(() => handled().count()).toBe(1);
  await ann.page.getByText("Columns", { exact: true }).click();
  await ann.page.getByRole("checkbox", { name: "Handled" }).uncheck();
  await expect.poll(() => handled().count()).toBe(0);
  await enter("bob");
  await expect.poll(() => handled().count()).toBe(1);
  await enter("ann");
  await expect.poll(() => handled().count()).toBe(0);
  expect([...ann.complained(), ...bob.complained()]).toEqual([]);
  await ann.leave();
  await bob.leave();
});

it("dials, connects the agent with the task, and hangs up", async () => {
  const ada = await site.open("ada", ["agent"]);
  const { page, worker } = ada;
  await page.getByRole("button", { name: "Dialpad" }).click();
  await page.getByLabel("Number", { exact: true }).fill("(500) 555-0006");
  expect(await ada.findings("header")).toEqual([]);
  await page.keyboard.press("Enter");
  const status = page.getByTestId("dial-status");
  await expect.poll(() => status.getAttribute("data-status")).toBe("queued");
  const calls = () => site.emulator.control<{ sid: string; to: string; status: string }[]>("GET", "/calls");
  await expect.poll(calls).toMatchObject([{ to: "+15005550006" }]);
  const [{ sid = "" } = {}] = await calls();
  await site.emulator.control("PUT", `/calls/${sid}`, { status: "ringing" });
  await expect.poll(() => status.innerText()).toBe("Ringing");
  await site.emulator.control("PUT", `/calls/${sid}`, { status: "in-progress" });
  await expect.poll(() => status.innerText()).toBe("Answered; connecting you");
  const reservations = async () =>
    (await site.centre()).tasks
      .flatMap((task) => task.reservations)
      .filter((one) => one.worker === worker)
      .map((one) => one.status);
  await expect.poll(reservations).toContain("accepted");
  await page.getByRole("button", { name: "Hang up" }).click();
  await expect.poll(() => status.innerText()).toBe("Call ended");
  await expect.poll(calls).toMatchObject([{ sid, status: "completed" }]);

  await page.getByLabel("Number", { exact: true }).fill("+4930901820");
  await page.getByRole("button", { name: "Call", exact: true }).click();
  await page.getByRole("alert").filter({ hasText: "may not be called from here" }).waitFor();
  expect(await calls(), "a number outside OUTBOUND_PREFIXES is not called").toHaveLength(1);
  expect(ada.complained()).toEqual([]);
  await ada.leave();
});

it("a bad call ends in a notification, a line of the log and an alert on the dashboard", async () => {
  const dashboard = await desk("/#/voice");
  const attributes = { DeviceMonitoringPlugin: { alertAgent: true, endedInWarningIsTrigger: "true" } };
  const ben = await site.open("ben", ["agent"], { attributes });
  await ben.page.getByRole("button", { name: "Simulate a bad call" }).click();
  await ben.page
    .getByRole("log")
    .filter({
      hasText: "Possible voice network quality issue detected: short call, call ended under warning",
    })
    .waitFor();
  await expect
    .poll(() => site.service.log.filter((line) => line.includes(ben.worker) && line.includes("short call")))
    .toHaveLength(1);
  await dashboard.page.locator("tbody tr", { hasText: "ben" }).waitFor();
  expect([...ben.complained(), ...dashboard.complaints]).toEqual([]);
  await ben.leave();
  await dashboard.leave();
});

it("says that the service is gone, and is live again after its restart", async () => {
  const max = await site.open("max", ["supervisor"]);
  await max.openRealtime();
  await at.freshness(max.page, "live", "feed");
  await site.service.kill();
  await expect.poll(max.trouble).toBe("unreachable");
  expect(await at.queues(max.page).count(), "the last numbers stay in sight").toBeGreaterThan(0);
  expect(await max.findings("[data-testid=realtime]")).toEqual([]);
  await site.service.up();
  await at.freshness(max.page, "live", "feed");
  await expect.poll(() => max.banner().innerText()).toBe("");
  expect(max.complained([UNANSWERED])).toEqual([]);
  await max.leave();
});

it("says that the token expired, and is live again with the one that Flex renews", async () => {
  const tim = await site.open("tim", ["supervisor"]);
  await tim.openRealtime();
  await at.freshness(tim.page, "live", "feed");
  await site.revokeToken(tim.token);
  // The feed opens again, and the service asks Twilio about the token.
  await site.service.kill();
  await site.service.up();
  await expect.poll(tim.trouble).toBe("token");
  await site.issueToken("a-renewed-token", "tim", ["supervisor"]);
  await tim.renewToken("a-renewed-token");
  await at.freshness(tim.page, "live", "feed");
  await expect.poll(() => tim.banner().innerText()).toBe("");
  expect(tim.complained([UNANSWERED, REFUSED])).toEqual([]);
  await tim.leave();
});

it("shows a user without the role nothing, whatever Flex believes of the user", async () => {
  const eve = await site.open("eve", ["agent"]);
  await eve.page.getByRole("button", { name: "Dialpad" }).waitFor();
  expect(await eve.link().count(), "agents have no link").toBe(0);
  // Flex calls her a supervisor, and Twilio does not.
  const mallory = await site.open("mallory", ["agent"], { roles: ["supervisor"] });
  await mallory.openRealtime();
  await expect.poll(mallory.trouble).toBe("role");
  expect(await at.rows(mallory.page).count()).toBe(0);
  expect(await mallory.page.locator("[data-metric]").count()).toBe(0);
  expect(await mallory.findings("[data-testid=realtime]")).toEqual([]);
  expect([...eve.complained(), ...mallory.complained([REFUSED])]).toEqual([]);
  await eve.leave();
  await mallory.leave();
});

it("reads the Sync Map through Flex's client while the service is gone, and says so, in German and dark", async () => {
  const { name, password } = EDITOR;
  const headers = { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}` };
  const { token } = await (await fetch(`${site.service.url}/api/token`, { headers })).json();
  const { sync } = await (await fetch(`${site.service.url}/api/session`, { headers })).json();
  const uwe = await site.open("uwe", ["admin"], {
    language: "de-DE",
    dark: true,
    sync: { token, endpoint: sync.endpoint },
  });
  await uwe.openRealtime("Echtzeit");
  await at.freshness(uwe.page, "live", "feed");
  await site.service.kill();
  await at.freshness(uwe.page, "live", "sync");
  await expect.poll(() => uwe.banner().innerText()).toContain("kommen aus Twilio Sync");
  expect(await at.queues(uwe.page).count()).toBeGreaterThan(0);
  expect(await uwe.findings("[data-testid=realtime]")).toEqual([]);
  await site.service.up();
  await at.freshness(uwe.page, "live", "feed");
  await expect.poll(() => uwe.banner().innerText()).toBe("");
  await uwe.leave();
});
