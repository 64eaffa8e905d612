/** A browser with the built page against a mock of its own; what the page complains about is collected. */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll } from "vitest";
import { startMock } from "../../mock/server.mjs";
import { launch } from "../browser.mjs";
import { collectComplaints } from "../complaints.ts";

export type Mock = Awaited<ReturnType<typeof startMock>>;

export interface Desk {
  page: Page;
  mock: Mock;
  complaints: string[];
  close(): Promise<void>;
}

const dist = new URL("../../../dist/", import.meta.url);

/** Every run begins on the same working day, at ten past two in the afternoon of the mock's centre: a report of today has
 * rows, and no clock changes near it. The page goes by the service's clock, which is the mock's; the browser's is real. */
const SHIFT_MS = Date.UTC(2026, 6, 15, 12, 10) - Date.now();
/** The mock's time, in milliseconds. */
export const now = () => Date.now() + SHIFT_MS;

export async function openDesk(
  browser: Browser,
  path = "/",
  options: { skewMs?: number; [option: string]: unknown } = {},
  context: BrowserContextOptions = {},
  prepare?: (page: Page) => Promise<unknown>,
): Promise<Desk> {
  const { skewMs = 0, ...others } = options;
  const mock = await startMock({ dist, seed: 7, still: true, ...others, skewMs: SHIFT_MS + skewMs });
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

type Opening = Parameters<typeof openDesk> extends [Browser, ...infer Rest] ? Rest : never;

/** A browser for the tests of a file, and one desk at a time in it, closed behind each test. */
export function setUpDesks() {
  let browser: Browser;
  const desks = {
    last: undefined as Desk | undefined,
    async open(...opening: Opening): Promise<Desk> {
      desks.last = await openDesk(browser, ...opening);
      return desks.last;
    },
    async close() {
      await desks.last?.close();
      desks.last = undefined;
    },
  };
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser.close());
  afterEach(() => desks.close());
  return desks;
}
