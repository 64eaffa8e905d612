// The front ends of the older systems, rewritten in a few lines each: what they open, and how they read it. Each
// must show the centre's true numbers from what the service writes, through the SDK as it is.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";

import { Client } from "twilio-sync";

import { ending } from "./support/ending.mjs";
import { Emulator } from "./support/emulator.mjs";
import { startService } from "./support/service.mjs";

const QUICK = { REALTIME_INTERVAL: "300ms", CUMULATIVE_INTERVAL: "500ms", DIRECTORY_INTERVAL: "500ms" };
/** Far beyond what anything takes. */
const DEADLINE = 30_000;
/** Seconds by which an age may differ: it was read a moment ago, and moves on. */
const AGE_TOLERANCE = 30;

/** A centre after some life, the service beside it, and an SDK client. */
async function scene(t, layouts) {
  const atEnd = ending(t);
  const emulator = await Emulator.start("--queues", "5", "--workers", "9");
  atEnd(() => emulator.stop());
  const service = await startService(emulator, { ...QUICK, SYNC_LAYOUTS: layouts });
  atEnd(() => service.stop());
  const client = new Client(emulator.token(), emulator.options);
  atEnd(() => client.shutdown());
  return { emulator, client, live: () => emulator.do("step", { times: 120 }) };
}

/** Waits until what a front end shows is what is true; looked at after each of its repaints. */
function agrees(front, truth) {
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => {
      try {
        assert.deepEqual(front.view(), truth);
        resolve();
      } catch (error) {
        reject(error);
      }
    }, DEADLINE);
    front.repaint = () => {
      if (!isDeepStrictEqual(front.view(), truth)) return;
      clearTimeout(deadline);
      resolve();
    };
    front.repaint();
  });
}

const sinceMidnight = () => `${new Date().toISOString().slice(0, 10)}T00:00:00Z`;
const share = ({ above, below }) => {
  const all = above.reservations_accepted + below.reservations_accepted;
  return all === 0 ? null : Math.round((100 * below.reservations_accepted) / all);
};
const byName = (activities) => Object.fromEntries(activities.map((one) => [one.friendly_name, one.workers]));
/** The age of the oldest waiting Task: none where none waits; a Task that had just come then is seconds old now. */
const closeTo = (age, { longest_task_waiting_age: truth, tasks_by_status: { pending, reserved } }) =>
  pending + reserved === 0 ? age === 0 : Math.abs(age - truth) <= AGE_TOLERANCE;

/** Follows a Map as the older front ends do: all items first, then what changes. */
async function follow(client, name, front) {
  const rows = new Map();
  const map = await client.map(name);
  const put = ({ item }) => {
    rows.set(item.key, structuredClone(item.data));
    front.repaint?.();
  };
  map.on("itemAdded", put);
  map.on("itemUpdated", put);
  map.on("itemRemoved", ({ key }) => {
    rows.delete(key);
    front.repaint?.();
  });
  for (let page = await map.getItems(); ; page = await page.nextPage()) {
    for (const item of page.items) put({ item });
    if (!page.hasNextPage) return rows;
  }
}

test("queue statistics from the Map queueStats", async (t) => {
  const { emulator, client, live } = await scene(t, "queue-map");
  const front = {
    view() {
      const row = (item, channel) => {
        const [now, today] = [item[`realTimeStats_${channel}`], item[`cumulativeStats_${channel}`]];
        const { pending, reserved, assigned, wrapping } = now.tasksByStatus;
        return {
          waiting: [pending, reserved, assigned, wrapping],
          total: pending + reserved + assigned + wrapping,
          handled: today.rAccepted,
          abandoned: today.tCanc,
          entered: today.tEnter,
          average: today.waitUntilAccept.avg,
          levels: [30, 60, 120].map((seconds) => share(today.splitByWaitTime[seconds])),
          agents: byName(now.activityStatistics),
          eligible: now.eligibleWorkers,
          available: now.availableWorkers,
        };
      };
      return Object.fromEntries(
        [...this.rows].map(([sid, item]) => [
          sid,
          { name: item.friendlyName, ...Object.fromEntries(["all", "voice", "chat"].map((c) => [c, row(item, c)])) },
        ]),
      );
    },
  };
  front.rows = await follow(client, "queueStats", front);
  await live();

  const { queues } = await emulator.control("GET", "/world");
  const names = Object.fromEntries(queues.map(({ sid, friendly_name }) => [sid, friendly_name]));
  const truths = {};
  for (const channel of ["all", "voice", "chat"]) {
    truths[channel] = (await emulator.truth(sinceMidnight(), channel === "all" ? null : channel)).queues;
  }
  const row = ({ realtime: now, cumulative: today }) => {
    const { pending, reserved, assigned, wrapping } = now.tasks_by_status;
    return {
      waiting: [pending, reserved, assigned, wrapping],
      total: pending + reserved + assigned + wrapping,
      handled: today.reservations_accepted,
      abandoned: today.tasks_canceled,
      entered: today.tasks_entered,
      average: today.wait_duration_until_accepted.avg,
      levels: [30, 60, 120].map((seconds) => share(today.split_by_wait_time[seconds])),
      agents: byName(now.activity_statistics),
      eligible: now.total_eligible_workers,
      available: now.total_available_workers,
    };
  };
  const truth = Object.fromEntries(
    Object.entries(names).map(([sid, name]) => [
      sid,
      { name, ...Object.fromEntries(["all", "voice", "chat"].map((c) => [c, row(truths[c][sid])])) },
    ]),
  );
  assert.ok(Object.values(truth).some(({ voice }) => voice.handled > 0), "something has happened");
  await agrees(front, truth);
  for (const [sid, item] of front.rows) {
    const { oldestTask } = item.realTimeStats_all;
    const { realtime } = truths.all[sid];
    assert.ok(closeTo(oldestTask, realtime), `${oldestTask}, ${JSON.stringify(realtime)}`);
  }
});

/** A metric as the wallboard defines it: an expression over `data`. */
const evaluate = (formula, data) => {
  try {
    const value = new Function("data", `return (${formula});`)(data);
    return value === undefined ? "ERR" : value;
  } catch {
    return "ERR";
  }
};

test("metrics by formula from the Document dashboard-data", async (t) => {
  const { emulator, client, live } = await scene(t, "dashboard-document");
  const realtime = "data.workspace_statistics.realtime";
  const formulas = {
    free: `${realtime}.activity_statistics.find((e) => e.friendly_name === 'Available').workers`,
    waiting: `${realtime}.tasks_by_status.pending`,
    busy: `${realtime}.tasks_by_status.assigned + ${realtime}.tasks_by_status.wrapping`,
    agents: `${realtime}.total_workers`,
    accepted: "data.workspace_statistics.cumulative.reservations_accepted",
    cancelled: "data.workspace_statistics.cumulative.tasks_canceled",
    wrong: "data.workspace_statistics.nowhere.at_all",
    missing: "data.workspace_statistics.nowhere",
  };
  const front = {
    view() {
      const metric = ([name, formula]) => [name, evaluate(formula, this.data)];
      return Object.fromEntries(Object.entries(formulas).map(metric));
    },
  };
  const document = await client.document("dashboard-data");
  front.data = document.data;
  document.on("updated", ({ data }) => {
    front.data = data;
    front.repaint?.();
  });
  await live();
  const { workspace } = await emulator.truth(sinceMidnight());
  const { tasks_by_status: tasks, activity_statistics: activities, total_workers } = workspace.realtime;
  assert.ok(workspace.cumulative.reservations_accepted > 0);
  await agrees(front, {
    free: byName(activities).Available,
    waiting: tasks.pending,
    busy: tasks.assigned + tasks.wrapping,
    agents: total_workers,
    accepted: workspace.cumulative.reservations_accepted,
    cancelled: workspace.cumulative.tasks_canceled,
    wrong: "ERR",
    missing: "ERR",
  });
  const oldest = evaluate(`${realtime}.longest_task_waiting_age`, front.data);
  assert.ok(closeTo(oldest, workspace.realtime));
  const definitions = await client.document({ id: "dashboard-definitions", mode: "open_existing" });
  assert.equal(typeof definitions.data, "object");
});

test("metrics by formula from the Map dashboard-map", async (t) => {
  const { emulator, client, live } = await scene(t, "dashboard-map");
  const sales = "data.queues.find((q) => q.friendlyName === 'Sales').data";
  const formulas = {
    waiting: "data.workspace.realtime.tasks_by_status.pending",
    salesWaiting: `${sales}.realtime.tasks_by_status.pending`,
    salesEntered: `${sales}.cumulative.tasks_entered`,
    entered: "data.queues.reduce((sum, q) => sum + q.data.cumulative.tasks_entered, 0)",
    free: "data.workspace.realtime.activity_statistics.find((e) => e.friendly_name === 'Available').workers",
    queues: "data.queues.map((q) => q.friendlyName).sort().join()",
  };
  const front = {
    view() {
      const queues = [...this.rows].filter(([key]) => key.startsWith("TASK_QUEUE_")).map(([, item]) => item);
      const data = { workspace: this.rows.get("WORKSPACE"), queues };
      return Object.fromEntries(Object.entries(formulas).map(([name, formula]) => [name, evaluate(formula, data)]));
    },
  };
  front.rows = await follow(client, "dashboard-map", front);
  await live();
  const { queues } = await emulator.control("GET", "/world");
  const truth = await emulator.truth(sinceMidnight());
  const one = truth.queues[queues.find(({ friendly_name }) => friendly_name === "Sales").sid];
  await agrees(front, {
    waiting: truth.workspace.realtime.tasks_by_status.pending,
    salesWaiting: one.realtime.tasks_by_status.pending,
    salesEntered: one.cumulative.tasks_entered,
    entered: Object.values(truth.queues).reduce((sum, { cumulative }) => sum + cumulative.tasks_entered, 0),
    free: byName(truth.workspace.realtime.activity_statistics).Available,
    queues: queues.map(({ friendly_name }) => friendly_name).sort().join(),
  });
  assert.deepEqual(new Set(front.rows.keys()), new Set(["WORKSPACE", ...queues.map(({ sid }) => `TASK_QUEUE_${sid}`)]));
});

test("totals, the latest event and the table of Tasks", async (t) => {
  const { emulator, client, live } = await scene(t, "taskrouter-stats,taskrouter-events,taskrouter-tasks");
  const front = {
    view() {
      const { totalTasks, totalWorkers, pendingTasks, reservedTasks, assignedTasks, ...rest } = this.stats;
      const task = ({ TaskSid, Priority, TaskStatus, WorkerName }) => [TaskSid, Priority, TaskStatus, WorkerName];
      return {
        totals: { totalTasks, totalWorkers, pendingTasks, reservedTasks, assignedTasks },
        agents: rest.activities,
        offline: rest.activityOfflineWorkers,
        average: rest.avgTaskAcceptanceTime,
        latest: [this.event.TaskSid, this.event.EventType],
        tasks: [...this.rows.values()].map(task).sort(),
      };
    },
  };
  for (const [name, field] of [["SyncTaskRouterStats", "stats"], ["SyncTaskRouterEvents", "event"]]) {
    const document = await client.document(name);
    front[field] = document.data;
    document.on("updated", ({ data }) => {
      front[field] = data;
      front.repaint?.();
    });
  }
  front.rows = await follow(client, "SyncTaskRouterTasks", front);
  await live();
  await emulator.control("POST", "/callbacks/wait_idle");
  // The newest event is the end of this Task: alone, so that no other shares its moment.
  const { queues } = await emulator.control("GET", "/world");
  const last = await emulator.do("create_task", { queue: queues[0].sid, channel: "voice", priority: 3 });
  await emulator.control("POST", "/callbacks/wait_idle");
  await emulator.do("cancel", { task: last, reason: "gave up" });

  const { workspace } = await emulator.truth(new Date(Date.now() - 3600_000).toISOString());
  const { workers, tasks } = await emulator.control("GET", "/world");
  const names = Object.fromEntries(workers.map(({ sid, friendly_name }) => [sid, friendly_name]));
  const holder = ({ status, reservations }) => {
    if (["pending", "canceled"].includes(status)) return "";
    const held = reservations.findLast(({ status }) =>
      ["pending", "accepted", "wrapping", "completed"].includes(status),
    );
    return names[held?.worker] ?? "";
  };
  // Finished ones, too: the page plays their recordings.
  for (const wanted of ["pending", "completed", "canceled"]) {
    assert.ok(tasks.some(({ status }) => status === wanted));
  }
  const { total_tasks, total_workers, tasks_by_status: by, activity_statistics } = workspace.realtime;
  await agrees(front, {
    totals: {
      totalTasks: total_tasks,
      totalWorkers: total_workers,
      pendingTasks: by.pending,
      reservedTasks: by.reserved,
      assignedTasks: by.assigned,
    },
    agents: byName(activity_statistics),
    offline: byName(activity_statistics).Offline,
    average: workspace.cumulative.avg_task_acceptance_time,
    latest: [last, "task.canceled"],
    tasks: tasks.map((task) => [task.sid, task.priority, task.status, holder(task)]).sort(),
  });
  const fields = Object.values(front.event);
  assert.ok(fields.length > 10 && fields.every((field) => typeof field === "string"), "a flat object of strings");
});
