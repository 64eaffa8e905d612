// Row by row what the device-monitoring plugin must see:
//
// | A packet loss of 40 %            | raises an alert without any setting, as it did with the plugin |
// | An action of the users' own      | is recorded and answered, with no webhook and with one |
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { startProxy } from "../support/proxy.mjs";
import { places } from "./places.mjs";
import { agent, NO_TIMERS, scene } from "./scene.mjs";

/** Each call has a caller of its own: the same report again counts once. */
let callers = 0;
const caller = () => `+1500555${String((callers += 1)).padStart(4, "0")}`;
const loss = (percent) => [
  "high-packets-lost-fraction",
  { values: [percent, percent, percent], threshold: { name: "maxAverage", value: 3 } },
];
const mos = (value) => ["low-mos", { values: [value, value, value], threshold: { name: "min", value: 3.5 } }];

before(() => Promise.all(places.map((place) => place.start())));
after(() => Promise.all(places.map((place) => place.stop())));

/** The plugin's page in each place, on a Flex host that the service lists. */
async function flex(t, variables = {}) {
  const site = await startProxy();
  const set = await scene(t, { variables: { ...NO_TIMERS, ALLOWED_ORIGINS: site.url, ...variables } });
  set.atEnd(() => site.stop());
  const { flexToken } = await agent(set.emulator);
  const settings = { base: set.service.url, flexToken };
  return { ...set, watches: await set.openAll(places, [null], { client: "call-watch", site, settings }) };
}

const recorded = ({ service }, count) => service.logged(count, ({ issues }) => issues !== undefined);

test("a packet loss of 40 % and a MOS of 2.9 alert, 2 % and 3.1 do not", async (t) => {
  const set = await flex(t);
  for (const watch of set.watches) {
    for (const [warning, configuration] of [
      [loss(2)],
      [mos(3.1)],
      [loss(40)],
      [mos(2.9)],
      // The value of the README, which never held.
      [loss(40), { highPacketsLostThreshold: 70 }],
    ]) {
      await watch.call("call", caller(), [warning], configuration);
    }
    const { answers } = await watch.until("two alerts", ({ answers }) => answers.length === 2);
    for (const { issues, action, status, body } of answers) {
      assert.deepEqual([issues, action, status], ["call warning condition pct", "log-call", 200], watch.name);
      assert.equal(body.data, "success");
    }
  }
  assert.equal((await recorded(set, 2 * set.watches.length)).length, 2 * set.watches.length);
});

test("an action of the users' own is recorded", async (t) => {
  const set = await flex(t);
  for (const watch of set.watches) {
    await watch.call("call", caller(), [loss(40)], { action: "raise-snmp-alarm" });
    const { answers } = await watch.until("answered", ({ answers }) => answers.length === 1);
    assert.deepEqual([answers[0].status, answers[0].body.data], [200, "success"], watch.name);
    assert.match(answers[0].body.message, /no webhook/);
  }
  const lines = await recorded(set, set.watches.length);
  for (const line of lines) assert.ok(JSON.stringify(line).includes("raise-snmp-alarm"), JSON.stringify(line));
});

test("an action of the users' own becomes a webhook", async (t) => {
  const got = [];
  const alarm = createServer((request, answer) => {
    let body = "";
    request.on("data", (part) => (body += part));
    request.on("end", () => {
      got.push(JSON.parse(body));
      answer.writeHead(204).end();
      alarm.emit("got");
    });
  });
  await once(alarm.listen(0, "127.0.0.1"), "listening");
  t.after(() => alarm.close());
  const { watches } = await flex(t, {
    VOICE_WEBHOOK_URL: `http://127.0.0.1:${alarm.address().port}/alarm`,
    VOICE_WEBHOOK_SECRET: "a-secret-of-the-alarm",
  });
  for (const watch of watches) {
    const delivered = once(alarm, "got");
    await watch.call("call", caller(), [loss(40)], { action: "raise-snmp-alarm" });
    const { answers } = await watch.until("answered", ({ answers }) => answers.length === 1);
    assert.deepEqual(answers[0].body, { data: "success" });
    await delivered;
    assert.equal(got.at(-1).data.action, "raise-snmp-alarm", watch.name);
  }
});
