/** A signed-in user with a browser of their own; what the page complains about is collected. */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import type { Emulator, Service } from "./programs.ts";

interface Account {
  name: string;
  password: string;
}

/** What a browser logs for an unanswered request: expected only while the service is down. */
const UNANSWERED = /^Failed to load resource: net::ERR_/;

export class Visitor {
  readonly complaints: string[] = [];

  private constructor(
    readonly page: Page,
    private readonly service: Service,
  ) {}

  static async come(
    browser: Browser,
    emulator: Emulator,
    service: Service,
    options: BrowserContextOptions = {},
  ): Promise<Visitor> {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    const visitor = new Visitor(page, service);
    await page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) =>
        console.error(`CSP ${event.violatedDirective} ${event.blockedURI} ${event.sample}`),
      );
    });
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") visitor.complaints.push(message.text());
    });
    page.on("pageerror", (error) => visitor.complaints.push(error.message));
    page.on("request", (request) => {
      if (![service.url, emulator.url, "data:"].some((place) => request.url().startsWith(place)))
        visitor.complaints.push(`foreign ${request.url()}`);
    });
    return visitor;
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
