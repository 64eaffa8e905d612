/** The report in Chromium, against the mock's history. */
import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { local } from "../../mock/history.mjs";
import { reportCell, rows, setUpPages, yesterdayAt } from "./historyPages.ts";

const { desks, open } = setUpPages();

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
