// From an event in the contact centre to a number on a screen: the real service between the emulator and the SDK.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { ending } from "./support/ending.mjs";
import { Emulator } from "./support/emulator.mjs";
import { places } from "./support/places.mjs";
import { startService } from "./support/service.mjs";

/** Timers that never fire within a test, so that what shows is the events' doing. */
const NO_TIMERS = { REALTIME_INTERVAL: "1h", CUMULATIVE_INTERVAL: "1h", DIRECTORY_INTERVAL: "1h" };

for (const place of places) {
  describe(`in ${place.name}`, () => {
    before(() => place.start());
    after(() => place.stop());

    test("a change in the centre arrives on the screen, also after a lost connection", async (t) => {
      const atEnd = ending(t);
      const emulator = await Emulator.start("--queues", "4", "--workers", "6");
      atEnd(() => emulator.stop());
      const service = await startService(emulator, NO_TIMERS);
      atEnd(() => service.stop());
      const screen = await place.open(emulator);
      atEnd(() => screen.close());
      await screen.call("document", "dashboard-data");
      const { queues, workers } = await emulator.control("GET", "/world");
      const shown = new Map((await screen.call("map", "queueStats")).flat());
      assert.deepEqual(new Set(shown.keys()), new Set(queues.map(({ sid }) => sid)));

      const queue = queues[0].sid;
      const status = (of, name) => {
        const told = screen.of("queueStats").findLast(({ key }) => key === queue)?.data ?? shown.get(queue);
        return told[`realTimeStats_${of}`].tasksByStatus[name];
      };
      const waiting = () => {
        const told = screen.of("dashboard-data").at(-1)?.data;
        return told?.workspace_statistics.realtime.tasks_by_status.pending;
      };
      assert.equal(status("voice", "pending"), 0);
      const task = await emulator.do("create_task", { queue, channel: "voice" });
      await screen.until("the Task waits", () => status("voice", "pending") === 1 && waiting() === 1);
      assert.equal(status("chat", "pending"), 0);
      if (place.name === "Chromium") assert.equal(await screen.call("tile"), "1");

      // The way of the Task until the screen has lost its connection, and what happened meanwhile.
      const reservation = await emulator.do("reserve", { task, worker: workers[0].sid });
      await emulator.do("accept", { reservation });
      await screen.until("it is assigned", () => status("all", "assigned") === 1 && waiting() === 0);
      await emulator.door(false);
      await screen.until("it has noticed", () => screen.states.at(-1) !== "connected");
      await emulator.do("create_task", { queue, channel: "chat" });
      await emulator.do("create_task", { queue, channel: "chat" });
      await emulator.do("complete", { reservation });
      await emulator.door(true);
      const done = () => status("chat", "pending") === 2 && status("all", "assigned") === 0 && waiting() === 2;
      await screen.until("all of it is seen", done);
      if (place.name === "Chromium") assert.equal(await screen.call("tile"), "2");
    });
  });
}
