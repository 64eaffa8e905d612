/** Curves, report and replay in Chromium, against the mock's history, whose values follow from their time alone. */
import { readFile } from "node:fs/promises";
import type { BrowserContextOptions, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { local } from "../../mock/history.mjs";
import { violations } from "../accessibility.ts";
import { freshness, part, queue, TV_VALUE, tile } from "../pages.ts";
import { type Mock, setUpDesks } from "./desk.ts";

const desks = setUpDesks();

async function open(
  path: string,
  options: object = {},
  context: BrowserContextOptions = {},
  prepare?: (page: Page) => Promise<unknown>,
): Promise<[Page, Mock]> {
  const { page, mock } = await desks.open(path, options, context, prepare);
  return [page, mock];
}

const tab = (p: Page, name: string) => p.getByRole("link", { name, exact: true });
const curveButton = (p: Page, name: string) =>
  p.getByRole("button", { name: `Day curve of ${name}`, exact: true });
const slider = (p: Page) => p.getByRole("slider", { name: "Time", exact: true });
const band = (p: Page) => p.locator("[data-testid=replay-band]");
const rows = (p: Page) => p.locator("[role=row][data-part=row]");
const reportCell = (p: Page, where: string, column: string) =>
  p.locator(`[role=row][data-part=${where}] [data-column="${column}"]`).first();

/** Yesterday at a time of day in Berlin, in seconds. */
function yesterdayAt(hours: number): number {
  const today = local(Date.now() / 1000).slice(0, 10);
  const midnight = [0, 1, 2, 3].map((h) => Date.parse(`${today}T00:00:00Z`) / 1000 - h * 3600);
  const found = midnight.find((t) => local(t).startsWith(`${today}T00:00:00`)) ?? 0;
  return found - 86_400 + hours * 3600;
}
const iso = (seconds: number) => new Date(seconds * 1000).toISOString().replace(".000", "");
const momentOf = (m: Mock, seconds: number) => m.history.at(new URL(`http://mock/?time=${seconds}`));

describe("day curve", () => {
  it("opens from a queue's row and closes with Escape, and the focus is back", async () => {
    const [p] = await open("/#/queues");
    await curveButton(p, "Support").click();
    await p.getByRole("dialog", { name: "Support: day curve" }).waitFor();
    await slider(p).waitFor();
    await p.keyboard.press("Escape");
    await p.getByRole("dialog").waitFor({ state: "detached" });
    await expect
      .poll(() => p.evaluate(() => document.activeElement?.getAttribute("aria-label")))
      .toBe("Day curve of Support");
    expect(desks.last?.complaints).toEqual([]);
  });

  it("shows the day, the day before, the week before and the average of four, each as the service has it", async () => {
    const [p, m] = await open("/#/queues");
    await curveButton(p, "Support").click();
    await slider(p).waitFor();
    await p.getByLabel("Day", { exact: true }).fill(local(yesterdayAt(12)).slice(0, 10));
    await p.getByRole("button", { name: /Average of 4/ }).waitFor();
    await slider(p).focus();
    await p.keyboard.press("Home");
    for (let n = 0; n < 40; n += 1) await p.keyboard.press("PageUp");
    const [read] = (await slider(p).getAttribute("aria-valuetext"))?.split(": ") ?? [];
    expect(read).toBe("10:00");
    const value = (t: number) => m.history.values(0, "all", t).waiting;
    const ten = yesterdayAt(10);
    const reading = (kind: string) => p.locator(`[data-kind=${kind}]`).innerText();
    expect(Number((await reading("day")).match(/\d+$/)?.[0])).toBe(value(ten));
    // Zoomed in, the days behind are drawn as they were.
    for (let n = 0; n < 3; n += 1) await p.keyboard.press("+");
    await expect
      .poll(async () => Number((await reading("weekBefore")).match(/[\d.]+$/)?.[0]))
      .toBe(value(ten - 7 * 86_400));
    const weeks = [7, 14, 21, 28].map((days) => value(ten - days * 86_400));
    const average = weeks.reduce((sum, one) => sum + one, 0) / 4;
    expect(Number((await reading("average")).match(/[\d.]+$/)?.[0])).toBeCloseTo(average, 0);
    // Away from the clock's change, a week before is the same number of hours before.
    expect(local(ten).slice(-6)).toBe(local(ten - 28 * 86_400).slice(-6));
  });

  it("zooms by dragging and by keyboard, reads finer steps there, and shows the whole day again", async () => {
    const [p, m] = await open("/#/queues");
    await curveButton(p, "Support").click();
    const plot = p.locator(".u-over");
    const box = await plot.boundingBox();
    if (!box) throw new Error("no plot");
    await p.mouse.move(box.x + box.width * 0.3, box.y + 40);
    await p.mouse.down();
    await p.mouse.move(box.x + box.width * 0.38, box.y + 60, { steps: 5 });
    await p.mouse.up();
    await expect.poll(() => slider(p).getAttribute("data-zoom")).toMatch(/^\d+-\d+$/);
    await expect.poll(() => m.history.asked.some((path) => /step=10(&|$)/.test(path))).toBe(true);
    await p.getByRole("button", { name: "Whole day" }).click();
    expect(await slider(p).getAttribute("data-zoom")).toBeNull();
    await slider(p).focus();
    await p.keyboard.press("+");
    await expect.poll(() => slider(p).getAttribute("data-zoom")).not.toBeNull();
    await p.keyboard.press("0");
    await expect.poll(() => slider(p).getAttribute("data-zoom")).toBeNull();
    expect(desks.last?.complaints).toEqual([]);
  });

  it("shows gaps as gaps, with their reason, however short", async () => {
    const [p, m] = await open("/#/queues");
    const start = yesterdayAt(0);
    m.history.gaps = [
      { from: start + 36_000, to: start + 37_800, reason: "not running" },
      { from: start + 43_205, to: start + 43_240, reason: "not stored" },
    ];
    await curveButton(p, "Support").click();
    await slider(p).waitFor();
    await p.getByLabel("Day", { exact: true }).fill(local(start + 1).slice(0, 10));
    const gaps = p.getByRole("list", { name: "Gaps" });
    await expect
      .poll(() => gaps.locator("li").allInnerTexts())
      .toEqual(["10:00–10:30: the service was not running", "12:00:05–12:00:40: could not be stored"]);
    await slider(p).focus();
    await p.keyboard.press("Home");
    for (let n = 0; n < 41; n += 1) await p.keyboard.press("PageUp");
    expect(await slider(p).getAttribute("aria-valuetext")).toMatch(
      /^10:15: .*2026 –,|^10:15: [^,]*(, [^,]*)* –,/,
    );
    // The plot has no ink where the line would have crossed the gap.
    const inked = await p.evaluate(() => {
      const canvas = document.querySelector<HTMLCanvasElement>(".uplot canvas");
      const over = document.querySelector<HTMLElement>(".u-over");
      if (!canvas || !over) return "no plot";
      const ratio = canvas.width / canvas.clientWidth;
      const left = over.offsetLeft * ratio;
      const width = over.clientWidth * ratio;
      const context = canvas.getContext("2d");
      const dark = (hours: number) => {
        const x = Math.round(left + (width * hours) / 24);
        const { data } = context?.getImageData(x, 0, 1, canvas.height) ?? { data: [] };
        let found = 0;
        for (let n = 0; n < data.length; n += 4)
          if ((data[n + 3] ?? 0) > 200 && (data[n] ?? 255) < 60 && (data[n + 1] ?? 255) < 60) found += 1;
        return found > 0;
      };
      return [dark(9.8), dark(10.25), dark(10.7)];
    });
    expect(inked).toEqual([true, false, true]);
  });

  it("draws the day before it asks for the days behind it", async () => {
    const [p] = await open("/#/queues", { queues: 1000 });
    await freshness(p, "live");
    await p.locator("[data-part=curve]").first().click();
    await p.getByRole("button", { name: /Average of 4/ }).waitFor();
    const { drawn, answered, first, others } = await p.evaluate(() => {
      const [measure] = performance.getEntriesByName("day-curve");
      const requests = performance
        .getEntriesByType("resource")
        .filter(({ name }) => name.includes("api/history/queues/")) as PerformanceResourceTiming[];
      return {
        drawn: (measure?.startTime ?? 0) + (measure?.duration ?? 0),
        first: measure?.startTime ?? 0,
        answered: requests[0]?.responseEnd ?? 0,
        others: requests.slice(1).map(({ startTime }) => startTime),
      };
    });
    console.log(
      `a day's curve: ${Math.round(drawn - first)} ms after it was opened, ${Math.round(drawn - answered)} ms after its data`,
    );
    expect(others).toHaveLength(5);
    expect(Math.min(...others)).toBeGreaterThanOrEqual(drawn);
  });

  it("of a tile stands in its drawer with its thresholds, and over the page", async () => {
    const [p, m] = await open("/");
    await freshness(p, "live");
    await tile(p, "waiting").getByRole("button").first().click();
    await p.getByTestId("day-curve").waitFor();
    expect(m.history.asked.some((path) => path.startsWith("metrics/waiting?"))).toBe(true);
    await p.getByRole("button", { name: "Enlarge" }).click();
    await p.getByRole("dialog", { name: "Waiting: day curve" }).waitFor();
    // Escape closes the upper of the two.
    await p.keyboard.press("Escape");
    await p.getByRole("dialog", { name: "Waiting: day curve" }).waitFor({ state: "detached" });
    await p.getByTestId("day-curve").waitFor();
    expect(desks.last?.complaints).toEqual([]);
  });

  it("of a tile that shows text is none", async () => {
    const [p, m] = await open("/");
    await freshness(p, "live");
    const [first, ...others] = m.world.metrics();
    m.push({ metrics: [{ ...first, value: "Support", text: "Support" }, ...others] });
    await part(p, "waiting", "value").getByText("Support").waitFor();
    await tile(p, "waiting").getByRole("button").first().click();
    await p.getByText("Text has no curve.").waitFor();
    expect(await p.getByTestId("day-curve").count()).toBe(0);
  });

  it("reads a queue on one channel, and other measures", async () => {
    const [p, m] = await open("/#/queues");
    await p.getByRole("button", { name: "Support", exact: true }).click();
    await curveButton(p, "Support, chat").press("Enter");
    await expect.poll(() => m.history.asked.some((path) => path.includes("channel=chat"))).toBe(true);
    await p.getByLabel("Measure").selectOption("oldest");
    await p.getByText(/^Oldest, .*: latest \d+:\d\d/).waitFor();
  });
});

describe("a history that does not work", () => {
  it("is not shown at all by a service that has none", async () => {
    const before = (page: Page) =>
      page.route("**/api/history/state", (route) =>
        route.fulfill({ status: 404, json: { code: "not_found" } }),
      );
    const [p] = await open("/#/report", {}, {}, before);
    await freshness(p, "live");
    await tile(p, "waiting").waitFor();
    expect(await tab(p, "Report").count()).toBe(0);
    expect(await tab(p, "Replay").count()).toBe(0);
    expect(await curveButton(p, "Support").count()).toBe(0);
    await tile(p, "waiting").getByRole("button").first().click();
    await p.getByRole("img", { name: /in the time shown/ }).waitFor();
  });

  it("is off: each view says so, and a tile has its four hours as before", async () => {
    const off = (page: Page) =>
      page.route("**/api/history/state", (route) =>
        route.fulfill({
          json: {
            ...desks.last?.mock.history.status(),
            state: "off",
            reason: "HISTORY_URL=off",
            timezone: "Europe/Berlin",
            lost: 0,
          },
        }),
      );
    const [p, m] = await open("/", {}, {}, off);
    await tile(p, "waiting").getByRole("button").first().click();
    await p.getByText("The history is switched off: HISTORY_URL=off").waitFor();
    await p.getByRole("img", { name: /in the time shown/ }).waitFor();
    await p.keyboard.press("Escape");
    for (const view of ["Report", "Replay"]) {
      await tab(p, view).click();
      await p
        .locator("main, [data-testid=replay]")
        .getByText("The history is switched off")
        .first()
        .waitFor();
    }
    expect(m.history.asked.filter((path) => !path.startsWith("state"))).toEqual([]);
  });

  it("has trouble: the reason stands in place, and reading again works", async () => {
    const [p, m] = await open("/#/report");
    await rows(p).first().waitFor();
    m.history.unreadable = "The disk is full.";
    await p.getByRole("button", { name: "Yesterday" }).click();
    await p.getByText("The history could not be read: The disk is full.").waitFor();
    m.history.unreadable = undefined;
    await p.getByRole("button", { name: "Try again" }).click();
    await p.getByText("The disk is full.").waitFor({ state: "detached" });
    await expect.poll(() => m.history.asked.length).toBeGreaterThan(2);
  });
});

describe("report", () => {
  it("shows the service's rows, and totals that are its own", async () => {
    const [p, m] = await open("/#/report");
    await rows(p).first().waitFor();
    await p.getByRole("button", { name: "Yesterday" }).click();
    const asked = () => m.history.asked.filter((path) => path.startsWith("intervals")).at(-1) ?? "";
    await expect
      .poll(async () => (await reportCell(p, "row", "start").innerText()).slice(0, 2))
      .toBe(local(yesterdayAt(1)).slice(8, 10));
    const { totals, rows: all } = m.history.intervals(new URL(`http://mock/${asked()}`));
    const [total] = totals;
    const share = (100 * total.within[30]) / total.accepted;
    expect(await reportCell(p, "total", "entered").innerText()).toBe(total.entered.toLocaleString("en-GB"));
    expect(Number.parseFloat(await reportCell(p, "total", "sla_30").innerText())).toBeCloseTo(share, 0);
    expect(await reportCell(p, "row", "queue").innerText()).toBe(all[0].friendlyName);
    await p.getByLabel("Interval").selectOption("86400");
    await expect.poll(asked).toContain("step=86400");
    await p.getByRole("heading", { name: "Report 10 rows" }).waitFor();
    await p.getByText("Channels: All together").click();
    await p.getByLabel("voice").check();
    await expect.poll(asked).toContain("channels=all%2Cvoice");
    await expect.poll(() => p.locator("[data-part=total]").count()).toBe(2);
    await p.reload();
    await p.getByRole("heading", { name: "Report 20 rows" }).waitFor();
    expect(desks.last?.complaints).toEqual([]);
  });

  it("chooses queues and columns, and says where a row is Twilio's or differs", async () => {
    const [p, m] = await open("/#/report?step=3600");
    await rows(p).first().waitFor();
    await p.getByText("All queues", { exact: true }).click();
    await p.getByLabel("Sales").check();
    await expect.poll(() => m.history.asked.at(-1)).toContain(`queues=${m.world.queues[1]?.sid}`);
    await p.getByRole("button", { name: "Last 7 days" }).click();
    await p.getByText("differs").first().waitFor();
    await p.keyboard.press("Escape");
    await p.locator("summary", { hasText: "Columns" }).click();
    await p.getByLabel("Short abandons").check();
    await p.getByRole("columnheader", { name: "Short abandons" }).waitFor();
  });

  it("has 1,000 queues of a day, of which only those in sight are in the page", async () => {
    const [p] = await open("/#/report?step=86400", { queues: 1000 });
    await p.getByRole("heading", { name: "Report 1,000 rows", exact: true }).waitFor();
    await rows(p).first().waitFor();
    expect(await rows(p).count()).toBeLessThan(70);
    await p.locator("main").evaluate((main) => main.scrollTo(0, main.scrollHeight));
    await p.locator("[aria-rowindex='1002']").waitFor();
    const { whole, after } = await p.evaluate(() => {
      const [measure] = performance.getEntriesByName("report-page");
      const [request] = performance
        .getEntriesByType("resource")
        .filter(({ name }) => name.includes("api/history/intervals")) as PerformanceResourceTiming[];
      const whole = measure?.duration ?? 0;
      return { whole, after: (measure?.startTime ?? 0) + whole - (request?.responseEnd ?? 0) };
    });
    console.log(`1,000 queues x one day: ${Math.round(whole)} ms, ${Math.round(after)} ms after the data`);
  });

  it("reads further rows as they come into sight", async () => {
    const [p, m] = await open("/#/report?step=900", { queues: 40 });
    await p.getByRole("heading", { name: "Report 1,000 rows so far" }).waitFor();
    await p.locator("main").evaluate((main) => main.scrollTo(0, main.scrollHeight));
    await expect.poll(() => m.history.asked.some((path) => path.includes("cursor=1000"))).toBe(true);
    await p.getByRole("heading", { name: "so far" }).waitFor({ state: "detached" });
  });

  it("downloads CSV as the service writes it, and JSON with all rows", async () => {
    const [p, m] = await open("/#/report?step=900", { queues: 40 });
    await p.getByRole("heading", { name: "Report 1,000 rows so far" }).waitFor();
    const save = async (name: string) => {
      const [download] = await Promise.all([
        p.waitForEvent("download"),
        p.getByRole("button", { name, exact: true }).click(),
      ]);
      return { name: download.suggestedFilename(), text: await readFile(await download.path(), "utf8") };
    };
    const csv = await save("CSV");
    const url = new URL(`http://mock/${m.history.asked.at(-1)}`);
    expect(csv.name).toMatch(/^queues_\d{4}-\d\d-\d\d_\d{4}-\d\d-\d\d_15min\.csv$/);
    expect(csv.text.split("\r\n")[0]).toContain("wait_mean_s,service_level_30s_pct");
    expect(csv.text.split("\r\n").slice(0, 400)).toEqual(m.history.csv(url).split("\r\n").slice(0, 400));
    const json = await save("JSON");
    const { rows: all } = m.history.rows(url);
    expect(JSON.parse(json.text).rows.length).toBe(all.length);
    expect(desks.last?.complaints).toEqual([]);
  });

  it("has room for long words and large numbers, and follows its address", async () => {
    const large = async (page: Page) =>
      page.route("**/api/history/intervals*", async (route) => {
        const answer = await (await route.fetch()).json();
        for (const total of [...answer.totals, ...answer.rows])
          for (const count of ["entered", "accepted", "abandoned", "completed"]) total[count] *= 98_765;
        await route.fulfill({ json: answer });
      });
    const [p] = await open("/?lang=de#/report?channels=all,voice", {}, {}, large);
    await rows(p).first().waitFor();
    const cut = () =>
      p.evaluate(() =>
        [...document.querySelectorAll("[role=columnheader], [data-part=total] [role=cell]")]
          .filter((cell) => cell.scrollWidth > cell.clientWidth || /\w-$/.test(cell.textContent ?? ""))
          .map((cell) => cell.textContent),
      );
    expect(await cut()).toEqual([]);
    expect(await reportCell(p, "total", "entered").innerText()).toMatch(/^\d{1,3}(\.\d{3}){2,}$/);
    await p.evaluate(() => {
      location.hash = "#/report?channels=all&step=86400";
    });
    await p.getByRole("heading", { name: "Bericht 10 Zeilen" }).waitFor();
  });

  it("copies all rows for a spreadsheet", async () => {
    const [p] = await open(
      "/#/report?step=86400",
      {},
      { permissions: ["clipboard-read", "clipboard-write"] },
    );
    await rows(p).first().waitFor();
    await p.getByRole("button", { name: "Copy", exact: true }).click();
    await p.getByText("10 rows copied.").waitFor();
    const lines = (await p.evaluate(() => navigator.clipboard.readText())).trim().split("\n");
    expect(lines).toHaveLength(11);
    expect(lines[0]?.split("\t").slice(0, 4)).toEqual(["Start", "Queue", "Channel", "Entered"]);
    expect(lines[0]).toContain("Avg wait [s]");
    expect(lines[1]).toMatch(/^\d{4}-\d\d-\d\dT00:00:00\+0[12]:00\tSupport\tall\t\d+\t/);
  });
});

describe("replay", () => {
  it("shows wallboard and queues as they were, under a band that says that this is not now", async () => {
    const then = yesterdayAt(11.25);
    const [p, m] = await open(`/#/replay?at=${iso(then)}`);
    const { tiles, queues } = momentOf(m, then);
    await band(p).getByText("Replay, not now").waitFor();
    await expect.poll(() => part(p, "waiting", "value").innerText()).toBe(String(tiles[0].value));
    expect(await band(p).locator("[data-part=moment]").innerText()).toContain("11:15:00");
    expect(await p.locator("[data-testid=freshness]").count()).toBe(0);
    expect(await p.getByRole("button", { name: /Add metric|Arrange/ }).count()).toBe(0);
    await band(p).getByRole("button", { name: "Queues" }).click();
    await expect
      .poll(() => queue(p, "Support").first().locator("[data-column=pending]").innerText())
      .toBe(String(queues[0].realTimeStats_all.tasksByStatus.pending));
    // An age is that of the moment, and stands while the replay stands.
    const oldest = queue(p, "Support").first().locator("[data-column=oldest]");
    const age = await oldest.innerText();
    await band(p).getByRole("button", { name: "On 1 min" }).click();
    await expect.poll(() => band(p).locator("[data-part=moment]").innerText()).toContain("11:16:00");
    await band(p).getByRole("button", { name: "Back 1 min" }).click();
    await expect.poll(() => oldest.innerText()).toBe(age);
    await band(p).getByRole("link", { name: "Back to now" }).click();
    await band(p).waitFor({ state: "detached" });
    await freshness(p, "live");
    expect(desks.last?.complaints).toEqual([]);
  });

  it("scrubs, and plays at its speed", async () => {
    const then = yesterdayAt(9);
    const [p, m] = await open(`/#/replay?at=${iso(then)}`);
    await tile(p, "waiting").waitFor();
    await band(p)
      .getByRole("slider", { name: "Time of day" })
      .fill(String(12 * 3600));
    await expect.poll(() => band(p).locator("[data-part=moment]").innerText()).toContain("12:00:00");
    const noon = momentOf(m, yesterdayAt(12));
    await expect.poll(() => part(p, "waiting", "value").innerText()).toBe(String(noon.tiles[0].value));
    await band(p).getByLabel("Speed").selectOption("600");
    await band(p).getByRole("button", { name: "Play" }).click();
    const asked = () =>
      m.history.asked
        .filter((path) => path.startsWith("at?"))
        .map((path) => Number(new URLSearchParams(path.split("?")[1]).get("time")));
    await expect
      .poll(() => Math.max(...asked()), { timeout: 30_000 })
      .toBeGreaterThan(yesterdayAt(12) + 1200);
    await band(p).getByRole("button", { name: "Pause" }).click();
    await band(p).getByRole("button", { name: "Play" }).waitFor();
    await expect.poll(() => p.evaluate(() => location.hash)).toMatch(/^#\/replay\?at=/);
    expect(desks.last?.complaints).toEqual([]);
  });

  it("plays and pauses by Space, moves by arrows, and follows its address", async () => {
    const then = yesterdayAt(9);
    const [p] = await open(`/#/replay?at=${iso(then)}`);
    await tile(p, "waiting").waitFor();
    const scrub = band(p).getByRole("slider", { name: "Time of day" });
    const moment = () => band(p).locator("[data-part=moment]").innerText();
    await scrub.press("ArrowRight");
    await expect.poll(moment).toContain("09:00:10");
    await scrub.press(" ");
    await band(p).getByRole("button", { name: "Pause" }).waitFor();
    await scrub.press(" ");
    await band(p).getByRole("button", { name: "Play" }).waitFor();
    await p.evaluate(
      (hash) => {
        location.hash = hash;
      },
      `#/replay?at=${iso(then + 7200)}`,
    );
    await expect.poll(moment).toContain("11:00:00");
    expect(desks.last?.complaints).toEqual([]);
  });

  it("begins where a curve's crosshair is", async () => {
    const [p] = await open("/#/queues");
    await curveButton(p, "Support").click();
    await slider(p).waitFor();
    await p.getByLabel("Day", { exact: true }).fill(local(yesterdayAt(12)).slice(0, 10));
    await p.getByRole("button", { name: /Average of 4/ }).waitFor();
    await slider(p).focus();
    await p.keyboard.press("Home");
    for (let n = 0; n < 36; n += 1) await p.keyboard.press("PageUp");
    await p.getByRole("link", { name: "Replay from 09:00" }).click();
    await expect.poll(() => band(p).locator("[data-part=moment]").innerText()).toContain("09:00:00");
  });

  it("stops at the present", async () => {
    const [p] = await open(`/#/replay?at=${iso(Math.floor(Date.now() / 1000) - 120)}`);
    await tile(p, "waiting").waitFor();
    await band(p).getByLabel("Speed").selectOption("600");
    await band(p).getByRole("button", { name: "Play" }).click();
    await p.getByText("The replay has reached the present.").waitFor();
  });

  it("says that a moment lies in a gap, and shows no numbers for it", async () => {
    const then = yesterdayAt(10);
    const [p] = await open("/");
    await freshness(p, "live");
    if (desks.last)
      desks.last.mock.history.gaps = [{ from: then - 600, to: then + 600, reason: "not running" }];
    await p.evaluate(
      (hash) => {
        location.hash = hash;
      },
      `#/replay?at=${iso(then)}`,
    );
    await p.getByText("No record from 09:50 to 10:10: the service was not running.").waitFor();
    await tile(p, "waiting").waitFor({ state: "detached" });
    for (let n = 0; n < 11; n += 1) await band(p).getByRole("button", { name: "On 1 min" }).click();
    await tile(p, "waiting").waitFor();
    expect(await p.getByText("No record from").count()).toBe(0);
  });

  it("says why nothing is known of a day: too long ago for details, or before the first row", async () => {
    const old = yesterdayAt(11) - 60 * 86_400;
    const [p] = await open(`/#/replay?at=${iso(old)}`);
    await p.getByText(/Every change is kept for 35 days/).waitFor();
    expect(await p.getByText("Shown as it was").count()).toBe(0);
    await p.getByRole("link", { name: "Report of this day" }).click();
    await expect
      .poll(() => p.evaluate(() => location.hash))
      .toContain(`from=${local(old).slice(0, 10)}T00:00`);
    await p.evaluate(
      (hash) => {
        location.hash = hash;
      },
      `#/replay?at=${iso(old - 500 * 86_400)}`,
    );
    await p.getByText(/The history begins on/).waitFor();
  });

  it("opens a tile's curve of that day, and follows a tile to queues of that moment", async () => {
    const then = yesterdayAt(11);
    const [p] = await open(`/#/replay?at=${iso(then)}`);
    await tile(p, "waiting").getByRole("button").first().click();
    await expect.poll(() => p.getByLabel("Day", { exact: true }).inputValue()).toBe(local(then).slice(0, 10));
    expect(await p.locator(".drawer form").count()).toBe(0);
  });

  it("is never on a TV, whatever the address says", async () => {
    const [p, m] = await open(
      `/?tv=1&at=${iso(yesterdayAt(11))}#/replay?at=${iso(yesterdayAt(11))}`,
      {},
      {
        viewport: { width: 1920, height: 1080 },
      },
    );
    await p.locator(TV_VALUE).first().waitFor();
    await freshness(p, "live");
    expect(await band(p).count()).toBe(0);
    expect(m.history.asked).toEqual([]);
    const waiting = m.world.metrics()[0];
    expect(await p.locator("[data-metric=waiting] [data-part=value]").innerText()).toBe(waiting?.text);
  });
});

const views: [string, string, (p: Page) => Promise<unknown>][] = [
  [
    "curve",
    "/#/queues",
    async (p) => {
      await curveButton(p, "Support").click();
      await p.getByRole("button", { name: /Average of 4/ }).waitFor();
    },
  ],
  ["report", "/#/report", (p) => rows(p).first().waitFor()],
  ["replay", `/#/replay?at=${iso(yesterdayAt(11))}`, (p) => tile(p, "waiting").waitFor()],
];

describe("accessibility", () => {
  for (const colorScheme of ["light", "dark"] as const) {
    for (const [name, path, act] of views) {
      it(`${name}, ${colorScheme}: axe finds nothing`, async () => {
        const [p] = await open(path, {}, { colorScheme });
        await act(p);
        expect(await violations(p)).toEqual([]);
        expect(desks.last?.complaints).toEqual([]);
      });
    }
  }
});

describe("from phone to 4K", () => {
  for (const [width, height] of [
    [360, 740],
    [1440, 900],
    [3840, 2160],
  ] as const) {
    for (const [name, path, act] of views) {
      it(`${name}, ${width} x ${height}, German: nothing is cut off`, async () => {
        const german = path.replace("/#", "/?lang=de#");
        const germanAct =
          name === "curve"
            ? async (p: Page) => {
                await p.getByRole("button", { name: "Tageskurve von Support", exact: true }).click();
                await p.getByRole("button", { name: /Mittel aus 4/ }).waitFor();
              }
            : act;
        const [p] = await open(german, {}, { viewport: { width, height } });
        await germanAct(p);
        const outside = await p.evaluate(() => {
          const scrolling = (e: Element) =>
            e.closest("[role=table], .scroll-x, .tabs, .uplot, [class*=srOnly], [role=tooltip]") !== null;
          const wide = [...document.querySelectorAll("header *, nav *, main *, [data-testid=replay-band] *")]
            .filter((element) => {
              const box = element.getBoundingClientRect();
              const seen = box.width > 0 && element.checkVisibility();
              return seen && !scrolling(element) && (box.right > innerWidth + 1 || box.left < -1);
            })
            .map((element) => `${element.tagName} ${element.className}`);
          const page = document.documentElement.scrollWidth > innerWidth ? ["the page"] : [];
          return [...page, ...wide].slice(0, 5);
        });
        expect(outside).toEqual([]);
      });
    }
  }
});
