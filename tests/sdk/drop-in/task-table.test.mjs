// Row by row what the TaskRouter dashboard's page must see:
//
// | A list read because of an event | shows that event, 12 of 12 steps, also 150 ms after the one before |
// | Completed and cancelled Tasks   | are listed; a Recording can be played, also one that came after the end; texts
//                                     that have no value are "" |
// | A token                         | lasts 60 minutes, since the page never renews it |
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { PINNED, places, TODAY } from "./places.mjs";
import { NO_TIMERS, scene } from "./scene.mjs";

const VERSIONS = [PINNED.taskTable, TODAY];
const LAYOUTS = "taskrouter-stats,taskrouter-events,taskrouter-tasks";

before(() => Promise.all(places.map((place) => place.start())));
after(() => Promise.all(places.map((place) => place.stop())));

/** The page in each place, on each version. */
async function tables(t) {
  const set = await scene(t, { variables: { ...NO_TIMERS, SYNC_LAYOUTS: LAYOUTS } });
  const { emulator, signIn } = set;
  const { queues, workers } = await emulator.control("GET", "/world");
  // Those who take a Task have to be there for it.
  for (const { sid } of workers) await emulator.do("set_activity", { worker: sid, activity: "Available" });
  const front = { client: "task-table", signIn, settings: { options: emulator.options } };
  const pages = await set.openAll(places, VERSIONS, front);
  const create = (name) =>
    emulator.do("create_task", {
      queue: queues[0].sid,
      channel: "voice",
      attributes: { name, channel: "phone", team: "" },
    });
  const everywhere = (what, condition) =>
    Promise.all(pages.map((page) => page.until(`${what}, ${page.name}`, condition)));
  return { ...set, pages, everywhere, workers, create };
}

/** How far a Task has come with an event. */
const RANKS = ["pending", "reserved", "assigned", "wrapping", "completed", "canceled"];
const AFTER = {
  "task.created": "pending",
  "reservation.created": "reserved",
  "reservation.accepted": "assigned",
  "reservation.wrapup": "wrapping",
  "task.wrapup": "wrapping",
  "task.completed": "completed",
  "task.canceled": "canceled",
};
/** How far apart the two steps of a pair are. */
const [CREATED_RESERVED, WRAPPED_COMPLETED] = [150, 200];

test("12 of 12 steps show at once", async (t) => {
  const { emulator, pages, everywhere, workers, create } = await tables(t);
  const right = [];
  /** Nothing follows that could repair a list which is one step behind. */
  const shows = async (task, status) => {
    const row = ({ rows }) => rows.find(({ sid }) => sid === task);
    await everywhere(`${task} ${status}`, (view) => row(view)?.status === status);
    right.push(status);
  };
  for (const { sid: worker } of workers.slice(0, 2)) {
    const task = await create("ann");
    await pause(CREATED_RESERVED);
    const reservation = await emulator.do("reserve", { task, worker });
    await shows(task, "reserved");
    await emulator.do("accept", { reservation });
    await shows(task, "assigned");
    await emulator.do("wrap", { reservation });
    await pause(WRAPPED_COMPLETED);
    await emulator.do("complete", { reservation });
    await shows(task, "completed");
  }
  const [first, second] = [await create("ben"), await create("cem")];
  await shows(second, "pending");
  await shows(first, "pending");
  await emulator.do("cancel", { task: first });
  await shows(first, "canceled");
  await emulator.do("reserve", { task: second, worker: workers[2].sid });
  await shows(second, "reserved");
  await emulator.do("cancel", { task: second });
  await shows(second, "canceled");
  const third = await create("dee");
  await shows(third, "pending");
  assert.equal(right.length, 12);
  for (const page of pages) {
    const { shown, failures } = await page.view();
    assert.deepEqual(failures, []);
    const behind = shown.filter(
      ({ event, status }) => AFTER[event] && RANKS.indexOf(status) < RANKS.indexOf(AFTER[event]),
    );
    assert.deepEqual(behind, [], `${page.name}: a list that was read because of an event shows it`);
  }
});

test("finished Tasks stay, and their Recordings are played", async (t) => {
  const { emulator, service, pages, everywhere, workers, create, signIn } = await tables(t);
  const { auth_token } = emulator.account;
  const task = await create("ann");
  const row = ({ rows }) => rows.find(({ sid }) => sid === task);
  for (const view of await everywhere("listed", row))
    assert.deepEqual([row(view).agent, row(view).recording], ["", ""]);
  const reservation = await emulator.do("reserve", { task, worker: workers[0].sid });
  await emulator.do("accept", { reservation });
  await emulator.do("complete", { reservation });
  for (const view of await everywhere("completed", (view) => row(view)?.status === "completed")) {
    const { step, play, recording, agent } = row(view);
    assert.deepEqual([step, play, recording, agent], [4, false, "", workers[0].friendly_name]);
  }

  const path = `/taskrouter_recording_callback?TaskSid=${task}`;
  const { default: twilio } = await import("twilio");
  const form = { RecordingUrl: "https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/RE1", RecordingSid: "RE1" };
  const signature = twilio.getExpectedTwilioSignature(auth_token, service.url + path, form);
  const posted = await fetch(service.url + path, {
    method: "POST",
    headers: { "x-twilio-signature": signature },
    body: new URLSearchParams(form),
  });
  assert.ok(posted.ok, `${posted.status}`);
  // The page reads its list with the next event, of whatever Task.
  const other = await create("ben");
  for (const view of await everywhere("it can be played", (view) => row(view)?.play)) {
    assert.equal(row(view).recording, `${form.RecordingUrl}.mp3`);
  }
  await emulator.do("cancel", { task: other });
  const cancelled = ({ rows }) => rows.some(({ sid, status }) => sid === other && status === "canceled");
  await everywhere("cancelled", cancelled);
  for (const page of pages) assert.deepEqual((await page.view()).failures, []);

  const answer = await fetch(`${service.url}/sync_taskrouter_tasks`, {
    headers: { authorization: `Basic ${Buffer.from(`${signIn.user}:${signIn.password}`).toString("base64")}` },
  });
  assert.equal(answer.status, 200);
  const { items } = await emulator.sync("GET", "/Maps/SyncTaskRouterTasks/Items");
  assert.deepEqual(new Set(items.map(({ data }) => data.TaskStatus)), new Set(["completed", "canceled"]));
});

test("a token lasts 60 minutes", async (t) => {
  const { pages } = await tables(t);
  for (const page of pages) {
    const { token } = await page.view();
    const { exp, nbf, iat } = JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
    const seconds = exp - (nbf ?? iat);
    assert.ok(seconds >= 3600 && seconds <= 3660, `${page.name}: ${seconds}`);
  }
});
