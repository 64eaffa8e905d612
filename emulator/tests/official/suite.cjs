// Holds the emulator to twilio-node: lists, statistics, Sync, a Call, and its webhook validator.
// The last line says how many tests passed and failed.
"use strict";

const assert = require("node:assert/strict");
const { spawn } = require("node:child_process");
const http = require("node:http");
const path = require("node:path");
const readline = require("node:readline");

const twilio = require(path.join(process.env.NODE_MODULES, "twilio"));

/** An emulator process and an official client pointed at it. */
async function start() {
  const child = spawn(process.env.EMULATOR, ["--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await new Promise((resolve) => readline.createInterface(child.stdout).once("line", (...l) => resolve(l)));
  const { url, account } = JSON.parse(line);
  const client = twilio(account.api_key_sid, account.api_key_secret, { accountSid: account.account_sid });
  for (const product of [client.taskrouter, client.sync, client.api, client.flexApi]) product.baseUrl = url;
  const control = async (method, page, body) => {
    const answer = await fetch(`${url}/emulator${page}`, { method, body: body && JSON.stringify(body) });
    const text = await answer.text();
    return text ? JSON.parse(text) : null;
  };
  return {
    account,
    client,
    control,
    workspace: client.taskrouter.v1.workspaces(account.workspace_sid),
    service: client.sync.v1.services(account.sync_service_sid),
    stop: () => new Promise((resolve) => child.once("exit", resolve) && child.kill()),
  };
}

const refused = (status, code) => (error) => error.status === status && error.code === code;

const tests = {
  "lists are followed page by page": async ({ workspace }) => {
    const queues = await workspace.taskQueues.list({ pageSize: 3 });
    assert.equal(new Set(queues.map((queue) => queue.sid)).size, 8);
    assert.equal((await workspace.workers.list({ pageSize: 10 })).length, 23);
  },

  "statistics are the true ones": async ({ workspace, control }) => {
    await control("POST", "/world", { do: "step", times: 300 });
    const truth = await control("GET", "/truth?since=2020-01-01T00:00:00Z");
    for (const line of await workspace.taskQueues.statistics.list({ minutes: 60, pageSize: 3 })) {
      const { realtime, cumulative } = truth.queues[line.taskQueueSid];
      assert.deepEqual(line.realtime.tasks_by_status, realtime.tasks_by_status);
      assert.equal(line.cumulative.reservations_accepted, cumulative.reservations_accepted);
    }
    const whole = await workspace.realTimeStatistics().fetch();
    assert.deepEqual(whole.tasksByStatus, truth.workspace.realtime.tasks_by_status);
    const sids = Object.keys(truth.queues);
    const bulk = await workspace.taskQueues.bulkRealTimeStatistics.create({ queueSids: sids });
    assert.equal(bulk.taskQueueResponseCount, sids.length);
  },

  "Sync has no upsert and knows its revisions": async ({ service }) => {
    await assert.rejects(service.documents("board").update({ data: {} }), refused(404, 20404));
    const document = await service.documents.create({ uniqueName: "board", data: { a: 1 } });
    assert.deepEqual([document.revision, document.data], ["0", { a: 1 }]);
    await assert.rejects(service.documents.create({ uniqueName: "board" }), refused(409, 54301));
    // By name, because the library does not give a fresh instance its own SID.
    const board = service.documents("board");
    assert.equal((await board.update({ data: { b: 2 }, ifMatch: "0" })).revision, "1");
    await assert.rejects(board.update({ data: {}, ifMatch: "0" }), refused(412, 54103));
    assert.equal(await service.documents("board").remove(), true);
  },

  "items of a map": async ({ service }) => {
    await service.syncMaps.create({ uniqueName: "queueStats" });
    const items = service.syncMaps("queueStats").syncMapItems;
    for (let n = 0; n < 5; n++) await items.create({ key: `k${n}`, data: { n } });
    assert.deepEqual((await items.list({ pageSize: 2 })).map((item) => item.key), ["k0", "k1", "k2", "k3", "k4"]);
    await assert.rejects(items.create({ key: "k0", data: {} }), refused(409, 54208));
    await assert.rejects(items("k0").update({ data: {}, ifMatch: "9" }), refused(412, 54205));
    await items("k0").update({ data: { n: 9 } });
    await assert.rejects(items("k0").remove({ ifMatch: "0" }), refused(412, 54205));
    assert.equal(await items("k0").remove({ ifMatch: "1" }), true);
  },

  "a call": async ({ client }) => {
    const call = await client.calls.create({ to: "+15005550006", from: "+14155552345", url: "https://example.com/x" });
    assert.equal((await client.calls(call.sid).update({ status: "completed" })).status, "completed");
  },

  "plugins are configured, released, and taken back": async ({ client }) => {
    const flex = client.flexApi.v1;
    await assert.rejects(flex.pluginReleases("Active").fetch(), refused(404, 20404));
    const plugin = await flex.plugins.create({ uniqueName: "boards", friendlyName: "Boards" });
    await assert.rejects(flex.plugins.create({ uniqueName: "boards" }), (error) => error.status === 409);
    const versions = flex.plugins("boards").pluginVersions;
    const made = async (version) =>
      versions.create({ versionParam: version, pluginUrl: `https://example.com/${version}.js`, changelog: "more" });
    const [first, second] = [await made("1.0.0"), await made("1.1.0")];
    await assert.rejects(made("1.0.0"), (error) => error.status === 409);
    assert.equal((await versions("1.1.0").fetch()).sid, second.sid);
    assert.deepEqual((await versions.list()).map(({ version }) => version), ["1.1.0", "1.0.0"]);

    const configured = async (name, plugins) => flex.pluginConfigurations.create({ name, plugins });
    const before = await configured("before", [{ plugin_version: first.sid, phase: 3 }]);
    await flex.pluginReleases.create({ configurationId: before.sid });
    const after = await configured("after", [{ plugin_version: second.sid }]);
    const released = await flex.pluginReleases.create({ configurationId: after.sid });
    assert.equal((await flex.pluginReleases("Active").fetch()).sid, released.sid);
    const [one, ...others] = await flex.pluginConfigurations(after.sid).plugins.list();
    assert.deepEqual([one.uniqueName, one.version, one.phase, others.length], ["boards", "1.1.0", 3, 0]);
    assert.equal(one.pluginUrl, second.pluginUrl);
    assert.equal((await flex.pluginConfigurations(after.sid).plugins(plugin.sid).fetch()).pluginVersionSid, second.sid);

    await flex.pluginReleases.create({ configurationId: before.sid });
    assert.equal((await flex.pluginReleases("Active").fetch()).configurationSid, before.sid);
    assert.equal((await flex.pluginReleases.list()).length, 3);
    const twice = [first, second].map(({ sid }) => ({ plugin_version: sid }));
    await assert.rejects(configured("twice", twice), (error) => error.status === 400);
  },

  "callbacks are valid": async ({ account, workspace, control }) => {
    const valid = [];
    const server = http.createServer((request, response) => {
      const parts = [];
      request.on("data", (part) => parts.push(part));
      request.on("end", () => {
        const params = Object.fromEntries(new URLSearchParams(Buffer.concat(parts).toString()));
        const url = `http://${request.headers.host}${request.url}`;
        valid.push(twilio.validateRequest(account.auth_token, request.headers["x-twilio-signature"], url, params));
        response.writeHead(204).end();
      });
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    await workspace.update({ eventCallbackUrl: `http://127.0.0.1:${server.address().port}/events?a=b%20c#rc=1` });
    await control("POST", "/world", { do: "step", times: 200 });
    await control("POST", "/callbacks/wait_idle");
    server.closeAllConnections();
    server.close();
    assert.ok(valid.length > 100 && valid.every(Boolean));
  },
};

(async () => {
  let passed = 0;
  let failed = 0;
  for (const [name, test] of Object.entries(tests)) {
    const emulator = await start();
    try {
      await test(emulator);
      passed += 1;
      console.log(`${name} ... ok`);
    } catch (error) {
      failed += 1;
      console.log(`${name} ... FAILED\n${error.stack}`);
    } finally {
      await emulator.stop();
    }
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed ? 1 : 0;
})();
