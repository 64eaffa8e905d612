/** A browser with the built page against a mock of its own; what the page complains about is collected. */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { startMock } from "../../mock/server.mjs";

export type Mock = Awaited<ReturnType<typeof startMock>>;

export interface Desk {
  page: Page;
  mock: Mock;
  /** Console errors, exceptions, policy violations and requests to other hosts. */
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
  const complaints: string[] = [];
  const inside = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...context });
  const page = await inside.newPage();
  page.setDefaultTimeout(8000);
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
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
