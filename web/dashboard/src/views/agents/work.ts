/** What an agent can do and does at present, from what the lists have. Pure. */
import type { QueueName, Task, Worker } from "@taskrouter-sync/shared/api/types.ts";

/** Flex keeps skills in `routing.skills`; other workspaces in `skills`. */
export function skillsOf(worker: Worker): string[] {
  const { routing } = worker as { routing?: unknown };
  const flex = (routing as { skills?: unknown } | null | undefined)?.skills;
  const found = Array.isArray(flex) ? flex : worker.skills;
  return Array.isArray(found) ? found.filter((skill): skill is string => typeof skill === "string") : [];
}

const HELD: readonly string[] = ["reserved", "assigned", "wrapping"];

/** The tasks that agents hold, by the agent's name. */
export function tasksByAgent(tasks: readonly Task[]): ReadonlyMap<string, Task[]> {
  const held = new Map<string, Task[]>();
  for (const task of tasks) {
    if (!task.WorkerName || !HELD.includes(task.TaskStatus)) continue;
    held.set(task.WorkerName, [...(held.get(task.WorkerName) ?? []), task]);
  }
  return held;
}

/** `Sales, voice` */
export const taskWords = (task: Task): string =>
  [task.TaskQueueName, task.TaskChannel].filter(Boolean).join(", ") || task.TaskSid.slice(0, 10);

/** The first names in the user's order, and how many more there are. */
export function queueNames(queues: readonly QueueName[], most: number): { shown: string[]; more: number } {
  const names = queues.map((queue) => queue.friendlyName).sort((a, b) => a.localeCompare(b));
  return { shown: names.slice(0, most), more: Math.max(0, names.length - most) };
}
