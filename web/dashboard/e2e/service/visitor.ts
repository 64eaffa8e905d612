/** A signed-in user with a browser of their own; what the page complains about is collected. */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { collectComplaints } from "../complaints.ts";
import type { Emulator, Service } from "./programs.ts";

interface Account {
  name: string;
  password: string;
}

/** What a browser logs for an unanswered request: expected only while the service is down. */
export const UNANSWERED = /^Failed to load resource: net::ERR_/;

export class Visitor {
  private constructor(
    readonly page: Page,
    private readonly service: Service,
    readonly complaints: string[],
  ) {}

  static async come(
    browser: Browser,
    emulator: Emulator,
    service: Service,
    options: BrowserContextOptions = {},
  ): Promise<Visitor> {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    const complaints = await collectComplaints(page, () => [service.url, emulator.url]);
    return new Visitor(page, service, complaints);
  }

  /** Fills in the form, and waits until the page is there. */
  async signIn({ name, password }: Account, path = "/"): Promise<void> {
    await this.page.goto(`${this.service.url}/login`);
    await this.page.fill("#username", name);
    await this.page.fill("#password", password);
    await this.page.getByRole("button", { name: "Sign in" }).click();
    await this.page.waitForURL(`${this.service.url}/`);
    if (path !== "/") await this.page.goto(this.service.url + path);
  }

  /** While the service is down, browsers say so. */
  forgiveUnanswered(): void {
    const rest = this.complaints.filter((text) => !UNANSWERED.test(text));
    this.complaints.splice(0, this.complaints.length, ...rest);
  }

  leave = () => this.page.context().close();
}
