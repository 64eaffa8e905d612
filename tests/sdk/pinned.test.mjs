// The SDKs that the older systems pin, and later ones up to version 3: each connects, reads a Document and a Map, sees
// every write in order, and goes on after its connection was cut.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createRequire } from "node:module";
import { test } from "node:test";

import { ending } from "./support/ending.mjs";
import { Emulator } from "./support/emulator.mjs";

const require = createRequire(import.meta.url);
const VERSIONS = ["0.10.4", "0.11.1", "0.11.4", "0.12.2", "0.13.0", "2.0.1", "3.4.0"];

/** The Client class of a version, under the name of the package or as its default export. */
function clientOf(version) {
  const module = require(`twilio-sync-${version}`);
  assert.equal(require(`twilio-sync-${version}/package.json`).version, version);
  return module.SyncClient ?? module.Client ?? module.default ?? module;
}

/** Waits for a condition on what has been logged; every event looks again. */
function until(log, condition) {
  if (condition()) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`still only ${JSON.stringify(log.entries)}`)), 60_000);
    log.look = () => {
      if (!condition()) return;
      clearTimeout(late);
      resolve();
    };
  });
}

function newLog() {
  const log = { entries: [], look() {} };
  log.add = (...entry) => {
    log.entries.push(entry);
    log.look();
  };
  return log;
}

for (const version of VERSIONS) {
  test(`twilio-sync ${version} shows every write in order, also after its connection was cut`, async (t) => {
    const atEnd = ending(t);
    const emulator = await Emulator.start();
    atEnd(() => emulator.stop());
    await emulator.sync("POST", "/Documents", { UniqueName: "board", Data: { n: 0 } });
    await emulator.sync("POST", "/Maps", { UniqueName: "stats" });
    await emulator.sync("POST", "/Maps/stats/Items", { Key: "a", Data: { n: 0 } });

    const Client = clientOf(version);
    const client = new Client(emulator.token(), emulator.options);
    atEnd(() => client.shutdown());
    const connected = () => client.connectionState === "connected";
    while (!connected()) await once(client, "connectionStateChanged");

    const log = newLog();
    const [board, stats] = await Promise.all([client.document("board"), client.map("stats")]);
    assert.deepEqual(board.data ?? board.value, { n: 0 });
    const page = await stats.getItems();
    assert.deepEqual(
      page.items.map(({ key, data, value }) => [key, data ?? value]),
      [["a", { n: 0 }]],
    );
    const of = ({ data, value }) => data ?? value;
    board.on("updated", (event) => log.add("updated", of(event)));
    stats.on("itemAdded", ({ item }) => log.add("itemAdded", item.key, of(item)));
    stats.on("itemUpdated", ({ item }) => log.add("itemUpdated", item.key, of(item)));
    stats.on("itemRemoved", ({ key }) => log.add("itemRemoved", key));

    const boards = () => log.entries.filter(([event]) => event === "updated").map(([, data]) => data.n);
    const items = () => log.entries.filter(([event]) => event !== "updated");
    const write = async (n) => {
      await emulator.sync("POST", "/Documents/board", { Data: { n } });
      await emulator.sync("POST", "/Maps/stats/Items/a", { Data: { n } });
    };
    await write(1);
    await write(2);
    await until(log, () => boards().length === 2 && items().length === 2);
    assert.deepEqual(boards(), [1, 2]);
    assert.deepEqual(items(), [
      ["itemUpdated", "a", { n: 1 }],
      ["itemUpdated", "a", { n: 2 }],
    ]);

    await emulator.control("POST", "/sockets/cut");
    await write(3);
    await emulator.sync("POST", "/Maps/stats/Items", { Key: "b", Data: { n: 3 } });
    await emulator.sync("DELETE", "/Maps/stats/Items/b");
    await until(log, () => boards().at(-1) === 3 && items().at(-1)?.[0] === "itemRemoved");
    assert.deepEqual(boards(), [1, 2, 3]);
    assert.deepEqual(items().slice(2), [
      ["itemUpdated", "a", { n: 3 }],
      ["itemAdded", "b", { n: 3 }],
      ["itemRemoved", "b"],
    ]);
  });
}

test("twilio-node 3 writes with multipart bodies", async (t) => {
  const atEnd = ending(t);
  const emulator = await Emulator.start();
  atEnd(() => emulator.stop());
  const { account_sid, auth_token, sync_service_sid } = emulator.account;
  const twilio = require("twilio-3")(account_sid, auth_token);
  twilio.sync.baseUrl = emulator.url;
  const service = twilio.sync.v1.services(sync_service_sid);
  await service.documents.create({ uniqueName: "board", data: JSON.stringify({ text: "é\r\n--" }) });
  await service.documents("board").update({ data: JSON.stringify({ n: 1 }) });
  assert.deepEqual((await emulator.sync("GET", "/Documents/board")).data, { n: 1 });
  await service.syncMaps.create({ uniqueName: "stats" });
  await service.syncMaps("stats").syncMapItems.create({ key: "a b", data: JSON.stringify({ n: 2 }) });
  assert.deepEqual((await emulator.sync("GET", "/Maps/stats/Items/a%20b")).data, { n: 2 });
});
