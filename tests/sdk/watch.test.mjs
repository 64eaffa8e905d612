// The SDK against what is written over REST: every change, in order, once; also after a connection is lost.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { ending } from "./support/ending.mjs";
import { Emulator } from "./support/emulator.mjs";
import { places } from "./support/places.mjs";

for (const place of places) {
  describe(`in ${place.name}`, () => {
    before(() => place.start());
    after(() => place.stop());

    /** A test with an emulator that holds a Document and a Map. */
    const watching = (name, body) =>
      test(name, async (t) => {
        const atEnd = ending(t);
        const emulator = await Emulator.start();
        atEnd(() => emulator.stop());
        await emulator.sync("POST", "/Documents", { UniqueName: "board", Data: { n: 0 } });
        await emulator.sync("POST", "/Maps", { UniqueName: "stats" });
        const screen = await place.open(emulator);
        atEnd(() => screen.close());
        await body(emulator, screen);
        assert.deepEqual(screen.log.filter(({ event }) => event === "pageerror"), []);
      });

    watching("a Document and a Map show every write in order", async (emulator, screen) => {
      assert.deepEqual(await screen.call("document", "board"), { data: { n: 0 }, revision: "0" });
      assert.deepEqual(await screen.call("map", "stats"), [[]]);
      await emulator.sync("POST", "/Documents/board", { Data: { n: 1 } });
      await emulator.sync("POST", "/Maps/stats/Items", { Key: "a", Data: { n: 1 } });
      await emulator.sync("POST", "/Maps/stats/Items/a", { Data: { text: "é \u2028 😀\n\"\\" } });
      await emulator.sync("POST", "/Maps/stats/Items", { Key: "b/ü ?&", Data: {} });
      await emulator.sync("DELETE", "/Maps/stats/Items/a");
      await emulator.sync("POST", "/Documents/board", { Data: { n: 2 } });
      await screen.until("all is seen", () => screen.of("board").length === 2 && screen.of("stats").length === 4);
      assert.deepEqual(screen.of("board"), [
        { object: "board", event: "updated", data: { n: 1 }, previousData: { n: 0 }, isLocal: false },
        { object: "board", event: "updated", data: { n: 2 }, previousData: { n: 1 }, isLocal: false },
      ]);
      const text = { text: "é \u2028 😀\n\"\\" };
      assert.deepEqual(screen.of("stats"), [
        { object: "stats", event: "itemAdded", key: "a", data: { n: 1 }, isLocal: false },
        { object: "stats", event: "itemUpdated", key: "a", data: text, isLocal: false },
        { object: "stats", event: "itemAdded", key: "b/ü ?&", data: {}, isLocal: false },
        { object: "stats", event: "itemRemoved", key: "a", data: text },
      ]);
      await emulator.sync("DELETE", "/Documents/board");
      await emulator.sync("DELETE", "/Maps/stats");
      const removed = (object) => screen.of(object).at(-1).event === "removed";
      await screen.until("both are gone", () => removed("board") && removed("stats"));
    });

    watching("nothing is lost and nothing comes twice while connections are cut", async (emulator, screen) => {
      await screen.call("document", "board");
      await screen.call("map", "stats");
      const expected = [];
      let n = 0;
      const write = async () => {
        n += 1;
        await emulator.sync("POST", "/Documents/board", { Data: { n } });
        if (n % 3 === 1) await emulator.sync("POST", "/Maps/stats/Items", { Key: `k${n}`, Data: { n } });
        if (n % 3 === 2) await emulator.sync("POST", `/Maps/stats/Items/k${n - 1}`, { Data: { n } });
        if (n % 3 === 0) await emulator.sync("DELETE", `/Maps/stats/Items/k${n - 2}`);
        const event = ["itemRemoved", "itemAdded", "itemUpdated"][n % 3];
        expected.push([event, `k${n - ((n + 2) % 3)}`, n % 3 === 0 ? n - 1 : n]);
      };
      const writes = async (times) => {
        for (let done = 0; done < times; done += 1) await write();
      };
      const complete = () =>
        screen.until(`all of ${n} changes are seen`, () => {
          const [board, stats] = [screen.of("board"), screen.of("stats")];
          assert.deepEqual(board.map(({ data }) => data.n), Array.from({ length: board.length }, (_, i) => i + 1));
          const seen = stats.map(({ event, key, data }) => [event, key, data.n]);
          assert.deepEqual(seen, expected.slice(0, seen.length));
          return board.length === n && stats.length === n;
        });

      await writes(9);
      await complete();
      // In the middle of writing, and whatever is on its way.
      for (let cut = 0; cut < 3; cut += 1) {
        const writing = writes(6);
        await emulator.control("POST", "/sockets/cut");
        await writing;
        await complete();
      }
      // And while it is certainly away.
      const before = screen.states.length;
      await emulator.door(false);
      await screen.until("it has noticed", () => screen.states.length > before);
      await writes(12);
      await emulator.door(true);
      await complete();
      await writes(3);
      await complete();
    });

    watching("what was removed while away is seen as removed", async (emulator, screen) => {
      await screen.call("document", "board");
      await screen.call("map", "stats");
      await emulator.door(false);
      await screen.until("it has noticed", () => screen.states.at(-1) !== "connected");
      await emulator.sync("DELETE", "/Documents/board");
      await emulator.sync("DELETE", "/Maps/stats");
      await emulator.door(true);
      const removed = (object) => screen.of(object).at(-1)?.event === "removed";
      await screen.until("both are gone", () => removed("board") && removed("stats"));
    });

    watching("items come page by page, in either order", async (emulator, screen) => {
      const keys = Array.from({ length: 130 }, (_, n) => `k${String(n).padStart(3, "0")}`);
      for (const key of keys) await emulator.control("PUT", `/sync/maps/stats/items/${key}`, { key });
      const pages = await screen.call("map", "stats", 40);
      assert.deepEqual(pages.map((page) => page.length), [40, 40, 40, 10]);
      assert.deepEqual(pages.flat(), keys.map((key) => [key, { key }]));
      const flat = async (query) => (await screen.call("items", "stats", query)).flat().map(([key]) => key);
      assert.deepEqual(await flat({ order: "desc", pageSize: 100 }), keys.toReversed());
      assert.deepEqual(await flat({ from: "k100", pageSize: 100 }), keys.slice(100));
      assert.deepEqual(screen.of("stats"), [], "reading is no change");
    });

    watching("the SDK's own writes arrive, each once", async (emulator, screen) => {
      await screen.call("document", "board");
      await screen.call("map", "stats");
      await screen.call("with", "board", "set", { mine: 1 });
      await screen.call("with", "stats", "set", "k", { mine: 1 });
      await screen.call("with", "stats", "update", "k", { more: 2 });
      assert.deepEqual(await screen.call("with", "stats", "get", "k"), { key: "k", data: { mine: 1, more: 2 } });
      assert.deepEqual((await emulator.control("GET", "/sync/documents/board")).data, { mine: 1 });
      assert.deepEqual(await emulator.control("GET", "/sync/maps/stats"), { k: { mine: 1, more: 2 } });
      await emulator.sync("POST", "/Documents/board", { Data: { theirs: 2 } });
      await emulator.sync("POST", "/Maps/stats/Items/k", { Data: { theirs: 2 } });
      const theirs = (object) => screen.of(object).at(-1)?.data.theirs === 2;
      await screen.until("theirs is seen", () => theirs("board") && theirs("stats"));
      assert.deepEqual(screen.of("board").map(({ isLocal }) => isLocal), [true, false]);
      assert.deepEqual(screen.of("stats").map(({ isLocal }) => isLocal), [true, true, false]);
      await assert.rejects(screen.call("with", "board", "set", { large: "x".repeat(16 * 1024) }), /54006/);
    });

    if (place.name === "Chromium") {
      watching("a reloaded page picks up where it left off", async (emulator, screen) => {
        await screen.call("document", "board");
        await emulator.sync("POST", "/Documents/board", { Data: { n: 1 } });
        await screen.until("the first", () => screen.of("board").length === 1);
        await screen.call("reload", emulator.token());
        await emulator.sync("POST", "/Documents/board", { Data: { n: 2 } });
        const kept = await screen.call("document", "board");
        assert.deepEqual(kept, { data: { n: 1 }, revision: "1" }, "the browser's session kept what was read last");
        await emulator.sync("POST", "/Documents/board", { Data: { n: 3 } });
        await screen.until("the third", () => screen.of("board").at(-1).data.n === 3);
        assert.deepEqual(screen.of("board").map(({ data }) => data.n), [1, 2, 3]);
      });
    }
  });
}
