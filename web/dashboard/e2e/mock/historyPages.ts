/** What the tests of curves, report and replay find on the page, and the times they ask for. */
import type { BrowserContextOptions, Page } from "playwright-core";
import { local } from "../../mock/history.mjs";
import { type Mock, now, setUpDesks } from "./desk.ts";

/** Opens pages beside the mock that they read. */
export function setUpPages() {
  const desks = setUpDesks();
  async function open(
    path: string,
    options: Parameters<typeof desks.open>[1] = {},
    context: BrowserContextOptions = {},
    prepare?: (page: Page) => Promise<unknown>,
  ): Promise<[Page, Mock]> {
    const { page, mock } = await desks.open(path, options, context, prepare);
    return [page, mock];
  }
  return { desks, open };
}

export const tab = (p: Page, name: string) => p.getByRole("link", { name, exact: true });
export const curveButton = (p: Page, name: string) =>
  p.getByRole("button", { name: `Day curve of ${name}`, exact: true });
export const slider = (p: Page) => p.getByRole("slider", { name: "Time", exact: true });
export const band = (p: Page) => p.locator("[data-testid=replay-band]");
export const rows = (p: Page) => p.locator("[role=row][data-part=row]");
export const reportCell = (p: Page, where: string, column: string) =>
  p.locator(`[role=row][data-part=${where}] [data-column="${column}"]`).first();

/** Yesterday at a time of day in Berlin, in seconds. */
export function yesterdayAt(hours: number): number {
  const today = local(now() / 1000).slice(0, 10);
  const midnight = [0, 1, 2, 3].map((h) => Date.parse(`${today}T00:00:00Z`) / 1000 - h * 3600);
  const found = midnight.find((t) => local(t).startsWith(`${today}T00:00:00`)) ?? 0;
  return found - 86_400 + hours * 3600;
}
export const iso = (seconds: number) => new Date(seconds * 1000).toISOString().replace(".000", "");
export const momentOf = (m: Mock, seconds: number) => m.history.at(new URL(`http://mock/?time=${seconds}`));
