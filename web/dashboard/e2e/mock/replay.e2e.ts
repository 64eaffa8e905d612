/** The replay in Chromium, against the mock's history. */
import { describe, expect, it } from "vitest";
import { local } from "../../mock/history.mjs";
import { freshness, part, queue, TV_VALUE, tile } from "../pages.ts";
import { now } from "./desk.ts";
import { band, curveButton, iso, momentOf, setUpPages, slider, yesterdayAt } from "./historyPages.ts";

const { desks, open } = setUpPages();

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
    const [p] = await open(`/#/replay?at=${iso(Math.floor(now() / 1000) - 120)}`);
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
    // The present moves on.
    const waiting = p.locator("[data-metric=waiting] [data-part=value]");
    await expect.poll(async () => (await waiting.innerText()) === m.world.metrics()[0]?.text).toBe(true);
  });
});
