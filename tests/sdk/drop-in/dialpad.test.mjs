// Row by row what the dialpad plugin must see:
//
// | A socket opened again in mid-call | hears no second answer: the dialog stays, the agent stays away, the next
//                                       Reservation is not rejected |
// | A number that was pasted          | is dialled as it was meant |
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { places } from "./places.mjs";
import { agent, NO_TIMERS, scene } from "./scene.mjs";

const TO = "+15005550006";
const FROM = "+14155550100";

before(() => Promise.all(places.map((place) => place.start())));
after(() => Promise.all(places.map((place) => place.stop())));

/** A dialpad in each place, of a Worker each. */
async function dialpads(t) {
  const { emulator, service, open } = await scene(t, {
    variables: { ...NO_TIMERS, OUTBOUND_CALLER_IDS: FROM, OUTBOUND_PREFIXES: "+1500,+49" },
    before: async (emulator) => {
      const { workflows } = await emulator.control("GET", "/world");
      return { TWILIO_OUTBOUND_WORKFLOW_SID: workflows[0] };
    },
  });
  const socket = service.url.replace("http", "ws");
  const calls = () => emulator.control("GET", "/calls");
  const pads = places.map(async (place, number) => {
    const { flexToken, contact } = await agent(emulator, number);
    const pad = await open(place, { client: "dialpad", settings: { socket, flexToken, contact } });
    /** Dials, and answers how to let the Call go on. */
    const dial = async (pasted) => {
      await pad.call("paste", pasted);
      await pad.call("dial", FROM);
      const { call } = await pad.until("queued", ({ call }) => call.callStatus === "queued");
      const to = (status) => emulator.control("PUT", `/calls/${call.callSid}`, { status });
      const placed = async () => (await calls()).find(({ sid }) => sid === call.callSid);
      return { to, placed };
    };
    return { pad, dial };
  });
  return Promise.all(pads);
}

const times = (status, { heard }) => heard.filter((one) => one === status).length;

test("a socket opened again during a conversation hears its end only", async (t) => {
  for (const { pad, dial } of await dialpads(t)) {
    const { to } = await dial(TO);
    await to("ringing");
    await pad.until("ringing", ({ call }) => call.callStatus === "ringing");
    // Before the answer a later socket has to be told, or the agent could not hang up.
    await pad.call("start");
    await pad.until("ringing again", (view) => times("ringing", view) === 2);
    await to("in-progress");
    const answered = await pad.until("answered", ({ call }) => call.callStatus === "in-progress");
    assert.deepEqual([answered.open, answered.activity], [false, "Available"]);
    await pad.call("offer", { sid: "WR1", channel: "voice", attributes: { type: "outbound", autoAnswer: "true" } });

    await pad.call("start");
    // Messages keep their order: what the new socket hears at its beginning comes before the answer to its own.
    await pad.call("paste", "1");
    await pad.call("dial", FROM);
    await pad.until("its own question is answered", ({ errors }) => errors.length === 1);
    await pad.call("offer", { sid: "WR2", channel: "voice", attributes: {} });
    const later = await pad.view();
    assert.equal(times("in-progress", later), 1, pad.name);
    assert.deepEqual([later.accepted, later.rejected, later.activity], [["WR1"], [], "Offline"], pad.name);
    await to("completed");
    await pad.until("the end", ({ heard }) => heard.at(-1) === "completed");
  }
});

test("a Call that rings is hung up, also over a socket that came later", async (t) => {
  for (const { pad, dial } of await dialpads(t)) {
    const { to, placed } = await dial(TO);
    await to("ringing");
    await pad.until("ringing", ({ call }) => call.callStatus === "ringing");
    await pad.call("start");
    await pad.until("ringing again", (view) => times("ringing", view) === 2);
    assert.equal(await pad.call("hangUp"), true);
    await pad.until("the end", ({ call }) => call.callStatus === "completed");
    assert.equal((await placed()).status, "completed");
  }
});

test("a pasted number is dialled as it was meant", async (t) => {
  for (const { pad, dial } of await dialpads(t)) {
    for (const pasted of [TO, "+1 (500) 555-0006 ", "\u202a+1500555\u20110006\u202c", "1 500 555 0006"]) {
      const { to, placed } = await dial(pasted);
      assert.equal((await placed()).to, TO, `${pad.name}: ${JSON.stringify(pasted)}`);
      await to("completed");
      await pad.until("the end", ({ call }) => call.callStatus === "completed");
    }
    await pad.call("paste", "+1 500 555 O006");
    await pad.call("dial", FROM);
    const { errors } = await pad.until("refused", ({ errors }) => errors.length === 1);
    assert.match(errors[0], /'O' \(U\+004F\)/);
  }
});
