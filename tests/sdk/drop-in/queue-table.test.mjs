// Row by row what the Flex statistics plugin must see, from the Map and from the websocket:
//
// | An item above 15 KiB | can still be read by cells that go through every field; no queue disappears |
// | Rows                 | come in TaskRouter's order |
// | Access control       | leaves the Map to the Flex users of the Workers, and to no other identity |
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { PINNED, places, TODAY } from "./places.mjs";
import { agent, NO_TIMERS, QUICK, scene } from "./scene.mjs";

const CHANNELS = ["all", "voice", "chat", "video"];
/** With this many Activities of such names an item has about 20 KiB. */
const [ACTIVITIES, LONGEST] = [45, 60];

before(() => Promise.all(places.map((place) => place.start())));
after(() => Promise.all(places.map((place) => place.stop())));

async function largeCentre(emulator) {
  await emulator.do("add_channel", { name: "video" }).catch(() => {});
  for (let n = 0; n < ACTIVITIES; n += 1) {
    await emulator.do("add_activity", { name: `${n} ${"away ".repeat(20)}`.slice(0, LONGEST), available: false });
  }
  return { ...QUICK, STATS_CHANNELS: "voice,chat,video", SYNC_LAYOUTS: "queue-map" };
}

test("items too large for Sync leave every row readable", async (t) => {
  const { emulator, openAll } = await scene(t, { centre: ["--queues", "2", "--workers", "4"], before: largeCentre });
  await emulator.do("step", { times: 60 });
  const token = emulator.token();
  const settings = { options: emulator.options, token, channels: CHANNELS };
  const tables = await openAll(places, [PINNED.flex, TODAY], { client: "queue-table", settings });
  const { queues } = await emulator.truth(`${new Date().toISOString().slice(0, 10)}T00:00:00Z`);
  const isTrue = ({ sid, all }) => Number(all.entered) === queues[sid].cumulative.tasks_entered;
  const { items } = await emulator.sync("GET", "/Maps/queueStats/Items");
  assert.ok(
    items.every(({ data }) => data.cut?.length > 0),
    "something had to be cut",
  );
  const sizes = items.map(({ data }) => JSON.stringify(data).length);
  assert.ok(
    sizes.every((size) => size > 12 * 1024 && size <= 15 * 1024),
    `no more than needed: ${sizes}`,
  );
  for (const table of tables) {
    const all = ({ rows }) => rows.length === 2 && rows.every(isTrue);
    const { rows, failures } = await table.until(`all rows with their numbers, ${table.name}`, all);
    assert.deepEqual(failures, []);
    for (const row of rows) {
      assert.ok(
        CHANNELS.every((channel) => row[channel].levels.length === 3),
        "splits are cut last",
      );
      assert.ok(row.all.agents.length > ACTIVITIES, "those of all channels are cut after those of single ones");
    }
  }
});

test("rows come in TaskRouter's order over the websocket", async (t) => {
  const { emulator, service, openAll } = await scene(t, { before: () => QUICK });
  // By its SID neither of these would come last, by its name neither.
  for (const name of ["Aardvarks", "Mules"]) await emulator.do("add_queue", { name });
  const { account_sid, auth_token, workspace_sid } = emulator.account;
  const authorization = `Basic ${Buffer.from(`${account_sid}:${auth_token}`).toString("base64")}`;
  const url = `${emulator.url}/v1/Workspaces/${workspace_sid}/TaskQueues`;
  const { task_queues: queues } = await (await fetch(url, { headers: { authorization } })).json();
  const order = queues.map(({ sid }) => sid);
  assert.notDeepEqual(order, [...order].sort(), "the order says something");
  const { flexToken } = await agent(emulator);
  const settings = { socket: service.url.replace("http", "ws"), flexToken };
  for (const table of await openAll(places, [null], { client: "queue-table", settings })) {
    const { rows } = await table.until("all rows", ({ rows }) => rows.length === 6);
    assert.deepEqual(
      rows.map(({ sid }) => sid),
      order,
      table.name,
    );
  }
});

test("after setup --protect-sync Flex users read the Map with their own tokens, and others do not", async (t) => {
  const { emulator, service, open, openAll } = await scene(t, { variables: { ...NO_TIMERS, SYNC_LAYOUTS: "queue-map" } });
  const { status, output } = await service.run("setup", "--protect-sync");
  assert.equal(status, 0, output);
  const { contact } = await agent(emulator);
  const settings = (identity) => ({ options: emulator.options, token: emulator.token({ identity }) });
  const own = settings(contact.replace(/^client:/, ""));
  const tables = await openAll(places, [PINNED.flex, TODAY], { client: "queue-table", settings: own });
  const { queues } = await emulator.control("GET", "/world");
  await emulator.do("create_task", { queue: queues[0].sid, channel: "voice" });
  for (const table of tables) {
    const waits = ({ rows }) => rows.find(({ sid }) => sid === queues[0].sid)?.all.total === 1;
    const { rows, failures } = await table.until(`the Task waits, ${table.name}`, waits);
    assert.deepEqual([rows.length, failures], [queues.length, []], table.name);
  }
  const stranger = open(places[0], { client: "queue-table", sdk: TODAY, settings: settings("a_stranger") });
  await assert.rejects(stranger, ({ code }) => code === 54007);
});
