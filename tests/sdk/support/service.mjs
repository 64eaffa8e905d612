// The real `taskrouter-sync` beside an emulator.
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { end, launch } from "./child.mjs";
import { startProxy } from "./proxy.mjs";

/**
 * Starts the service and has the emulator's events sent to it.
 *
 * Its public address must be known before it picks its port, so a proxy in front of it has a port first, as in
 * production. `environment` makes a text of `PUBLIC_URL`: the `.env` file that then stands in for the variables here.
 * `beforehand` may run other commands with that file first.
 */
export async function startService(emulator, variables = {}, { environment, beforehand } = {}) {
  const proxy = await startProxy();
  const { account_sid, auth_token, workspace_sid, sync_service_sid } = emulator.account;
  const directory = await mkdtemp(join(tmpdir(), "taskrouter-sync-"));
  const addresses = {
    TWILIO_TASKROUTER_URL: emulator.url,
    TWILIO_SYNC_URL: emulator.url,
    TWILIO_API_URL: emulator.url,
    TWILIO_IAM_URL: emulator.url,
    BIND_ADDRESS: "127.0.0.1",
    PORT: "0",
  };
  const own = {
    TWILIO_ACCOUNT_SID: account_sid,
    TWILIO_AUTH_TOKEN: auth_token,
    TWILIO_WORKSPACE_SID: workspace_sid,
    TWILIO_SYNC_SERVICE_SID: sync_service_sid,
    PUBLIC_URL: proxy.url,
    STATS_CHANNELS: "voice,chat",
  };
  if (environment) await writeFile(join(directory, ".env"), environment(proxy.url));
  const env = { ...addresses, ...(environment ? {} : own), ...variables };
  const other = (...args) => run(args, directory, env);
  await beforehand?.(other);
  const child = launch(process.env.SERVICE, ["serve"], { cwd: directory, stdio: ["ignore", "ignore", "pipe"], env });
  const log = [];
  const lines = createInterface(child.stderr);
  const ready = new Promise((resolve, reject) => {
    lines.on("line", (line) => {
      log.push(line);
      lines.emit("logged");
      const { listening, message } = parsed(line);
      if (listening) proxy.port = listening.split(":").at(-1);
      if (message?.startsWith("Ready")) resolve();
    });
    child.once("exit", (code) => reject(new Error(`the service ended with ${code}:\n${log.join("\n")}`)));
  });
  const stop = async () => {
    await end(child);
    proxy.stop();
    await rm(directory, { recursive: true });
  };
  try {
    await ready;
  } catch (error) {
    await stop();
    throw error;
  }
  if (!environment) await emulator.control("PATCH", "/callbacks", { url: `${proxy.url}/taskrouter/events` });
  const { url, pages, answered } = proxy;
  /** Waits until this many lines of the log meet a condition; a line may come later than the answer that it is about. */
  const logged = async (count, condition) => {
    for (;;) {
      const found = log.map(parsed).filter(condition);
      if (found.length >= count) return found;
      await once(lines, "logged", { signal: AbortSignal.timeout(30_000) });
    }
  };
  return { url, pages, answered, log, logged, stop, run: other };
}

/** Runs another command with the service's own environment: its exit status, and what it printed. */
async function run(args, cwd, env) {
  const child = launch(process.env.SERVICE, args, { cwd, stdio: ["ignore", "pipe", "pipe"], env });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  const [status] = await once(child, "close");
  return { status, output };
}

/** A line of the log; the last words of a panic are none. */
function parsed(line) {
  try {
    return JSON.parse(line);
  } catch {
    return {};
  }
}
