/** `node e2e/shots.mjs`: pictures of the built page, for eyes. */
import { mkdir } from "node:fs/promises";
import { startMock } from "../mock/server.mjs";
import { launch } from "./browser.mjs";

const mock = await startMock({ dist: new URL("../dist/", import.meta.url), seed: 7, alerts: 7 });
const browser = await launch();
await mkdir("e2e/shots", { recursive: true });

async function shot(name, path, width, height, options = {}, act = undefined) {
  const page = await browser.newPage({ viewport: { width, height }, ...options });
  page.on("console", (message) => console.log(name, message.type(), message.text()));
  page.on("pageerror", (error) => console.log(name, "pageerror", error.message));
  await page.goto(mock.url + path);
  await page.waitForTimeout(1500);
  await act?.(page);
  await page.screenshot({ path: `e2e/shots/${name}.png` });
  await page.close();
}

const only = process.argv[2];
const shots = [
  ["desk", "/", 1440, 900, {}, (page) => page.locator(".row button").nth(1).click()],
  ["desk-dark", "/", 1440, 900, { colorScheme: "dark" }],
  ["queues", "/#/queues", 1440, 900],
  [
    "drawer",
    "/",
    1440,
    900,
    {},
    async (page) => {
      await page.locator("[data-metric=oldest]").click();
      await page.fill("#firstThresholdValue", "30");
      await page.waitForTimeout(1200);
    },
  ],
  [
    "drawer-dark",
    "/",
    1440,
    900,
    { colorScheme: "dark" },
    async (page) => {
      await page.locator("[data-metric=oldest]").click();
      await page.waitForTimeout(1000);
    },
  ],
  ["tasks", "/#/tasks", 1440, 900],
  ["agents", "/#/agents", 1440, 900],
  ["voice", "/#/voice", 1440, 900],
  ["phone-voice", "/#/voice", 360, 780],
  [
    "tip",
    "/",
    1440,
    900,
    {},
    async (page) => {
      await page.locator("[data-metric=sla_60]").hover();
      await page.waitForTimeout(600);
    },
  ],
  ["tv", "/?tv=1", 1920, 1080],
  ["tv-dark", "/?tv=1", 1920, 1080, { colorScheme: "dark" }],
  ["phone", "/", 360, 780],
  ["phone-queues", "/#/queues", 360, 780],
  [
    "offline",
    "/",
    1440,
    900,
    {},
    async (page) => {
      mock.refuse(true);
      await page.waitForTimeout(2500);
    },
  ],
];
for (const one of shots) if (!only || one[0].startsWith(only)) await shot(...one);
await browser.close();
await mock.stop();
