// The real `taskrouter-sync` beside an emulator.
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { end, launch } from "./child.mjs";

/**
 * Starts the service and has the emulator's events sent to it.
 *
 * Its public address must be known before it picks its port, so a proxy in front of it has a port first, as in
 * production.
 */
export async function startService(emulator, variables = {}) {
  let port;
  const proxy = createServer((incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const onward = request({ host: "127.0.0.1", port, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await once(proxy.listen(0, "127.0.0.1"), "listening");
  const publicUrl = `http://127.0.0.1:${proxy.address().port}`;

  const { account_sid, auth_token, workspace_sid, sync_service_sid } = emulator.account;
  const directory = await mkdtemp(join(tmpdir(), "taskrouter-sync-"));
  const child = launch(process.env.SERVICE, ["serve"], {
    cwd: directory,
    stdio: ["ignore", "ignore", "pipe"],
    env: {
      TWILIO_ACCOUNT_SID: account_sid,
      TWILIO_AUTH_TOKEN: auth_token,
      TWILIO_WORKSPACE_SID: workspace_sid,
      TWILIO_SYNC_SERVICE_SID: sync_service_sid,
      TWILIO_TASKROUTER_URL: emulator.url,
      TWILIO_SYNC_URL: emulator.url,
      TWILIO_API_URL: emulator.url,
      TWILIO_IAM_URL: emulator.url,
      PUBLIC_URL: publicUrl,
      BIND_ADDRESS: "127.0.0.1",
      PORT: "0",
      STATS_CHANNELS: "voice,chat",
      ...variables,
    },
  });
  const log = [];
  const lines = createInterface(child.stderr);
  const ready = new Promise((resolve, reject) => {
    lines.on("line", (line) => {
      log.push(line);
      const { listening, message } = parsed(line);
      if (listening) port = listening.split(":").at(-1);
      if (message?.startsWith("Ready")) resolve();
    });
    child.once("exit", (code) => reject(new Error(`the service ended with ${code}:\n${log.join("\n")}`)));
  });
  const stop = async () => {
    await end(child);
    proxy.closeAllConnections();
    proxy.close();
    await rm(directory, { recursive: true });
  };
  try {
    await ready;
  } catch (error) {
    await stop();
    throw error;
  }
  await emulator.control("PATCH", "/callbacks", { url: `${publicUrl}/taskrouter/events` });
  return { stop };
}

/** A line of the log; the last words of a panic are none. */
function parsed(line) {
  try {
    return JSON.parse(line);
  } catch {
    return {};
  }
}
