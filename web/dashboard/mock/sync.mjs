// Twilio Sync for the mock: an emulator process (EMULATOR names its program), the objects that the service would
// write, and access tokens for the SDK.
import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const BUILT = fileURLToPath(new URL("../../../target/debug/twilio-emulator", import.meta.url));

/** The emulator's program, or undefined where there is none. */
export function emulatorProgram() {
  const named = process.env.EMULATOR;
  if (named) return named;
  return existsSync(BUILT) ? BUILT : undefined;
}

const base64 = (text) => Buffer.from(text).toString("base64url");
function jwt(header, claims, secret) {
  const head = `${base64(JSON.stringify(header))}.${base64(JSON.stringify(claims))}`;
  return `${head}.${createHmac("sha256", secret).update(head).digest("base64url")}`;
}

/** Starts an emulator on a free port. */
export async function startEmulator(program = emulatorProgram()) {
  const child = spawn(program, ["--listen", "127.0.0.1:0", "--no-limits"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { url, account } = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the emulator ended with ${code}`)));
    createInterface(child.stdout).once("line", (line) => resolve(JSON.parse(line)));
  });
  const { account_sid, api_key_sid, api_key_secret, sync_service_sid } = account;
  const authorization = `Basic ${Buffer.from(`${api_key_sid}:${api_key_secret}`).toString("base64")}`;
  const read = async (response) => {
    if (!response.ok && response.status !== 404)
      throw new Error(`${response.url}: ${response.status} ${await response.text()}`);
    return response.status;
  };
  const sync = (method, path, fields) =>
    fetch(`${url}/v1/Services/${sync_service_sid}${path}`, {
      method,
      headers: { authorization },
      body: fields && new URLSearchParams(fields),
    }).then(read);
  const control = (method, path, body) =>
    fetch(`${url}/emulator${path}`, { method, body: JSON.stringify(body) }).then(read);
  /** Updates, or creates what is not there. */
  const put = async (collection, key, name, data) => {
    const fields = { Data: JSON.stringify(data) };
    const status = await sync("POST", `${collection}/${encodeURIComponent(name)}`, fields);
    if (status === 404) await sync("POST", collection, { ...fields, [key]: name });
  };
  return {
    url,
    endpoint: { cds: url, twilsock: `${url.replace(/^http/, "ws")}/v3/wsconnect` },
    /** Seconds of life can be chosen; the emulator's clock can be moved. */
    token(seconds = 900) {
      const now = Math.floor(Date.now() / 1000);
      return jwt(
        { cty: "twilio-fpa;v=1", typ: "JWT", alg: "HS256" },
        {
          jti: `${api_key_sid}-${now}`,
          grants: { identity: "dashboard", data_sync: { service_sid: sync_service_sid } },
          iat: now,
          exp: now + seconds,
          iss: api_key_sid,
          sub: account_sid,
        },
        api_key_secret,
      );
    },
    createMap: (name) => sync("POST", "/Maps", { UniqueName: name }),
    removeMap: (name) => sync("DELETE", `/Maps/${name}`),
    putDocument: (name, data) => put("/Documents", "UniqueName", name, data),
    removeDocument: (name) => sync("DELETE", `/Documents/${name}`),
    putItem: (map, key, data) => put(`/Maps/${map}/Items`, "Key", key, data),
    removeItem: (map, key) => sync("DELETE", `/Maps/${map}/Items/${encodeURIComponent(key)}`),
    /** Opens or closes the SDK's websocket; closing it cuts the connections. */
    door: (open) => control("PATCH", "/sockets", { open }),
    advance: (seconds) => control("PATCH", "/settings", { advance_clock_ms: seconds * 1000 }),
    async stop() {
      child.removeAllListeners("exit");
      if (child.exitCode !== null) return;
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill();
      await ended;
    },
  };
}

/** Metrics as the service publishes them, split into Documents. */
export function metricDocuments(metrics, each = 4) {
  const documents = [];
  metrics.forEach(({ name, error: _, ...metric }, position) => {
    const n = Math.floor(position / each);
    documents[n] ??= { name: n === 0 ? "dashboard-metrics" : `dashboard-metrics-${n + 1}`, data: {} };
    documents[n].data[name] = { ...metric, position };
  });
  return documents;
}

/** A queue's item as the two Documents of the layout for large workspaces. */
export function queueDocuments(item) {
  const scopes = Object.keys(item).flatMap((key) => /^realTimeStats_(.+)$/.exec(key)?.[1] ?? []);
  const names = { realtime: `task-queue-${item.sid}`, today: `task-queue-${item.sid}-today` };
  const { sid, friendlyName, asOf, oldestTaskSince } = item;
  const realtime = { sid, friendlyName, asOf, oldestTaskSince, activities: {} };
  const today = { sid, friendlyName, asOf };
  for (const { friendly_name, workers } of item.realTimeStats_all.activityStatistics)
    realtime.activities[friendly_name] = workers;
  for (const scope of scopes) {
    const now = item[`realTimeStats_${scope}`];
    realtime[scope] = {
      ...now.tasksByStatus,
      tasks: now.totalTasks,
      available: now.availableWorkers,
      eligible: now.eligibleWorkers,
      ...(now.oldestTaskSince ? { oldestTask: now.oldestTask, oldestTaskSince: now.oldestTaskSince } : {}),
    };
    today[scope] = item[`cumulativeStats_${scope}`];
  }
  return { entry: { sid, friendlyName, ...names }, names, realtime, today };
}
