/** Day curves in Chromium, against the mock's history, whose values follow from their time alone. */
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { local } from "../../mock/history.mjs";
import { violations } from "../accessibility.ts";
import { freshness, part, tile } from "../pages.ts";
import { curveButton, rows, setUpPages, slider, tab, yesterdayAt } from "./historyPages.ts";

const { desks, open } = setUpPages();

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
    await expect.poll(() => slider(p).getAttribute("aria-valuetext")).toMatch(/^10:00: /);
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
    await expect
      .poll(async () => Number((await reading("average")).match(/[\d.]+$/)?.[0]))
      .toBeCloseTo(average, 0);
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

  it("follows a finger", async () => {
    const [p] = await open("/#/queues", {}, { hasTouch: true });
    await curveButton(p, "Support").click();
    await slider(p).waitFor();
    const box = await p.locator(".u-over").boundingBox();
    if (!box) throw new Error("no plot");
    const moved = {
      pointerType: "touch",
      clientX: box.x + box.width / 4,
      clientY: box.y + 50,
      bubbles: true,
    };
    await p.locator(".u-over").dispatchEvent("pointermove", moved);
    await expect.poll(() => p.locator("[data-part=crosshair]").innerText()).toMatch(/^(05:5\d|06:0\d)$/);
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
    await expect
      .poll(() => slider(p).getAttribute("aria-valuetext"))
      .toMatch(/^10:15: .*2026 –,|^10:15: [^,]*(, [^,]*)* –,/);
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
    // The four weeks may be here before yesterday is.
    const curves = () =>
      p.evaluate(
        () =>
          performance.getEntriesByType("resource").filter(({ name }) => name.includes("api/history/queues/"))
            .length,
      );
    await expect.poll(curves).toBe(6);
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
    const coloured = () =>
      p.evaluate(() => {
        const canvas = document.querySelector<HTMLCanvasElement>(".uplot canvas");
        if (!canvas) return false;
        // Of a copy: the browser complains of a drawn canvas that is read twice.
        const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", {
          willReadFrequently: true,
        });
        copy?.drawImage(canvas, 0, 0);
        const drawn = copy?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
        let [red, orange] = [0, 0];
        for (let n = 0; n < drawn.length; n += 4) {
          const [r = 0, g = 0, b = 0, a = 0] = drawn.slice(n, n + 4);
          if (a < 200 || r < 180 || b > 80) continue;
          if (g < 70) red += 1;
          else if (g < 150) orange += 1;
        }
        return red > 100 && orange > 100;
      });
    // Its two thresholds are lines in their styles' colours.
    await expect.poll(coloured).toBe(true);
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

  it("has trouble: a sign stands on every view, and leads to the reason", async () => {
    const degraded = (page: Page) =>
      page.route("**/api/history/state", async (route) => {
        const state = await (await route.fetch()).json();
        await route.fulfill({
          json: { ...state, state: "degraded", reason: "The disk is full.", lost: 1200 },
        });
      });
    const [p] = await open("/", {}, {}, degraded);
    await p.getByRole("link", { name: "History has trouble" }).click();
    await p.getByText("The history has trouble: The disk is full. 1,200 rows could not be stored.").waitFor();
    expect(await violations(p)).toEqual([]);
    expect(desks.last?.complaints).toEqual([]);
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
