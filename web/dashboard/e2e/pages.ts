/** Where things are on the page, for all tests: roles and `data-*` hooks, never the names of CSS classes. */
import type { Page } from "playwright-core";

/** Waits until the freshness indicator shows this kind. */
export const freshness = (page: Page, kind: string, via?: string) =>
  page
    .locator(`[data-testid=freshness][data-kind=${kind}]${via ? `[data-via=${via}]` : ""}`)
    .waitFor({ state: "attached", timeout: 60_000 });
export const freshnessText = (page: Page) => page.locator("[data-part=freshness]").innerText();
export const freshnessButton = (page: Page) => page.locator("[data-testid=freshness] button");
export const tooltip = (page: Page) => page.getByRole("tooltip");

export const rows = (page: Page) => page.locator("[role=row][data-sid]");
export const queues = (page: Page) => page.locator("[role=row][data-scope=all]");
export const queue = (page: Page, name: string) => queues(page).filter({ hasText: name });
export const cell = (page: Page, name: string, column: string) =>
  queue(page, name).locator(`[data-column=${column}]`);

/** A TV's tiles, always in sight or taking turns, and their values. */
export const TV_TILE = "[data-part=pinned] > li, [data-part=turning] > li";
export const TV_VALUE = ":is([data-part=pinned], [data-part=turning]) [data-part=value]";

export const tile = (page: Page, name: string) => page.locator(`[data-metric=${name}]`);
/** A part of a tile: value, sign, sla, error, data-age. */
export const part = (page: Page, name: string, which: string) =>
  tile(page, name).locator(`[data-part=${which}]`);
