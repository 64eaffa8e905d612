/**
 * `make shots`: the pictures in README and docs, from the real service beside the simulated centre of `make demo`. `node
 * e2e/shots.mjs NAME` makes those whose names begin so. SERVICE names the program, if it is not `../target/debug/taskrouter-sync`.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { launch } from "./browser.mjs";

const place = (path) => fileURLToPath(new URL(path, import.meta.url));
const OUT = process.env.SHOTS ?? place("../../../docs/images");
const LARGEST = 200_000;

/** A day that has just begun, in a centre that works quickly: curves have something to show after this long. */
const WARM_S = Number(process.env.WARM ?? 200);

/** The demo: its words name the dashboard and who may sign in. */
async function demo() {
  const program = process.env.SERVICE ?? place("../../../target/debug/taskrouter-sync");
  const options = [
    "--port",
    "0",
    "--twilio-port",
    "0",
    "--flex-port",
    "0",
    "--workers",
    "34",
    "--pace",
    "12",
    "--seed",
    "3",
  ];
  const env = { ...process.env, STATS_DAY_START: new Date().toISOString().slice(11, 16) };
  const child = spawn(program, ["demo", ...options], { stdio: ["ignore", "pipe", "ignore"], env });
  process.on("exit", () => child.kill());
  const ended = once(child, "exit").then(([code]) =>
    Promise.reject(new Error(`the demo ended with ${code}`)),
  );
  ended.catch(() => {});
  const told = (async () => {
    let page;
    for await (const line of createInterface(child.stdout)) {
      const [, url, name, password] =
        /dashboard\s+(http\S+)\/\s+sign in as (\S+) with (\S+)/.exec(line) ?? [];
      if (url) page = { url, name, password };
      const [, flex] = /Flex\s+(http\S+)/.exec(line) ?? [];
      if (flex) return { ...page, flex };
    }
  })();
  return { ...(await Promise.race([told, ended])), stop: () => child.kill() };
}

const { url, name: user, password, flex, stop } = await demo();
console.log(`The centre works for ${WARM_S} s.`);
await new Promise((resolve) => setTimeout(resolve, WARM_S * 1000));
const browser = await launch();
await mkdir(OUT, { recursive: true });

async function open(name, width, height, options) {
  const context = await browser.newContext({ viewport: { width, height }, ...options });
  const page = await context.newPage();
  page.on("console", (message) => console.log(name, message.type(), message.text()));
  page.on("pageerror", (error) => console.log(name, "pageerror", error.message));
  return page;
}

async function take(name, page) {
  // Curves and the glow of changes come to rest.
  await page.waitForTimeout(1500);
  const picture = await page.screenshot({ path: `${OUT}/${name}.png` });
  console.log(`${name}.png ${Math.round(picture.length / 1000)} kB`);
  if (picture.length > LARGEST) process.exitCode = 1;
  await page.context().close();
}

/** The plugin in the stand-in for Flex; its theme is Flex's, and no browser's. */
async function flexShot(name, dark, act = undefined) {
  const page = await open(name, 1440, 900);
  await page.route("**/config.json", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ json: { ...(await answer.json()), dark } });
  });
  await page.goto(flex);
  await page.getByRole("button", { name: "Realtime" }).click();
  await page.locator("[data-testid=freshness][data-kind=live]").waitFor({ state: "attached" });
  await act?.(page);
  await take(name, page);
}

async function shot(name, path, width, height, options = {}, act = undefined) {
  const page = await open(name, width, height, options);
  await page.goto(`${url}/login`);
  await page.fill("#username", user);
  await page.fill("#password", password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${url}/`);
  if (path !== "/") await page.goto(url + path);
  await page.locator("[data-testid=freshness][data-kind=live]").waitFor({ state: "attached" });
  await act?.(page);
  await take(name, page);
}

const settings = async (page) => {
  await page.locator("[data-metric=oldest-task]").click();
  await page.fill("#firstThresholdValue", "30");
  await page.fill(
    "#formula",
    "data.queues.reduce((n, q) =>\n  Math.max(n, q.data.realtime.longest_task_waiting_age), 0)",
  );
  await page.locator("#formula-help", { hasText: "=" }).waitFor();
};
const channels = async (page) => {
  for (const n of [0, 1])
    await page.locator("[role=row][data-scope=all] button[aria-expanded]").nth(n).click();
};
/** The TV's first page; its pages turn. */
const first = (page) => page.locator("[data-metric=tasks-waiting]").waitFor({ timeout: 120_000 });
const dark = { colorScheme: "dark" };
const shots = [
  ["desk", "/", 1440, 900],
  ["desk-dark", "/", 1440, 900, dark],
  ["queues", "/#/queues", 1440, 900, {}, channels],
  ["settings", "/", 1440, 900, dark, settings],
  ["tv", "/?tv=1&turn=8", 1920, 1080, dark, first],
  ["phone", "/", 390, 844],
];
const dialpad = (page) => page.getByRole("button", { name: "Dialpad" }).click();
const flexShots = [
  ["flex-realtime", false],
  ["flex-realtime-dark", true],
  ["flex-dialpad", false, dialpad],
];
const only = process.argv[2];
for (const one of shots) if (!only || one[0].startsWith(only)) await shot(...one);
for (const one of flexShots) if (!only || one[0].startsWith(only)) await flexShot(...one);
await browser.close();
stop();
