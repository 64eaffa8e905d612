// Processes that end with this one, however it ends.
import { spawn } from "node:child_process";
import { once } from "node:events";

const running = new Set();

process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
// The test runner ends a file that takes too long by this signal.
process.once("SIGTERM", () => process.exit(1));

/** Starts a program. */
export function launch(program, args, options) {
  const child = spawn(program, args, options);
  running.add(child);
  child.once("exit", () => running.delete(child));
  return child;
}

/** Ends a program in good order, and waits for it. */
export async function end(child) {
  if (!running.has(child)) return;
  const gone = once(child, "exit");
  child.kill();
  await gone;
}
