/** The centre's name, languages, tiles that open queues, and formulas that have no value. */
import type { QueueItem } from "@taskrouter-sync/shared/api/types.ts";
import { expect, it } from "vitest";
import { freshness, queues, tile, tooltip } from "../pages.ts";
import { setUpDesks } from "./desk.ts";

const desks = setUpDesks();

const open = (path = "/", context = {}) => desks.open(path, {}, context);

it("the centre's name stands on the page, in its title and on the TV", async () => {
  const { page, mock } = await open();
  await page.getByRole("heading", { level: 1, name: "Contact centre" }).waitFor();
  mock.state.centreName = "Harbour Support";
  await page.reload();
  await page.getByRole("heading", { level: 1, name: "Harbour Support" }).waitFor();
  expect(await page.title()).toBe("Wallboard · Harbour Support");
  await page.goto(`${mock.url}/?tv=1`);
  await page.getByText("Harbour Support").nth(1).waitFor();
  expect(await page.title()).toBe("TV · Harbour Support");
});

it("the language is the browser's until another is chosen, and a TV's address may name one", async () => {
  const { page, mock } = await open("/#/queues", { locale: "de-AT" });
  await page.getByRole("heading", { name: /^Warteschlangen/ }).waitFor();
  await freshness(page, "live");
  expect(await page.locator("html").getAttribute("lang")).toBe("de");
  expect(await page.locator("[data-part=freshness]").innerText()).toMatch(/^Live: vor \d+ s$/);
  await page.getByLabel("Sprache").selectOption("en");
  await page.getByRole("heading", { name: /^Queues/ }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: /^Queues/ }).waitFor();
  expect(await page.locator("html").getAttribute("lang")).toBe("en");
  await page.goto(`${mock.url}/?tv=1&lang=de`);
  // Not the queues, which take turns with other numbers.
  await expect.poll(() => page.locator("[data-part=freshness]").innerText()).toMatch(/^Live: vor \d+ s$/);
  expect(await page.locator("html").getAttribute("lang")).toBe("de");
});

it("a tile that counts queues opens them", async () => {
  const { page, mock } = await open();
  await freshness(page, "live");
  const [first, ...others] = mock.world.queues;
  if (!first) throw new Error("the mock has no queues");
  const numbers = (queue: typeof first, pending: number, availableWorkers: number) => {
    const item: QueueItem = mock.world.item(queue);
    const now = item.realTimeStats_all;
    const tasksByStatus = { ...now?.tasksByStatus, pending };
    return { ...item, realTimeStats_all: { ...now, availableWorkers, tasksByStatus } };
  };
  const [metric] = mock.world.metrics();
  mock.push({
    queues: [numbers(first, 3, 0), ...others.map((queue) => numbers(queue, 3, 2))],
    metrics: [
      { ...metric, name: "queues-without-agents", label: "Queues without agents", value: 1, text: "1" },
    ],
  });
  await tile(page, "queues-without-agents").getByRole("link", { name: "Show queues" }).click();
  await page.getByText("Tasks waiting, no agent available").waitFor();
  await expect.poll(() => queues(page).count(), { timeout: 20_000 }).toBe(1);
  expect(await queues(page).first().innerText()).toContain(first.name);
  await page.getByRole("link", { name: "Show all" }).click();
  await queues(page).nth(9).waitFor();
});

it("a formula without a value is not saved unless the editor insists", async () => {
  const { page, mock } = await open();
  await freshness(page, "live");
  await tile(page, "completed").getByRole("button").click();
  await page.locator("#formula-help", { hasText: "= " }).waitFor();
  // Saved before the preview is there: the service itself refuses.
  await page.route("**/api/definitions/preview", () => undefined);
  await page.fill("#formula", "data.nothing.here");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.locator("#formula-help", { hasText: "Cannot read properties of undefined" }).waitFor();
  expect(mock.world.definitions.completed?.metric.formula).not.toBe("data.nothing.here");
  await page.unroute("**/api/definitions/preview");
  await page.fill("#formula", "data.nothing.there");
  await page.getByRole("button", { name: "Save although it fails" }).click();
  await page.getByText("saved, but its formula fails at present.").waitFor();
  expect(mock.world.definitions.completed?.metric.formula).toBe("data.nothing.there");
});

it("the field browser names a queue by its SID", async () => {
  const { page, mock } = await open();
  await tile(page, "completed").getByRole("button").click();
  await page.getByRole("button", { name: "Browse fields" }).click();
  await page.getByRole("button", { name: /queues$/ }).click();
  await page.getByRole("button", { name: new RegExp(`0 ${mock.world.queues[0]?.name}`) }).click();
  await page.getByRole("button", { name: /^friendlyName/ }).click();
  expect(await page.inputValue("#formula")).toContain(`queue("${mock.world.queues[0]?.sid}").friendlyName`);
});

it("the Columns menu closes by Escape and by a click outside", async () => {
  const { page } = await open("/#/queues");
  const menu = page.getByRole("checkbox", { name: "Waiting" });
  for (const close of [
    () => page.keyboard.press("Escape"),
    () => page.getByRole("heading", { level: 1 }).click(),
  ]) {
    await page.getByText("Columns", { exact: true }).click();
    await menu.waitFor();
    await close();
    await menu.waitFor({ state: "hidden" });
  }
});

it("the source of the numbers stands beside their age, and its reason in the tooltip", async () => {
  const { page } = await open();
  await freshness(page, "live");
  expect(await page.locator("[data-testid=freshness] [data-part=source]").innerText()).toBe("feed");
  await page.locator("[data-testid=freshness] button").hover();
  expect(await tooltip(page).innerText()).toContain("Source: service feed");
});
