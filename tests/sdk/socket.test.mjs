// The bare socket: what the SDK never does, and others may.
import assert from "node:assert/strict";
import { on, once } from "node:events";
import { test } from "node:test";

import WebSocket from "ws";

import { ending } from "./support/ending.mjs";
import { Emulator } from "./support/emulator.mjs";

const frame = (header, payload = "") => {
  const text = JSON.stringify({ ...header, payload_size: Buffer.byteLength(payload) });
  return Buffer.from(`TWILSOCK V3.0 ${Buffer.byteLength(text)}\r\n${text}\r\n${payload}`);
};

/** The header and payload of the next frame. */
const next = async (socket) => {
  const [bytes] = (await socket.frames.next()).value;
  const [, header, payload] = bytes.toString().split("\r\n");
  return { ...JSON.parse(header), payload };
};

async function connected(t) {
  const atEnd = ending(t);
  const emulator = await Emulator.start();
  atEnd(() => emulator.stop());
  const socket = new WebSocket(emulator.socket);
  atEnd(() => socket.terminate());
  // From the first on, so that none is missed that comes together with another.
  socket.frames = on(socket, "message");
  await once(socket, "open");
  return { emulator, socket };
}

/** A socket that has shown a token. */
async function known(t) {
  const { emulator, socket } = await connected(t);
  socket.send(frame({ method: "init", id: "TM1", token: emulator.token(), capabilities: ["client_update", "x"] }));
  const reply = await next(socket);
  assert.deepEqual([reply.id, reply.status.code, reply.capabilities], ["TM1", 200, ["client_update"]]);
  return { emulator, socket };
}

for (const [name, message] of [
  ["text", "hello"],
  ["bytes that are no frame", Buffer.from("hello")],
  ["a frame without a method", frame({ id: "TM1" })],
  ["a frame that promises more than it has", Buffer.concat([frame({ method: "close", id: "TM1" }), Buffer.from("x")])],
]) {
  test(`${name} ends the connection with a reason`, async (t) => {
    const { socket } = await connected(t);
    const closed = once(socket, "close");
    socket.send(message);
    const { method, status } = await next(socket);
    assert.deepEqual([method, status.code], ["close", 406]);
    await closed;
  });
}

test("a message larger than allowed ends the connection", async (t) => {
  const { emulator, socket } = await known(t);
  socket.on("error", () => {});
  socket.send(frame({ method: "message", id: "TM2" }, " ".repeat(300 * 1024)));
  await once(socket, "close");
  assert.deepEqual((await emulator.control("GET", "/sockets")).sockets, []);
});

test("nothing is answered before a token is shown, nor for another product", async (t) => {
  const request = { method: "message", active_grant: "data_sync", http_request: get("/v3/Documents/board") };
  const { emulator, socket } = await connected(t);
  await emulator.control("PUT", "/sync/documents/board", { n: 1 });
  socket.send(frame({ ...request, id: "TM1" }));
  const refused = await next(socket);
  assert.deepEqual([refused.status.code, refused.payload], [400, ""]);
  socket.send(frame({ method: "init", id: "TM2", token: emulator.token() }));
  assert.equal((await next(socket)).status.code, 200);
  socket.send(frame({ ...request, id: "TM3", active_grant: "ip_messaging" }));
  assert.equal((await next(socket)).status.code, 403);
  socket.send(frame({ ...request, id: "TM4" }));
  const answer = await next(socket);
  assert.deepEqual([answer.http_status.code, JSON.parse(answer.payload).data], [200, { n: 1 }]);
});

test("unknown addresses are not found", async (t) => {
  const { socket } = await known(t);
  for (const path of ["/v3/Lists/x", "/v3/Streams/x", "/v3/Documents/", "/v1/Services", "/"]) {
    socket.send(frame({ method: "message", id: path, active_grant: "data_sync", http_request: get(path) }));
    const { id, http_status, payload } = await next(socket);
    assert.deepEqual([id, http_status.code, JSON.parse(payload).code], [path, 404, 20404]);
  }
});

test("a batch of too many subscriptions, or of nonsense, is refused", async (t) => {
  const { socket } = await known(t);
  const http_request = { ...get("/v4/Subscriptions"), method: "POST" };
  const send = (body) =>
    socket.send(frame({ method: "message", id: "TM2", active_grant: "data_sync", http_request }, body));
  const wish = { object_sid: "ET0", object_type: "document" };
  const batch = { action: "establish", correlation_id: 1, requests: Array(101).fill(wish) };
  for (const body of [JSON.stringify(batch), "{", "{}", '{"action":"dance","correlation_id":1,"requests":[]}']) {
    send(body);
    assert.equal((await next(socket)).http_status.code, 400);
  }
  send(JSON.stringify({ ...batch, requests: [wish] }));
  assert.equal((await next(socket)).http_status.code, 200);
  const { message_type, payload } = await next(socket);
  const { event_type, event } = JSON.parse(payload);
  assert.deepEqual([message_type, event_type], ["twilio.sync.event", "subscription_failed"]);
  assert.deepEqual([event.object_sid, event.error.status], ["ET0", 404]);
});

function get(path) {
  return { host: "cds.example.com", path, method: "GET", params: {}, headers: {} };
}
