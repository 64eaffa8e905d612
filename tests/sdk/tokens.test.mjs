// Access tokens: who gets in, what the SDK says when they end, and how it goes on with a new one.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { ending } from "./support/ending.mjs";
import { Emulator } from "./support/emulator.mjs";
import { places } from "./support/places.mjs";

/** Sync announces the end of a token this long before, in seconds. */
const NOTICE = 180;

for (const place of places) {
  describe(`in ${place.name}`, () => {
    before(() => place.start());
    after(() => place.stop());

    const withToken = (name, token, body) =>
      test(name, async (t) => {
        const atEnd = ending(t);
        const emulator = await Emulator.start();
        atEnd(() => emulator.stop());
        await emulator.sync("POST", "/Documents", { UniqueName: "board", Data: { n: 0 } });
        const screen = await place.open(emulator, await token(emulator));
        atEnd(() => screen.close());
        await body(emulator, screen);
        assert.deepEqual(screen.log.filter(({ event }) => event === "pageerror"), []);
      });
    const good = (emulator) => emulator.token();

    withToken("one that is about to expire is renewed without a gap", good, async (emulator, screen) => {
      await screen.call("document", "board");
      await emulator.advance(3600 - NOTICE - 60);
      assert.ok(!screen.has("tokenAboutToExpire"));
      await emulator.advance(60);
      await screen.until("it is announced", () => screen.has("tokenAboutToExpire"));
      await screen.call("updateToken", emulator.token({ ttl: 2 * 3600 }));
      await emulator.advance(NOTICE + 60);
      await emulator.sync("POST", "/Documents/board", { Data: { n: 1 } });
      await screen.until("the change is seen", () => screen.of("board").length === 1);
      assert.deepEqual([screen.has("tokenExpired"), await screen.call("state")], [false, "connected"]);
      assert.deepEqual(new Set(screen.states), new Set(["connecting", "connected"]));
    });

    withToken("one that expires ends the connection, and a new one resumes", good, async (emulator, screen) => {
      await screen.call("document", "board");
      await emulator.advance(3600);
      await screen.until("it has ended", () => screen.has("tokenExpired") && screen.states.at(-1) === "disconnected");
      await emulator.sync("POST", "/Documents/board", { Data: { n: 1 } });
      await screen.call("updateToken", emulator.token({ ttl: 2 * 3600 }));
      await screen.until("what was missed is seen", () => screen.of("board").length === 1);
    });

    withToken("one that is refused as an update ends the connection", good, async (emulator, screen) => {
      await screen.call("document", "board");
      const other = emulator.token({ secret: "not-the-secret" });
      await assert.rejects(screen.call("updateToken", other), /Updated token was rejected.*51130/);
      await screen.until("it is out", () => screen.states.at(-1) === "denied");
    });

    for (const [name, token, status, code] of [
      ["an expired one is refused", (emulator) => expired(emulator), 401, 20104],
      ["one with a wrong signature is refused", (e) => e.token({ secret: "not-the-secret" }), 401, 20107],
      ["one signed with the Auth Token is refused", (e) => e.token({ secret: e.account.auth_token }), 401, 20107],
      ["another service's is refused", (e) => e.token({ service: `IS${"0".repeat(31)}1` }), 403, 54050],
      ["one for too long a time is refused", (e) => e.token({ ttl: 86_401 }), 401, 20157],
    ]) {
      withToken(name, token, async (emulator, screen) => {
        await screen.until("it is refused", () => screen.states.at(-1) === "denied" && screen.has("connectionError"));
        const { what } = screen.log.find(({ event }) => event === "connectionError");
        assert.deepEqual([what.terminal, what.httpStatusCode, what.errorCode], [true, status, code]);
        assert.equal(screen.has("tokenExpired"), code === 20104);
        await assert.rejects(screen.call("document", "board"), /Unable to connect/);
        assert.deepEqual((await emulator.control("GET", "/sockets")).sockets.filter((s) => s.identity), []);
        await screen.call("updateToken", emulator.token({ ttl: 2 * 3600 }));
        assert.deepEqual((await screen.call("document", "board")).data, { n: 0 });
      });
    }
  });
}

/** A token that was good an hour ago. */
async function expired(emulator) {
  const token = emulator.token();
  await emulator.advance(3600);
  return token;
}
