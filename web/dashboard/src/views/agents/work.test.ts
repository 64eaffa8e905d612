import type { Task, Worker } from "@taskrouter-sync/shared/api/types.ts";
import { expect, it } from "vitest";
import { skillsOf, tasksByAgent, taskWords } from "./work.ts";

it("finds skills where Flex keeps them, and elsewhere, and nothing in nonsense", () => {
  const worker = (more: object) =>
    ({ worker_sid: "WK1", friendly_name: "Ada", ...more }) as unknown as Worker;
  expect(skillsOf(worker({ routing: { skills: ["sales", 7] }, skills: ["old"] }))).toEqual(["sales"]);
  expect(skillsOf(worker({ skills: ["billing"] }))).toEqual(["billing"]);
  for (const odd of [{}, { routing: null }, { routing: { skills: "all" } }, { skills: 5 }])
    expect(skillsOf(worker(odd))).toEqual([]);
});

it("gives each agent the tasks in their hands, not those that wait or are over", () => {
  const task = (TaskStatus: string, WorkerName: string | null, queue: string | null) =>
    ({ TaskSid: "WT0123456789", TaskStatus, WorkerName, TaskQueueName: queue, TaskChannel: "voice" }) as Task;
  const held = tasksByAgent([
    task("assigned", "Ada", "Sales"),
    task("wrapping", "Ada", null),
    task("pending", null, "Sales"),
    task("completed", "Ada", "Sales"),
  ]);
  expect(held.get("Ada")?.map(taskWords)).toEqual(["Sales, voice", "voice"]);
  expect(held.size).toBe(1);
});
