/** The page as the service serves it, over a simulated contact centre: through Twilio's Sync SDK, and by the feed. */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { violations } from "../accessibility.ts";
import { launch } from "../browser.mjs";
import { freshness as light, queue as row, TV_VALUE, tile } from "../pages.ts";
import { EDITOR, Emulator, Service, VIEWER } from "./programs.ts";
import { Visitor } from "./visitor.ts";

/** Everything waits for a condition; this is only when to give up. */
const PATIENCE = { timeout: 20_000 };
const TV = { viewport: { width: 1920, height: 1080 } };

let browser: Browser;
let emulator: Emulator;
let service: Service;
let visitors: Visitor[] = [];

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());
afterEach(async () => {
  const complaints = visitors.flatMap((visitor) => visitor.complaints);
  for (const visitor of visitors) await visitor.leave();
  visitors = [];
  expect(complaints, "what browsers complained about").toEqual([]);
});

async function visit(account = EDITOR, path = "/", options: BrowserContextOptions = {}): Promise<Visitor> {
  const visitor = await Visitor.come(browser, emulator, service, options);
  visitors.push(visitor);
  await visitor.signIn(account, path);
  return visitor;
}

const text = (page: Page, name: string) => tile(page, name).locator("[data-part=value]").innerText();

/** `04:12` or `01:04:12`. */
const inSeconds = (shown: string) =>
  shown
    .split(":")
    .map(Number)
    .reduce((sum, part) => sum * 60 + part, 0);

/** What the tiles must say, from the centre itself. */
async function truth(): Promise<Record<string, string>> {
  const { workspace, queues } = await emulator.truth();
  const { tasks_by_status: tasks, activity_statistics } = workspace.realtime;
  const workers = (name: RegExp) =>
    activity_statistics.filter((a) => name.test(a.friendly_name)).reduce((n, a) => n + a.workers, 0);
  const stranded = Object.values(queues).filter(
    ({ realtime }) => realtime.tasks_by_status.pending > 0 && realtime.total_available_workers === 0,
  );
  return {
    "tasks-waiting": `${tasks.pending}`,
    "tasks-in-progress": `${tasks.assigned + tasks.wrapping}`,
    "tasks-canceled": `${workspace.cumulative.tasks_canceled}`,
    "tasks-completed": `${workspace.cumulative.tasks_completed}`,
    "agents-available": `${workers(/^Available$/)}`,
    "agents-busy": `${workers(/^(Busy|Break|Wrap up)$/)}`,
    "agents-offline": `${workers(/^Offline$/)}`,
    "queues-without-agents": `${stranded.length}`,
  };
}

/** The same as the page shows it. */
const shown = (page: Page, names: string[]) =>
  Promise.all(names.map(async (name) => [name, await text(page, name)] as const)).then(Object.fromEntries);

async function follows(page: Page): Promise<void> {
  const names = Object.keys(await truth());
  const same = async () => ({ shown: await shown(page, names), truth: await truth() });
  await expect
    .poll(() => same().then((both) => JSON.stringify(both.shown) === JSON.stringify(both.truth)), PATIENCE)
    .toBe(true);
}

const ways = {
  sync: () => ({
    TWILIO_API_KEY: emulator.account.api_key_sid,
    TWILIO_API_SECRET: emulator.account.api_key_secret,
  }),
  feed: () => ({}),
} as const;

describe.each(["sync", "feed"] as const)("by %s", (way) => {
  beforeAll(async () => {
    emulator = await Emulator.start("--queues", "6", "--workers", "20", "--history", "30", "--seed", "5");
    // Viewers get a Sync token only while access control is on.
    if (way === "sync") await emulator.control("PUT", "/sync/acl", { enabled: true });
    service = await Service.start(emulator, ways[way]());
  });
  afterAll(async () => {
    await service?.stop();
    await emulator?.stop();
  });

  it("tiles and rows equal the centre's truth, and follow it", async () => {
    const { page } = await visit();
    await light(page, "live", way);
    await follows(page);
    for (let round = 0; round < 3; round += 1) {
      await emulator.do("step", { times: 60 });
      await follows(page);
      const { queues } = await emulator.truth();
      for (const { sid, friendly_name } of (await emulator.world()).queues) {
        await expect
          .poll(() => row(page, friendly_name).locator("[data-column=pending]").innerText(), PATIENCE)
          .toBe(`${queues[sid]?.realtime.tasks_by_status.pending}`);
      }
    }
    const age = async () => {
      const shownAge = inSeconds(await text(page, "oldest-task"));
      const { workspace } = await emulator.truth();
      return Math.abs(shownAge - workspace.realtime.longest_task_waiting_age);
    };
    await expect.poll(age, PATIENCE).toBeLessThanOrEqual(2);
  });

  it("a change of state in the centre appears on the page, by this way alone", async () => {
    const { page } = await visit();
    if (way === "sync") {
      // A shared worker's requests can't be stopped from here: this page reads a stream of its own.
      await page.addInitScript(() => Reflect.deleteProperty(globalThis, "SharedWorker"));
      await page.reload();
    }
    await light(page, "live", way);
    if (way === "sync") {
      // Nothing can come by the feed any more: what appears now, Twilio's unmodified SDK has brought.
      await page.route("**/api/feed*", (route) => route.abort());
    }
    await page.locator("[data-testid=freshness] button").hover();
    await page.locator("#provenance-tooltip").waitFor();
    expect(await page.locator("#provenance-tooltip").innerText()).toContain(
      way === "sync" ? "Source: Twilio Sync." : "no API key is configured for Twilio Sync",
    );
    const before = await truth();
    const worker = (await emulator.world()).workers.find(({ activity }) => activity === "Available");
    await emulator.do("set_activity", { worker: worker?.sid, activity: "Offline" });
    await tile(page, "agents-offline")
      .locator("[data-part=value]", { hasText: new RegExp(`^${Number(before["agents-offline"]) + 1}$`) })
      .waitFor();
    await emulator.do("create_task", { queue: await emulator.queue("Sales"), channel: "voice", age: 700 });
    await tile(page, "tasks-waiting")
      .locator("[data-part=value]", { hasText: new RegExp(`^${Number(before["tasks-waiting"]) + 1}$`) })
      .waitFor();
    await follows(page);
    await light(page, "live", way);
  });

  it("an agent's details name the queues that the centre has the agent in, and follow new skills", async () => {
    const sid = await emulator.do("add_worker", {
      name: "Nina",
      activity: "Available",
      attributes: { skills: ["billing"] },
    });
    const named = async () => {
      const { workers, queues } = await emulator.world();
      const own = workers.find((worker) => worker.sid === sid)?.queues ?? [];
      const names = queues.filter((queue) => own.includes(queue.sid)).map((queue) => queue.friendly_name);
      return `Eligible for ${names.sort((a, b) => a.localeCompare(b)).join(", ")}`;
    };
    expect(await named()).toBe("Eligible for Billing");
    const { page } = await visit(VIEWER, "/#/agents");
    await page.getByRole("button", { name: "Nina" }).click(PATIENCE);
    await page.getByText(await named(), { exact: true }).waitFor(PATIENCE);
    await emulator.do("set_worker_attributes", {
      worker: sid,
      attributes: { skills: ["billing", "support"] },
    });
    expect(await named()).toBe("Eligible for Billing, Support");
    await page.getByRole("button", { name: "Nina" }).click();
    await page.getByRole("button", { name: "Nina" }).click();
    await page.getByText(await named(), { exact: true }).waitFor(PATIENCE);
  });

  it("ages count up without any event", async () => {
    const { page } = await visit();
    await light(page, "live", way);
    await emulator.do("create_task", { queue: await emulator.queue("Billing"), channel: "voice", age: 5000 });
    const seconds = async () => inSeconds(await text(page, "oldest-task"));
    await expect.poll(seconds, PATIENCE).toBeGreaterThanOrEqual(5000);
    // Readings after the event have come to an end.
    let told = "";
    const readAt = async () => (await tile(page, "oldest-task").getAttribute("data-as-of")) ?? "";
    const settled = async () => {
      const before = told;
      told = await readAt();
      return told === before;
    };
    await expect.poll(settled, { ...PATIENCE, interval: 1500 }).toBe(true);
    const start = await seconds();
    await expect.poll(seconds, PATIENCE).toBeGreaterThan(start + 2);
    expect(await readAt()).toBe(told);
  });

  it("a threshold that an editor sets colours the tile, after a reload and on other screens", async () => {
    const wall = await visit(VIEWER);
    const { page } = await visit();
    await light(wall.page, "live", way);
    await light(page, "live", way);
    const colour = (p: Page) =>
      tile(p, "tasks-completed").evaluate((element) => getComputedStyle(element).background);
    const plain = await colour(page);
    await tile(page, "tasks-completed").click();
    await page.fill("#firstThresholdValue", "-1");
    await tile(page, "tasks-completed").locator("[data-part=sign]", { hasText: "over -1" }).waitFor();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("“Handled Today” saved.").waitFor();
    const warned = page.locator("[data-metric=tasks-completed][data-style=Warn]");
    await warned.waitFor();
    expect(await colour(page)).not.toBe(plain);
    const there = wall.page.locator("[data-metric=tasks-completed][data-style=Warn]");
    await there.waitFor();
    expect(await colour(wall.page)).toBe(await colour(page));
    await page.reload();
    await warned.waitFor();
    await tile(page, "tasks-completed").locator("[data-part=sign]", { hasText: "over -1" }).waitFor();
    await tile(page, "tasks-completed").click();
    await page.fill("#firstThresholdValue", "");
    await page.getByRole("button", { name: "Save" }).click();
    await there.waitFor({ state: "detached" });
    expect(await colour(wall.page)).toBe(plain);
  });

  it("a formula's failure is said on its tile, and one that cannot be read is refused with its place", async () => {
    const editor = await visit();
    const { page } = editor;
    await light(page, "live", way);
    const add = async (label: string, formula: string, format: string) => {
      await page.getByRole("button", { name: "Add metric" }).click();
      await page.fill("#label", label);
      await page.fill("#formula", formula);
      await page.selectOption("#format", format);
    };
    await add("Broken", "data.queues[99].friendlyName", "");
    await page.getByRole("button", { name: "Add although it fails" }).click();
    await tile(page, "broken").locator("[data-part=value]", { hasText: /^ERR$/ }).waitFor();
    await add("Unfit", "'soon'", "seconds");
    await page.getByRole("button", { name: "Add although it fails" }).click();
    await tile(page, "unfit")
      .locator("[data-part=value]", { hasText: /^ERR FMT$/ })
      .waitFor();
    // The others are as right as before.
    await follows(page);

    await tile(page, "broken").click();
    await page.fill("#formula", "1 +\n  data.workspace. + 2");
    const error = page.locator("#formula-help");
    await error.getByText(/line 2, column \d+: /).waitFor();
    // The browser itself writes down that a save was refused.
    const refused = page.waitForResponse((answer) => answer.url().endsWith("/api/save"));
    await page.getByRole("button", { name: "Save although it fails" }).click();
    expect((await refused).status()).toBe(422);
    await expect.poll(() => editor.complaints.splice(0).join(), PATIENCE).toMatch(/status of 422/);
    await error.getByText(/line 2, column \d+: /).waitFor();
    await page.getByRole("button", { name: "Discard changes" }).click();
    for (const name of ["broken", "unfit"]) {
      await tile(page, name).click();
      await page.getByRole("button", { name: "Remove" }).click();
      await tile(page, name).waitFor({ state: "detached" });
    }
  });

  it("a queue opens by channel, a new one comes, a removed one goes", async () => {
    const { page } = await visit(VIEWER, "/#/queues");
    await light(page, "live", way);
    const sales = await emulator.queue("Sales");
    await row(page, "Sales").locator("button[aria-expanded]").click();
    for (const channel of ["voice", "chat"]) {
      const { realtime } = await emulator.control<{ realtime: { tasks_by_status: { pending: number } } }>(
        "GET",
        `/truth/${sales}?channel=${channel}`,
      );
      const cell = page.locator(`[role=row][data-sid=${sales}][data-scope=${channel}] [data-column=pending]`);
      await expect.poll(() => cell.innerText(), PATIENCE).toBe(`${realtime.tasks_by_status.pending}`);
    }
    const sid = await emulator.do("add_queue", { name: "Short-lived" });
    await row(page, "Short-lived").waitFor();
    await emulator.do("create_task", { queue: sid, channel: "voice" });
    await row(page, "Short-lived").locator("[data-column=pending]").getByText("1", { exact: true }).waitFor();
    for (const task of (await emulator.world()).tasks.filter(({ queue }) => queue === sid))
      await emulator.do("cancel", { task: task.sid });
    await emulator.do("remove_queue", { queue: sid });
    await row(page, "Short-lived").waitFor({ state: "detached" });
    await light(page, "live", way);
  });

  it("the service is killed and started again: page and TV come back by themselves", async () => {
    const desk = await visit();
    const wall = await visit(VIEWER, "/?tv=1", TV);
    for (const { page } of [desk, wall]) await light(page, "live", way);
    await service.kill();
    for (const { page } of [desk, wall]) await light(page, "offline");
    // Numbers stand, greyed, with their age.
    await tile(desk.page, "tasks-waiting").locator("[data-part=data-age]").waitFor();
    await emulator.do("create_task", { queue: await emulator.queue("Sales"), channel: "chat" });
    await service.up();
    for (const { page } of [desk, wall]) await light(page, "live", way);
    await follows(desk.page);
    await wall.page.locator("main:not([data-stale]) [data-part=pinned] > li").first().waitFor();
    for (const visitor of [desk, wall]) visitor.forgiveUnanswered();
  });
});

describe("who may what", () => {
  beforeAll(async () => {
    emulator = await Emulator.start("--queues", "10", "--history", "30", "--seed", "5");
    service = await Service.start(emulator, ways.sync());
  });
  afterAll(async () => {
    await service?.stop();
    await emulator?.stop();
  });

  it("a wrong password is refused, in words; the right one leads to the page; signing out ends it", async () => {
    const visitor = await Visitor.come(browser, emulator, service);
    visitors.push(visitor);
    const { page } = visitor;
    await page.goto(service.url);
    await page.waitForURL("**/login");
    await page.fill("#username", EDITOR.name);
    await page.fill("#password", "not this one");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").getByText(/\w+/).waitFor();
    // The browser itself writes down that the answer was a 401.
    expect(visitor.complaints.splice(0)).toEqual([expect.stringContaining("401")]);
    await page.fill("#username", EDITOR.name);
    await page.fill("#password", EDITOR.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await light(page, "live");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL("**/login");
    expect((await page.context().request.get(`${service.url}/api/session`)).status()).toBe(401);
  });

  it("viewers see everything and change nothing", async () => {
    const { page } = await visit(VIEWER);
    await light(page, "live");
    await follows(page);
    expect(await page.getByRole("button", { name: /Add metric|Arrange/ }).count()).toBe(0);
    await tile(page, "tasks-waiting").click();
    await page.locator(".drawer code", { hasText: "tasks_by_status" }).waitFor();
    const fields = ".drawer :is(form, input, textarea):not([data-testid=day-curve] *)";
    expect(await page.locator(fields).count()).toBe(0);
    const { request } = page.context();
    const { csrfToken, role } = await (await request.get(`${service.url}/api/session`)).json();
    expect(role).toBe("viewer");
    const definitions = await (await request.get(`${service.url}/api/definitions`)).json();
    const mine = { mine: { metric: { ...definitions["tasks-waiting"].metric, label: "Mine" } } };
    const post = (data: object, path = "/api/save") =>
      request.post(service.url + path, { data, headers: { "X-CSRF-Token": csrfToken } });
    expect((await post(mine)).status()).toBe(403);
    expect((await post({ names: ["tasks-waiting"] }, "/api/definitions/delete")).status()).toBe(403);
    expect(await (await request.get(`${service.url}/api/definitions`)).json()).toEqual(definitions);
  });

  it("at a desk the default tiles take two rows, nothing is cut, and ten queues are in sight", async () => {
    const { page } = await visit();
    await light(page, "live");
    await expect.poll(() => page.locator("[role=row][data-scope=all]").count(), PATIENCE).toBe(10);
    const seen = await page.evaluate(() => {
      const all = (selector: string) => [...document.querySelectorAll(selector)];
      const cut = all(".tile *").filter((e) => e.tagName !== "CANVAS" && e.scrollWidth > e.clientWidth + 1);
      return {
        rows: new Set(all("[data-metric]").map((tile) => Math.round(tile.getBoundingClientRect().top))).size,
        cut: cut.filter((e) => getComputedStyle(e).display !== "inline").map((e) => e.textContent),
        below: all("[role=row][data-sid]").filter((row) => row.getBoundingClientRect().bottom > innerHeight)
          .length,
      };
    });
    expect(seen).toEqual({ rows: 2, cut: [], below: 0 });
  });

  it("a TV has large numbers and nothing to press", async () => {
    const { page } = await visit(VIEWER, "/?tv=1&turn=3", TV);
    await light(page, "live");
    await page.locator(TV_VALUE).first().waitFor();
    expect(await page.locator("button, a, input, select, textarea").count()).toBe(0);
    const sizes = await page
      .locator(TV_VALUE)
      .evaluateAll((all) => all.map((element) => Number.parseFloat(getComputedStyle(element).fontSize)));
    // Digits are 0.71 of the type's size, and are to be an eighth of the screen.
    expect(Math.min(...sizes) * 0.71).toBeGreaterThanOrEqual(1080 / 8);
    const expected = await truth();
    const seen = new Set<string>();
    const turned = async () => {
      for (const [name, value] of await page
        .locator("main [data-metric]")
        .evaluateAll((all) =>
          all.map((one) => [
            one.getAttribute("data-metric"),
            one.querySelector("[data-part=value]")?.textContent,
          ]),
        )) {
        if (!name || !(name in expected) || seen.has(name)) continue;
        expect([name, value]).toEqual([name, expected[name]]);
        seen.add(name);
      }
      return seen.size;
    };
    await expect.poll(turned, PATIENCE).toBeGreaterThan(2);
  });

  const views: [string, string, string][] = [
    ["wallboard", "/", "[data-metric] [data-part=value]"],
    ["queues", "/#/queues", "[role=row][data-sid]"],
    ["tasks", "/#/tasks", "tbody tr"],
    ["agents", "/#/agents", ".group li"],
    ["voice", "/#/voice", "#voice-title"],
    ["tv", "/?tv=1", TV_VALUE],
  ];
  for (const colorScheme of ["light", "dark"] as const) {
    it(`axe finds nothing on any view, ${colorScheme}`, async () => {
      const { page } = await visit(EDITOR, "/", { colorScheme });
      const found: Record<string, string[]> = {};
      const look = async (name: string) => {
        found[name] = await violations(page);
      };
      for (const [name, path, there] of views) {
        await page.goto(service.url + path);
        await light(page, "live");
        await page.locator(there).first().waitFor();
        await look(name);
      }
      await page.goto(`${service.url}/`);
      await tile(page, "sla-today").click();
      await page.locator("#formula-help", { hasText: "=" }).waitFor();
      await look("settings");
      await page.goto(`${service.url}/login`);
      await look("sign in");
      for (const name of Object.keys(found)) expect([name, found[name]]).toEqual([name, []]);
    });
  }
});
