/** The emulator, the service beside it, and the stand-in for Flex, in which users open the plugin. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, Page } from "playwright-core";
import { launch } from "../../dashboard/e2e/browser.mjs";
import { collectComplaints } from "../../dashboard/e2e/complaints.ts";
import { Emulator, Service } from "../../dashboard/e2e/service/programs.ts";
import type { ShellConfig } from "../shell/manager.ts";
import { serveShell } from "./shellServer.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Centre {
  queues: { sid: string }[];
  workers: { sid: string; attributes: string }[];
  workflows: string[];
  tasks: { attributes: string; reservations: { worker: string; status: string }[] }[];
}

export class Site {
  private readonly users = new Map<string, ShellConfig>();
  private ends: (() => unknown)[] = [];
  browser!: Browser;
  emulator!: Emulator;
  service!: Service;
  private shell!: Awaited<ReturnType<typeof serveShell>>;

  async start(variables: Record<string, string>): Promise<void> {
    this.browser = await launch();
    this.ends.push(() => this.browser.close());
    this.emulator = await Emulator.start();
    this.ends.push(this.emulator.stop);
    this.shell = await serveShell(this.emulator.url, this.users);
    this.ends.push(this.shell.stop);
    const { api_key_sid, api_key_secret } = this.emulator.account;
    this.service = await Service.start(this.emulator, {
      ALLOWED_ORIGINS: this.shell.url,
      FLEX_ROLES: "supervisor,admin",
      TWILIO_API_KEY: api_key_sid,
      TWILIO_API_SECRET: api_key_secret,
      TWILIO_OUTBOUND_WORKFLOW_SID: (await this.centre()).workflows[0] ?? "",
      ...variables,
    });
    this.ends.push(() => this.service.stop());
  }

  async stop(): Promise<void> {
    for (const end of this.ends.reverse()) await end();
    this.ends = [];
  }

  centre = () => this.emulator.control<Centre>("GET", "/world");

  /** Twilio knows this token from now on. */
  issueToken = (token: string, name: string, roles: string[], worker?: string) =>
    this.emulator.control("PUT", `/tokens/${token}`, { realm_user_id: name, roles, worker_sid: worker });
  revokeToken = (token: string) => this.emulator.control("DELETE", `/tokens/${token}`);

  /** Opens the plugin as a user with these roles, who is a Worker of their own. */
  async open(name: string, roles: string[], config: Partial<ShellConfig> = {}): Promise<FlexUser> {
    const worker = (await this.centre()).workers[this.users.size];
    if (!worker) throw new Error("no Worker is left");
    const token = `a-flex-token-of-${name}`;
    await this.issueToken(token, name, roles, worker.sid);
    this.users.set(name, {
      service: this.service.url,
      token,
      identity: name,
      roles,
      worker: { sid: worker.sid, contactUri: JSON.parse(worker.attributes).contact_uri },
      ...config,
    });
    const context = await this.browser.newContext({ viewport: { width: 1440, height: 900 } });
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    const complaints = await collectComplaints(page, () => [
      this.shell.url,
      this.service.url,
      "ws://127.0.0.1",
    ]);
    await page.goto(`${this.shell.url}/${name}/`);
    return new FlexUser(page, worker.sid, token, complaints);
  }
}

export class FlexUser {
  constructor(
    readonly page: Page,
    readonly worker: string,
    readonly token: string,
    private readonly complaints: string[],
  ) {}

  banner = () => this.page.getByTestId("banner");
  trouble = () => this.banner().getAttribute("data-trouble");
  link = (name = "Realtime") => this.page.getByRole("button", { name, exact: true });
  openRealtime = (name?: string) => this.link(name).click();

  /** Flex renews its token. */
  renewToken = (token: string) =>
    this.page.evaluate(
      (next) => (window as unknown as { shell: { setToken(token: string): void } }).shell.setToken(next),
      token,
    );

  /** What axe finds within `scope`. */
  async findings(scope: string): Promise<string[]> {
    await this.page.evaluate(axe);
    return this.page.evaluate(async (selector) => {
      const { axe: tool } = window as unknown as {
        axe: { run(s: string): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
      };
      const { violations } = await tool.run(selector);
      return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
    }, scope);
  }

  /** What the browser complained about, apart from answers that a test denied it on purpose. */
  complained = (expected: readonly RegExp[] = []) =>
    this.complaints.filter((text) => !expected.some((one) => one.test(text)));

  leave = () => this.page.context().close();
}
