// The old systems' own environment files, and the steps of docs/moving.md for each, with the emulator in Twilio's place:
//
// | Each sample's file            | starts the service, with what the page says to add and nothing else; the numbers
//                                   arrive where that sample's front end reads them |
// | Dialling configured by halves | is off with a warning, and everything else runs |
// | The repositories' versions    | are named on the page, the dialpad's with 1.1 |
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { Emulator } from "../support/emulator.mjs";
import { ending } from "../support/ending.mjs";
import { startService } from "../support/service.mjs";
import { startProxy } from "../support/proxy.mjs";
import { PINNED, places } from "./places.mjs";
import { agent } from "./scene.mjs";

const [node, chromium] = places;
const read = (path) => readFileSync(new URL(path, import.meta.url), "utf8");
const MOVING = read("../../../docs/moving.md");
const SIGN_IN = { user: "ada", password: "correct-horse" };
const ACCOUNT = `AUTHENTICATION_USER=${SIGN_IN.user}\nAUTHENTICATION_PASSWORD=${SIGN_IN.password}\n`;

before(() => Promise.all(places.map((place) => place.start())));
after(() => Promise.all(places.map((place) => place.stop())));

/** What the table "From, SYNC_LAYOUTS, Also set" says of a system: the line for SYNC_LAYOUTS, none for "any". */
function layouts(from) {
  const row = MOVING.split("\n").find(
    (line) => line.startsWith(`| ${from} |`) && line.split("|").length === 5 && !line.includes("/"),
  );
  assert.ok(row, `docs/moving.md has no row "${from}"`);
  const names = row.split("|")[2].match(/`([^`]+)`/)?.[1];
  return names ? `SYNC_LAYOUTS=${names}\n` : "";
}

const true_ = (emulator) => emulator.truth(`${new Date().toISOString().slice(0, 10)}T00:00:00Z`);

/** Installs by the page's steps 1 to 6, and answers what a front end needs. */
async function move(t, file, add) {
  const atEnd = ending(t);
  const emulator = await Emulator.start("--queues", "4", "--workers", "6");
  atEnd(() => emulator.stop());
  const { workflows } = await emulator.control("GET", "/world");
  const map = (await emulator.sync("POST", "/Maps", {})).sid;
  // Where the old system was; the service is beside it until the last step.
  const old = await startProxy();
  atEnd(() => old.stop());
  await workspace(emulator, { EventCallbackUrl: `${old.url}/old` });
  const values = { ...emulator.account, workflow_sid: workflows[0], map_sid: map };
  const environment = (public_url) =>
    read(`environments/${file}.env`).replace(/\{(\w+)\}/g, (_, name) => ({ ...values, public_url })[name]) + add(public_url);
  // Nothing but the address of the old system is wrong, before the service runs.
  const beforehand = async (run) => {
    const doctor = await run("doctor", "--json");
    assert.deepEqual(wrong(doctor), ["event callback URL"], doctor.output);
  };
  const service = await startService(emulator, {}, { environment, beforehand });
  atEnd(() => service.stop());
  const setup = await service.run("setup", "--event-callback-url");
  assert.equal(setup.status, 0, setup.output);
  const { event_callback_url } = await workspace(emulator);
  assert.ok(event_callback_url.startsWith(`${service.url}/`), event_callback_url);
  const after = await service.run("doctor", "--json");
  assert.equal(after.status, 0, after.output);

  await emulator.do("step", { times: 40 });
  const open = async (place, front) => {
    const opened = await place.open({ site: service, ...front });
    atEnd(() => opened.close());
    return opened;
  };
  return { atEnd, emulator, service, map, open, signIn: { url: service.url, ...SIGN_IN } };
}

/** The names of doctor's checks that fail. */
const wrong = ({ output }) => {
  const { checks } = JSON.parse(output.slice(output.indexOf("{\n"), output.lastIndexOf("}") + 1));
  return checks.filter(({ state }) => ["wrong", "fail"].includes(state)).map(({ name }) => name);
};

/** The Workspace, changed if there is something to change. */
async function workspace(emulator, form) {
  const { account_sid, auth_token, workspace_sid } = emulator.account;
  const authorization = `Basic ${Buffer.from(`${account_sid}:${auth_token}`).toString("base64")}`;
  const body = form && new URLSearchParams(form);
  const url = `${emulator.url}/v1/Workspaces/${workspace_sid}`;
  const answer = await fetch(url, { method: form ? "POST" : "GET", headers: { authorization }, body });
  assert.ok(answer.ok, `${answer.status}`);
  return answer.json();
}

/** What the page says to add for all of them. */
const forAll = (url) => `PUBLIC_URL=${url}\n${ACCOUNT}`;
const pending = async (emulator) => (await true_(emulator)).workspace.realtime.tasks_by_status.pending;

test("A: the statistics plugin reads the Map queueStats", async (t) => {
  const { emulator, open } = await move(t, "a", (url) => `${forAll(url)}${layouts("A")}DASHBOARD_TIMEZONE=Europe/Berlin\n`);
  const settings = { options: emulator.options, token: emulator.token(), channels: ["all", "voice", "chat", "video"] };
  const table = await open(chromium, { client: "queue-table", sdk: PINNED.flex, settings });
  const { queues } = await true_(emulator);
  await table.until(
    "every row is true",
    ({ rows }) =>
      rows.length === 4 &&
      rows.every(({ sid, all }) => all.waiting[0] === queues[sid].realtime.tasks_by_status.pending),
  );
});

for (const [year, file] of [
  [2022, "b-2022"],
  [2024, "b-2024"],
]) {
  test(`B of ${year}: the wallboard reads its own objects, and saves`, async (t) => {
    const add = (url) => forAll(url) + layouts(`B, ${year}`) + "STATS_DAY_START=06:00\n";
    const { emulator, map, open, signIn } = await move(t, file, add);
    const names = { definitions: "wallboard-tiles", data: "wallboard-numbers", map };
    const settings = { year, names, options: emulator.options };
    const page = await open(chromium, { client: "wallboard", sdk: PINNED.wallboard, signIn, settings });
    const formula =
      year === 2022
        ? "data.workspace_statistics.realtime.tasks_by_status.pending"
        : "data.workspace.realtime.tasks_by_status.pending";
    assert.ok(await page.call("save", "Mine", { label: "Mine", formula }));
    const waiting = await pending(emulator);
    await page.until("the number", ({ tiles }) => tiles.find(({ name }) => name === "Mine")?.value === waiting);
    assert.deepEqual((await page.view()).problems, []);
  });
}

test("C: the plugin reads the websocket; dialling by halves is off with a warning, until it is whole", async (t) => {
  const site = await startProxy();
  t.after(() => site.stop());
  const origin = `ALLOWED_ORIGINS=${site.url}\n`;
  const { emulator, service, open } = await move(t, "c", () => origin + ACCOUNT + layouts("C"));
  const { flexToken, contact } = await agent(emulator);
  const settings = { socket: service.url.replace("http", "ws"), flexToken, contact };
  const table = await open(chromium, { client: "queue-table", site, settings });
  const { queues } = await true_(emulator);
  await table.until(
    "every row is true",
    ({ rows }) =>
      rows.length === 4 &&
      rows.every(({ sid, all }) => all.waiting[0] === queues[sid].realtime.tasks_by_status.pending),
  );
  assert.ok(
    service.log.some((line) => line.includes('"WARN"') && line.includes("OUTBOUND_CALLER_IDS")),
    "the log says so",
  );
  await assert.rejects(open(node, { client: "dialpad", settings }));
});

test("C: with the two variables that are new, the dialpad places Calls", async (t) => {
  const outbound = "OUTBOUND_CALLER_IDS=+14155550100\nOUTBOUND_PREFIXES=+1500\n";
  const { emulator, service, open } = await move(t, "c", () => layouts("C") + ACCOUNT + outbound);
  const { flexToken, contact } = await agent(emulator);
  const settings = { socket: service.url.replace("http", "ws"), flexToken, contact };
  const pad = await open(node, { client: "dialpad", settings });
  await pad.call("paste", "+15005550006");
  await pad.call("dial", "+14155550100");
  await pad.until("queued", ({ call }) => call.callStatus === "queued");
});

test("D: the dashboard's page, under one host with the service, reads its Documents and lists", async (t) => {
  const { emulator, open, signIn } = await move(t, "d", (url) => `PUBLIC_URL=${url}\n${layouts("D")}`);
  const settings = { options: emulator.options };
  const { queues } = await emulator.control("GET", "/world");
  const name = { name: "ann", channel: "phone" };
  // The page stops at a Task without these attributes; the simulated ones have none.
  for (const { sid } of (await emulator.control("GET", "/world")).tasks) {
    await emulator.do("set_task_attributes", { task: sid, attributes: name });
  }
  const page = await open(chromium, { client: "task-table", sdk: PINNED.taskTable, signIn, settings });
  const task = await emulator.do("create_task", { queue: queues[0].sid, channel: "voice", attributes: name });
  await page.until("its Task", ({ rows }) => rows.some(({ sid, status }) => sid === task && status === "pending"));
  const waiting = await pending(emulator);
  await page.until("the totals", ({ totals }) => totals.pendingTasks === waiting);
});

test("E: the plugin's report is taken", async (t) => {
  const site = await startProxy();
  t.after(() => site.stop());
  const add = (url) => `${forAll(url)}${layouts("E")}ALLOWED_ORIGINS=${site.url}\n`;
  const { emulator, service, open } = await move(t, "e", add);
  const { flexToken } = await agent(emulator);
  const watch = await open(chromium, { client: "call-watch", site, settings: { base: service.url, flexToken } });
  await watch.call("report", {
    issues: "short call",
    callerId: "+15005550006",
    dnis: "+14155550100",
    action: "log-call",
  });
  const { answers } = await watch.view();
  assert.deepEqual([answers[0].status, answers[0].body], [200, { data: "success" }]);
});

test("the page names every sample by repository and version", () => {
  for (const [repository, version] of [
    ["twilio-labs/plugin-flex-realtime-stats-dashboard", "1.1 and later"],
    ["chaosloth/flex-wallboard", "2022"],
    ["chaosloth/flex-wallboard", "2024"],
    ["twilio-labs/plugin-flex-outbound-dialpad", "up to 1.1"],
    ["jhunter-twilio/twilio-flex-sample-backend", ""],
    ["ameerbadri/twilio-taskrouter-realtime-dashboard", ""],
    ["jlafer/plugin-device-monitoring", "0.0.1"],
  ]) {
    const named = MOVING.split("\n").some((line) => line.includes(repository) && line.includes(version));
    assert.ok(named, `${repository} ${version}`);
  }
  assert.match(MOVING, /default is 8080; A, B, C and E used 3000, D 5000/, "the samples' ports");
  assert.match(MOVING, /packet loss 3 and MOS 3\.0, not its README's 70 and 6/, "the thresholds that ran, and the others");
});
