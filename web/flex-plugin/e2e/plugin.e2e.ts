/** The built plugin in the stand-in shell, beside the dashboard, on one emulator and the real service. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { launch } from "../../dashboard/e2e/browser.mjs";
import * as at from "../../dashboard/e2e/pages.ts";
import { EDITOR, Emulator, Service } from "../../dashboard/e2e/service/programs.ts";
import { Visitor } from "../../dashboard/e2e/service/visitor.ts";
import type { ShellConfig } from "../shell/manager.ts";
import { serveShell } from "./shellServer.ts";

const CALLER_ID = "+14155550100";
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let browser: Browser;
let emulator: Emulator;
let service: Service;
let shell: Awaited<ReturnType<typeof serveShell>>;
const configs = new Map<string, ShellConfig>();
const ends: (() => unknown)[] = [];

interface WorldView {
  workers: { sid: string; attributes: string; available: boolean }[];
  workflows: string[];
  tasks: { status: string; attributes: string; reservations: { worker: string; status: string }[] }[];
}
const world = () => emulator.control<WorldView>("GET", "/world");

beforeAll(async () => {
  browser = await launch();
  ends.push(() => browser.close());
  emulator = await Emulator.start();
  ends.push(emulator.stop);
  shell = await serveShell(emulator.url, configs);
  ends.push(shell.stop);
  service = await Service.start(emulator, {
    ALLOWED_ORIGINS: shell.url,
    FLEX_ROLES: "supervisor,admin",
    TWILIO_API_KEY: emulator.account.api_key_sid,
    TWILIO_API_SECRET: emulator.account.api_key_secret,
    TWILIO_OUTBOUND_WORKFLOW_SID: (await world()).workflows[0] ?? "",
    OUTBOUND_CALLER_IDS: CALLER_ID,
    OUTBOUND_PREFIXES: "+1500",
  });
  ends.push(() => service.stop());
});
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

/** A Flex user with a token that the emulator knows, and the shell's page opened as that user. */
async function flex(name: string, roles: string[], more: Partial<ShellConfig> = {}) {
  const { workers } = await world();
  const own = workers[configs.size];
  if (!own) throw new Error("no Worker left");
  const token = `a-flex-token-of-${name}`;
  await emulator.control("PUT", `/tokens/${token}`, { realm_user_id: name, roles, worker_sid: own.sid });
  configs.set(name, {
    service: service.url,
    token,
    identity: name,
    roles,
    worker: { sid: own.sid, contactUri: JSON.parse(own.attributes).contact_uri },
    ...more,
  });
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(`${shell.url}/${name}/`);
  return { page, complaints, worker: own.sid, token };
}

const banner = (page: Page) => page.getByTestId("banner");
const openRealtime = (page: Page, name = "Realtime") => page.getByRole("button", { name }).click();

async function findings(page: Page, scope: string): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async (selector) => {
    const { axe: tool } = window as unknown as {
      axe: { run(s: string): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    const { violations } = await tool.run(selector);
    return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
  }, scope);
}

const digits = (page: Page) =>
  page.evaluate(() =>
    [...document.querySelectorAll("[role=row][data-scope=all]")]
      .map((row) =>
        [
          row.getAttribute("data-sid"),
          ...["pending", "assigned", "handled", "agents"].map((column) =>
            row.querySelector(`[data-column=${column}]`)?.textContent?.trim(),
          ),
        ].join(" "),
      )
      .sort(),
  );

it("shows the dashboard's digits in the realtime view and in Flex's Queues View, and axe finds nothing", async () => {
  const desk = await Visitor.come(browser, emulator, service);
  await desk.signIn(EDITOR, "/#/queues");
  await at.freshness(desk.page, "live");
  const sue = await flex("sue", ["supervisor"]);
  const queue = (await emulator.control<{ queues: { sid: string }[] }>("GET", "/world")).queues[0]?.sid ?? "";
  await emulator.do("create_task", { queue, channel: "voice" });

  await sue.page.locator(`tr[data-queue=${queue}] [data-part=waiting]`).waitFor();
  await openRealtime(sue.page);
  await at.freshness(sue.page, "live", "feed");
  await expect.poll(() => digits(sue.page), { timeout: 20_000 }).toEqual(await digits(desk.page));
  const truth = (await emulator.truth()).queues[queue]?.realtime.tasks_by_status.pending;
  await expect
    .poll(() => sue.page.locator(`[data-sid=${queue}][data-scope=all] [data-column=pending]`).innerText())
    .toBe(String(truth));
  // A row opens by channel.
  await sue.page.locator(`[data-sid=${queue}][data-scope=all] button`).click();
  await sue.page.locator(`[data-sid=${queue}][data-scope=voice]`).waitFor();
  expect(await findings(sue.page, "[data-testid=realtime]")).toEqual([]);

  await sue.page.getByRole("button", { name: "Queues", exact: true }).click();
  await expect
    .poll(() => sue.page.locator(`tr[data-queue=${queue}] [data-part=waiting]`).innerText())
    .toBe(String(truth));
  expect(await findings(sue.page, "main")).toEqual([]);
  expect([...sue.complaints, ...desk.complaints]).toEqual([]);
  await sue.page.close();
  await desk.leave();
});

it("dials, connects the agent with the task, and hangs up", async () => {
  const { page, complaints, worker } = await flex("ada", ["agent"]);
  await page.getByRole("button", { name: "Dialpad" }).click();
  await page.getByLabel("Number", { exact: true }).fill("(500) 555-0006");
  expect(await findings(page, "header")).toEqual([]);
  await page.keyboard.press("Enter");
  const status = page.getByTestId("dial-status");
  await expect.poll(() => status.getAttribute("data-status"), { timeout: 20_000 }).toBe("queued");
  const calls = () => emulator.control<{ sid: string; to: string; status: string }[]>("GET", "/calls");
  await expect.poll(calls).toMatchObject([{ to: "+15005550006" }]);
  const [{ sid = "" } = {}] = await calls();
  await emulator.control("PUT", `/calls/${sid}`, { status: "ringing" });
  await expect.poll(() => status.innerText()).toBe("Ringing");
  await emulator.control("PUT", `/calls/${sid}`, { status: "in-progress" });
  await expect.poll(() => status.innerText()).toBe("Answered; connecting you");
  const accepted = async () => {
    const reservations = (await world()).tasks.flatMap((task) => task.reservations);
    return reservations.filter((one) => one.worker === worker).map((one) => one.status);
  };
  await expect.poll(accepted, { timeout: 20_000 }).toContain("accepted");
  await page.getByRole("button", { name: "Hang up" }).click();
  await expect.poll(() => status.innerText()).toBe("Call ended");
  await page.getByLabel("Number", { exact: true }).fill("+4930901820");
  await page.getByRole("button", { name: "Call", exact: true }).click();
  await page.getByRole("alert").filter({ hasText: /\S/ }).waitFor();
  expect(complaints).toEqual([]);
  await page.close();
});

it("a bad call ends in a notification, a line of the log and an alert on the dashboard", async () => {
  const desk = await Visitor.come(browser, emulator, service);
  await desk.signIn(EDITOR, "/#/voice");
  const attributes = { DeviceMonitoringPlugin: { alertAgent: true, endedInWarningIsTrigger: "true" } };
  const { page, complaints, worker } = await flex("bob", ["agent"], { attributes });
  await page.getByRole("button", { name: "Simulate a bad call" }).click();
  await page
    .getByRole("log")
    .filter({
      hasText: "Possible voice network quality issue detected: short call, call ended under warning",
    })
    .waitFor();
  await expect
    .poll(() => service.log.filter((line) => line.includes(worker) && line.includes("short call")).length, {
      timeout: 20_000,
    })
    .toBe(1);
  await desk.page.locator("tbody tr", { hasText: "bob" }).waitFor();
  expect([...complaints, ...desk.complaints]).toEqual([]);
  await page.close();
  await desk.leave();
});

it("says what is wrong: a token that ended, a role that may not see, a service that is gone and comes back", async () => {
  const max = await flex("max", ["supervisor"]);
  await openRealtime(max.page);
  await at.freshness(max.page, "live", "feed");

  await service.kill();
  await expect
    .poll(() => banner(max.page).getAttribute("data-trouble"), { timeout: 30_000 })
    .toBe("unreachable");
  await service.up();
  await at.freshness(max.page, "live", "feed");
  await expect.poll(() => banner(max.page).innerText()).toBe("");
  await max.page.close();

  const old = await flex("old", ["supervisor"]);
  await emulator.control("DELETE", `/tokens/${old.token}`);
  const other = await flex("other", ["supervisor"], { token: "no-token-of-this-account" });
  await openRealtime(other.page);
  await expect.poll(() => banner(other.page).getAttribute("data-trouble")).toBe("token");
  await emulator.control("PUT", "/tokens/a-renewed-token", { realm_user_id: "other", roles: ["supervisor"] });
  await other.page.evaluate(() =>
    (window as unknown as { shell: { setToken(t: string): void } }).shell.setToken("a-renewed-token"),
  );
  await at.freshness(other.page, "live", "feed");
  await expect.poll(() => banner(other.page).innerText()).toBe("");
  await other.page.close();
  await old.page.close();

  const eve = await flex("eve", ["agent"]);
  await eve.page.getByRole("button", { name: "Dialpad" }).waitFor();
  expect(await eve.page.getByRole("button", { name: "Realtime" }).count(), "agents have no link").toBe(0);
  await eve.page.close();
  // Flex calls her a supervisor, and Twilio does not.
  configs.set("mallory", { ...(configs.get("eve") as ShellConfig), roles: ["supervisor"] });
  const page = await browser.newPage();
  await page.goto(`${shell.url}/mallory/`);
  await openRealtime(page);
  await expect.poll(() => banner(page).getAttribute("data-trouble")).toBe("role");
  expect(await page.locator("[role=row][data-sid]").count()).toBe(0);
  await page.close();
});

it("reads the Sync Map through Flex's client while the service is gone, and says so, in German and dark", async () => {
  const headers = {
    authorization: `Basic ${Buffer.from(`${EDITOR.name}:${EDITOR.password}`).toString("base64")}`,
  };
  const { token } = await (await fetch(`${service.url}/api/token`, { headers })).json();
  const { sync } = await (await fetch(`${service.url}/api/session`, { headers })).json();
  const { page } = await flex("uwe", ["admin"], {
    language: "de-DE",
    dark: true,
    sync: { token, endpoint: sync.endpoint },
  });
  await openRealtime(page, "Echtzeit");
  await at.freshness(page, "live", "feed");
  await service.kill();
  await at.freshness(page, "live", "sync");
  await expect.poll(() => banner(page).innerText(), { timeout: 20_000 }).toContain("kommen aus Twilio Sync");
  expect(await at.queues(page).count()).toBeGreaterThan(0);
  expect(await findings(page, "[data-testid=realtime]")).toEqual([]);
  await service.up();
  await at.freshness(page, "live", "feed");
  await expect.poll(() => banner(page).innerText()).toBe("");
  await page.close();
});
