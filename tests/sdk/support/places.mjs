// The two places where the SDK runs: this process, and a page in Chromium.
import { once } from "node:events";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";
import { chromium } from "playwright-core";

import { Probe } from "./probe.mjs";
import { Screen } from "./screen.mjs";

export const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

class Node {
  name = "Node.js";

  async start() {}

  async stop() {}

  open(emulator, token = emulator.token()) {
    return Screen.open(async (tell) => {
      const probe = new Probe(token, emulator.options, tell);
      return { call: async (method, ...args) => probe[method](...args), close: () => probe.shutdown() };
    });
  }
}

/** One browser with an empty profile, and a page without any history for each screen. */
class Chromium {
  name = "Chromium";

  async start() {
    const entry = fileURLToPath(new URL("page.mjs", import.meta.url));
    const options = { bundle: true, format: "esm", write: false, logLevel: "error", define: { global: "window" } };
    const { outputFiles } = await build({ entryPoints: [entry], platform: "browser", ...options });
    const pages = {
      "/": ["text/html", '<!doctype html><output id="tile"></output><script type="module" src="page.js"></script>'],
      "/page.js": ["text/javascript", outputFiles[0].text],
    };
    this.server = createServer(({ url }, answer) => {
      const [type, body] = pages[url] ?? [];
      answer.writeHead(type ? 200 : 404, type && { "content-type": `${type}; charset=utf-8` }).end(body);
    });
    await once(this.server.listen(0, "127.0.0.1"), "listening");
    this.address = `http://127.0.0.1:${this.server.address().port}/`;
    // Playwright makes a new user data directory and removes it at the end.
    this.browser = await chromium.launch({ executablePath: process.env.CHROMIUM, headless: true, args: FLAGS });
  }

  async stop() {
    await this.browser?.close();
    this.server.closeAllConnections();
    this.server.close();
  }

  async open(emulator, token = emulator.token()) {
    const context = await this.browser.newContext();
    const screen = await Screen.open(async (tell) => {
      const page = await context.newPage();
      page.on("pageerror", (error) => tell({ event: "pageerror", what: error.stack }));
      await page.exposeFunction("tell", tell);
      const begin = async (token) => {
        await page.goto(this.address);
        await page.evaluate(([token, options]) => window.begin(token, options), [token, emulator.options]);
      };
      await begin(token);
      const own = { reload: begin, tile: () => page.textContent("#tile") };
      const call = (method, ...args) =>
        own[method]?.(...args) ??
        page.evaluate(([method, args]) => window.probe[method](...args), [method, args]);
      return { call, close: () => context.close() };
    });
    return screen;
  }
}

export const places = [new Node(), new Chromium()];
