// The older systems' pages, written in a few lines each: what they ask of the service itself, from a browser and from
// where they stand.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { test } from "node:test";

import { chromium } from "playwright-core";
import { Client } from "twilio-sync";

import { ending } from "./support/ending.mjs";
import { Emulator } from "./support/emulator.mjs";
import { startService } from "./support/service.mjs";

const USER = { username: "admin", password: "a long password" };
const ACCOUNT = { AUTHENTICATION_USER: USER.username, AUTHENTICATION_PASSWORD: USER.password };
const basic = `Basic ${Buffer.from(`${USER.username}:${USER.password}`).toString("base64")}`;

/** A centre, and the service beside it, with an API key for tokens. */
async function scene(t, variables) {
  const atEnd = ending(t);
  const emulator = await Emulator.start("--queues", "3", "--workers", "4");
  atEnd(() => emulator.stop());
  const { api_key_sid, api_key_secret } = emulator.account;
  const service = await startService(emulator, {
    TWILIO_API_KEY: api_key_sid,
    TWILIO_API_SECRET: api_key_secret,
    ...ACCOUNT,
    ...variables,
  });
  atEnd(() => service.stop());
  return { atEnd, emulator, service };
}

test("the task table shows each step, though it asks once per event", async (t) => {
  const { atEnd, emulator, service } = await scene(t, { SYNC_LAYOUTS: "taskrouter-events" });
  const ask = async (path) => (await fetch(service.publicUrl + path, { headers: { authorization: basic } })).json();
  const { token } = await ask("/token?identity=dashboard");
  const client = new Client(token, emulator.options);
  atEnd(() => client.shutdown());
  const latest = await client.document("SyncTaskRouterEvents");
  const statuses = { "task.created": "pending", "task.completed": "completed", "task.canceled": "canceled" };
  const seen = [];
  let wake;
  // As the page does: one request for each change of the Document, and the table is what it answers.
  latest.on("updated", async ({ data }) => {
    const tasks = await ask("/taskrouter_tasks");
    const row = tasks.find(({ TaskSid }) => TaskSid === data.TaskSid);
    seen.push({ type: data.EventType, status: row?.TaskStatus, row });
    wake?.();
  });
  const until = async (found) => {
    while (!found()) await new Promise((resolve) => (wake = resolve));
  };
  const { queues, workers } = await emulator.control("GET", "/world");
  const task = await emulator.do("create_task", { queue: queues[0].sid, channel: "voice", priority: 1 });
  const reservation = await emulator.do("reserve", { task, worker: workers[0].sid });
  await until(() => seen.some(({ status }) => status === "reserved"));
  await emulator.do("accept", { reservation });
  await until(() => seen.some(({ status }) => status === "assigned"));
  await emulator.do("complete", { reservation });
  await until(() => seen.some(({ status }) => status === "completed"));
  for (const { type, status } of seen) {
    // A later step is right, too; an earlier one would be a table that stays behind.
    if (statuses[type] === "completed") assert.equal(status, "completed");
  }
  const { row } = seen.findLast(({ status }) => status === "completed");
  assert.equal(row.RecordingUrl, "", "a page that calls its methods goes on");
  assert.equal(row.WorkerName, workers[0].friendly_name);
});

/** A page without a script of its own; the tests run theirs in it, as the wallboard's would. */
const BLANK = { contentType: "text/html", body: "<!doctype html><title>wallboard</title>" };

/** Reads a token, saves a tile, and reads the definitions, as both versions of the wallboard do; runs in the page. */
async function useWallboard([base, paths]) {
  const read = async (path, init) => {
    const answer = await fetch(base + path, init);
    return { status: answer.status, body: await answer.json().catch(() => null) };
  };
  const metric = { label: "Waiting", formula: "data.workspace_statistics.realtime.tasks_by_status.pending" };
  const init = {
    method: "POST",
    headers: { Accept: "application/json", "Content-Type": "application/json" },
    body: JSON.stringify({ Waiting: { metric } }),
  };
  const token = await read(paths.token);
  const saved = await read(paths.save, init);
  const definitions = await read(paths.definitions);
  return {
    statuses: [token.status, saved.status, definitions.status],
    token: typeof token.body?.token,
    tile: definitions.body?.Waiting?.metric?.label,
  };
}

const VERSIONS = {
  2022: { token: "/syncToken", save: "/saveDefinition", definitions: "/getDefinitions" },
  2024: { token: "/api/token", save: "/api/save", definitions: "/api/definitions" },
};
const WORKS = { statuses: [200, 200, 200], token: "string", tile: "Waiting" };

async function browser(atEnd) {
  const flags = ["--no-sandbox"];
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, headless: true, args: flags });
  atEnd(() => browser.close());
  return browser;
}

test("the wallboard saves a tile, after signing in and by the browser's own dialog", async (t) => {
  const { atEnd, service } = await scene(t, { SYNC_LAYOUTS: "dashboard-document,dashboard-metrics" });
  const chrome = await browser(atEnd);
  const board = `${service.publicUrl}/board.html`;
  const open = async (options) => {
    const context = await chrome.newContext(options);
    await context.route(board, (route) => route.fulfill(BLANK));
    const page = await context.newPage();
    return { context, page };
  };
  for (const paths of Object.values(VERSIONS)) {
    const signedIn = await open({});
    await signedIn.page.goto(`${service.publicUrl}/login`);
    await signedIn.page.fill("[name=username]", USER.username);
    await signedIn.page.fill("[name=password]", USER.password);
    await signedIn.page.click("button");
    await signedIn.page.waitForURL((url) => !url.pathname.endsWith("/login"));
    await signedIn.page.goto(board);
    assert.deepEqual(await signedIn.page.evaluate(useWallboard, ["", paths]), WORKS);
    await signedIn.context.close();

    // What a user types into the browser's own dialog, which comes with the first 401.
    const asked = await open({ httpCredentials: USER });
    await asked.page.goto(board);
    assert.deepEqual(await asked.page.evaluate(useWallboard, ["", paths]), WORKS);
    await asked.context.close();
  }
});

test("another site's page in a signed-in browser saves nothing", async (t) => {
  const { atEnd, service } = await scene(t, { SYNC_LAYOUTS: "dashboard-document,dashboard-metrics" });
  const elsewhere = createServer((_, answer) => answer.writeHead(200, { "content-type": "text/html" }).end(BLANK.body));
  await once(elsewhere.listen(0, "127.0.0.1"), "listening");
  atEnd(() => elsewhere.close());
  const chrome = await browser(atEnd);
  const context = await chrome.newContext();
  const page = await context.newPage();
  await page.goto(`${service.publicUrl}/login`);
  await page.fill("[name=username]", USER.username);
  await page.fill("[name=password]", USER.password);
  await page.click("button");
  await page.waitForURL((url) => !url.pathname.endsWith("/login"));
  // Another port of the same host: the same *site*, so the cookie goes along, and another origin.
  await page.goto(`http://127.0.0.1:${elsewhere.address().port}/`);
  const outcomes = await page.evaluate(async (base) => {
    const body = JSON.stringify({ Evil: { metric: { label: "Evil", formula: "1" } } });
    const attempt = (path, init) =>
      fetch(base + path, { method: "POST", body, credentials: "include", ...init }).then(
        (answer) => answer.status,
        () => "blocked",
      );
    const found = [];
    for (const path of ["/saveDefinition", "/api/save"]) {
      found.push(await attempt(path, { headers: { "content-type": "application/json" } }));
      found.push(await attempt(path, { mode: "no-cors", headers: { "content-type": "text/plain" } }));
    }
    return found;
  }, service.publicUrl);
  // An opaque answer has the status 0.
  assert.deepEqual(outcomes, ["blocked", 0, "blocked", 0]);
  const definitions = await fetch(`${service.publicUrl}/getDefinitions`, { headers: { authorization: basic } });
  assert.equal((await definitions.json()).Evil, undefined);
});
