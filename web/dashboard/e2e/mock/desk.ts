/** A browser with the built page against a mock of its own; what the page complains about is collected. */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { startMock } from "../../mock/server.mjs";
import { collectComplaints } from "../complaints.ts";

export type Mock = Awaited<ReturnType<typeof startMock>>;

export interface Desk {
  page: Page;
  mock: Mock;
  complaints: string[];
  close(): Promise<void>;
}

const dist = new URL("../../../dist/", import.meta.url);

export async function openDesk(
  browser: Browser,
  path = "/",
  options: object = {},
  context: BrowserContextOptions = {},
  prepare?: (page: Page) => Promise<unknown>,
): Promise<Desk> {
  const mock = await startMock({ dist, seed: 7, still: true, ...options });
  const inside = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...context });
  const page = await inside.newPage();
  page.setDefaultTimeout(60_000);
  const complaints = await collectComplaints(page, () => [mock.url]);
  await prepare?.(page);
  await page.goto(mock.url + path);
  return {
    page,
    mock,
    complaints,
    async close() {
      await inside.close();
      await mock.stop();
    },
  };
}
