// Where a front end runs: this process, and a page in Chromium. Both run the same client, of `clients/`, on the same
// version of Twilio's SDK.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";
import { chromium } from "playwright-core";
import WebSocket from "ws";

import { FLAGS } from "../support/places.mjs";

const require = createRequire(import.meta.url);
/** The versions that the older front ends pin (a Flex plugin gets Flex's own), and today's. */
export const PINNED = { flex: "0.10.4", wallboard: "0.12.2", taskTable: "0.10.4" };
export const TODAY = "4.0.1";
/** Far beyond what anything takes. */
const DEADLINE = 120_000;

/** What a promise gives; where nothing comes, an error with what is known of that. */
async function within(what, promise, found) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(async () => {
      const known = await Promise.race([found(), new Promise((resolve) => setTimeout(resolve, 5000, "nothing"))]);
      reject(new Error(`${what}: nothing came within ${DEADLINE / 1000} s; known: ${known}`));
    }, DEADLINE);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

const packageOf = (version) => (version === TODAY ? "twilio-sync" : `twilio-sync-${version}`);

/** A client as one module, for both places. */
async function moduleOf(client) {
  const entry = fileURLToPath(new URL(`clients/${client}.mjs`, import.meta.url));
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    write: false,
    logLevel: "error",
  });
  return outputFiles[0].text;
}

/** A running front end. */
export class FrontEnd {
  #changes = 0;
  #watchers = new Set();

  constructor(call, close) {
    Object.assign(this, { call, close });
  }

  changed() {
    this.#changes += 1;
    for (const watcher of this.#watchers) watcher();
    this.#watchers.clear();
  }

  view() {
    return this.call("view");
  }

  /** Waits until its view meets a condition; looked at after each of its changes. */
  async until(what, condition) {
    const end = Date.now() + DEADLINE;
    for (;;) {
      const changes = this.#changes;
      const view = await this.view();
      if (condition(view)) return view;
      const left = end - Date.now();
      if (left <= 0) throw new Error(`never came true: ${what}; the view:\n${JSON.stringify(view, null, 1)}`);
      if (changes !== this.#changes) continue;
      await new Promise((resolve) => {
        const late = setTimeout(resolve, left);
        this.#watchers.add(() => resolve(clearTimeout(late)));
      });
    }
  }
}

/** Signs a browser or a script in at the service: the cookie of its session. */
async function cookieOf({ url, user, password }) {
  const body = new URLSearchParams({ username: user, password });
  const answer = await fetch(`${url}/login`, { method: "POST", body, redirect: "manual" });
  return answer.headers.get("set-cookie").split(";")[0];
}

class InNode {
  name = "Node.js";

  async start() {}

  async stop() {}

  /** As a browser would, with the cookie and the origin of the page's own host. */
  async open({ client, site, sdk = TODAY, signIn, settings = {} }) {
    const { default: Class } = await import(`data:text/javascript,${encodeURIComponent(await moduleOf(client))}`);
    const sync = require(packageOf(sdk));
    const cookie = signIn && (await cookieOf(signIn));
    const ask = (path, init = {}) => {
      const headers = { ...init.headers, ...(cookie && { cookie }) };
      return fetch(new URL(path, site.url), {
        ...init,
        headers: { ...headers, ...(init.body && { origin: site.url }) },
      });
    };
    let front;
    // A copy, since the SDK puts its own parts into the options.
    const one = new Class(
      {
        Client: sync.SyncClient ?? sync.Client ?? sync.default ?? sync,
        WebSocket,
        fetch: ask,
        ...structuredClone(settings),
      },
      () => front?.changed(),
    );
    front = new FrontEnd(
      async (method, ...args) => structuredClone(await one[method](...args)),
      async () => one.stop(),
    );
    try {
      await one.start();
    } catch (error) {
      // Its connection would keep this process from ending.
      await one.stop();
      throw error;
    }
    return front;
  }
}

const PAGE = `<!doctype html><link rel="icon" href="data:,"><script src="/front-end/sdk.js"></script>
<script type="module">
import Class from "/front-end/client.js";
window.begin = async (settings) => {
  const ask = (...args) => fetch(...args);
  window.one = new Class({ Client: Twilio.Sync.Client, WebSocket, fetch: ask, ...settings }, () => window.changed());
  await window.one.start();
};
window.loaded();
</script>`;

class InChromium {
  name = "Chromium";

  async start() {
    // Playwright makes a new user data directory and removes it at the end.
    this.browser = await chromium.launch({ executablePath: process.env.CHROMIUM, headless: true, args: FLAGS });
  }

  async stop() {
    await this.browser?.close();
  }

  /**
   * The site serves the page. A user signs in by the service's own form first, in the same browser, or types name and
   * password into the browser's dialog.
   */
  async open({ client, site, sdk = TODAY, signIn, typed, settings = {} }) {
    const built = sdk === TODAY ? "builds" : "dist";
    const directory = require.resolve(`${packageOf(sdk)}/package.json`).replace("package.json", built);
    site.pages.set("/front-end/", ["text/html; charset=utf-8", PAGE]);
    site.pages.set("/front-end/sdk.js", ["text/javascript", readFileSync(`${directory}/twilio-sync.min.js`, "utf8")]);
    site.pages.set("/front-end/client.js", ["text/javascript", await moduleOf(client)]);
    const context = await this.browser.newContext(typed && { httpCredentials: typed });
    context.setDefaultTimeout(DEADLINE);
    const page = await context.newPage();
    const problems = [];
    page.on("pageerror", (error) => problems.push(error.stack));
    if (signIn) {
      await page.goto(`${signIn.url}/login`);
      await page.fill("[name=username]", signIn.user);
      await page.fill("[name=password]", signIn.password);
      await Promise.all([page.waitForURL((url) => !url.pathname.endsWith("/login")), page.keyboard.press("Enter")]);
    }
    const lines = [];
    page.on("console", (message) => lines.push(message.text()));
    /** What the page has asked for, and logged. */
    const found = async () => {
      const asked = await page.evaluate(() =>
        performance.getEntriesByType("resource").map(({ name, responseEnd }) => `${name} ${Math.round(responseEnd)}`),
      );
      return [...asked, ...lines, ...problems].join("\n");
    };
    const call = (method, ...args) => {
      const answer = page.evaluate(([method, args]) => window.one[method](...args), [method, args]);
      return within(method, answer, found);
    };
    const front = new FrontEnd(call, () => context.close());
    Object.assign(front, { page, context, problems });
    await page.exposeFunction("changed", () => front.changed());
    let ready;
    const loaded = new Promise((resolve) => (ready = resolve));
    // Awaited, since Playwright drops the call of a function that it has not exposed yet.
    await page.exposeFunction("loaded", ready);
    await page.goto(`${site.url}/front-end/`);
    await within("the page", loaded, found);
    await within(
      "the front end",
      page.evaluate((settings) => window.begin(settings), settings),
      found,
    );
    return front;
  }
}

export const places = [new InNode(), new InChromium()];
