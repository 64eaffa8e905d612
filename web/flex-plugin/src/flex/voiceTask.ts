/** The agent's own tasks, through Flex's TaskRouter client. */
import type { Flex, Manager } from "./api.ts";

const attribute = (attributes: unknown, ...names: string[]): string | undefined => {
  for (const name of names) {
    const value = (attributes as Record<string, unknown> | null | undefined)?.[name];
    if (typeof value === "string" && value) return value;
  }
  return undefined;
};

/** Who called whom in the agent's voice task. */
export function voiceParties(manager: Manager): { callerId?: string; dnis?: string } {
  const reservations = manager.workerClient?.reservations?.values() ?? [];
  for (const { task } of reservations) {
    if (task.taskChannelUniqueName !== "voice") continue;
    const callerId = attribute(task.attributes, "from", "caller");
    const dnis = attribute(task.attributes, "to", "called");
    return { ...(callerId ? { callerId } : {}), ...(dnis ? { dnis } : {}) };
  }
  return {};
}

/** Accepts the task of a call that this agent placed, and shows it. Returns how to stop. */
export function acceptOwnCalls(
  flex: Flex,
  manager: Manager,
  contactUri: () => string | undefined,
): () => void {
  const worker = manager.workerClient;
  if (!worker) return () => undefined;
  const offered = (reservation: { sid: string; task: { attributes: unknown } }) => {
    const { attributes } = reservation.task;
    const own =
      attribute(attributes, "direction") === "outbound" &&
      attribute(attributes, "autoAnswer") === "true" &&
      attribute(attributes, "targetWorker") === contactUri();
    if (!own) return;
    flex.Actions.invokeAction("AcceptTask", { sid: reservation.sid })
      .then(() => flex.Actions.invokeAction("SelectTask", { sid: reservation.sid }))
      .catch((error: unknown) => console.warn("taskrouter-sync: the task was not accepted:", error));
  };
  worker.on("reservationCreated", offered);
  return () => void worker.removeListener("reservationCreated", offered);
}
