// The service's contract over HTTP, for the dev server and the tests. Strict about what the page sends.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import { answerHistory, History } from "./history.mjs";
import { CHANNELS, iso, SLA_NAMES, THRESHOLDS, World } from "./world.mjs";

const EMPTY_STYLE = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='";
/** `connect` is what Twilio's Sync SDK may reach besides the service: its websocket. */
export const policy = (connect = "") =>
  `default-src 'self'; connect-src 'self' ${connect}; style-src 'self' ${EMPTY_STYLE}; media-src 'self' https://api.twilio.com; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`;
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};
const CSRF = "mock-csrf-token";
export const FLEX_TOKEN = "mock-flex-token";

/**
 * @param {{port?: number, queues?: number, role?: "viewer" | "editor", beatMs?: number, moves?: number, keepAliveMs?: number,
 *   dist?: URL, seed?: number, skewMs?: number, still?: boolean, alerts?: number, sync?: object | null, token?: () => string}} [options] `still`: nothing moves but what a test moves.
 *   `sync` and `token`: what the session says of Twilio Sync, and who makes its tokens.
 * @returns a handle: url, world, and levers (alert, cut, refuse, remove, stale, push, stop).
 */
export async function startMock({
  port = 0,
  queues = 10,
  role = "editor",
  beatMs = 1000,
  moves = 3,
  keepAliveMs = 15_000,
  dist,
  seed,
  skewMs = 0,
  still = false,
  alerts = 0,
  sync = null,
  token,
} = {}) {
  const socket = sync?.endpoint ? new URL(sync.endpoint.twilsock).origin : "wss://*.twilio.com";
  const csp = policy(sync ? socket : "");
  const clock = () => Date.now() + skewMs;
  const world = new World({ queues, seed, clock });
  for (let n = 0; n < alerts; n += 1)
    world.alert(n % 3 ? { agent: "Alan Turing", issues: "short call" } : {});
  const history = new History(world, clock);
  const streams = new Set();
  const log = [];
  const state = {
    seq: 100,
    refusing: false,
    signedIn: true,
    role,
    /** @type {string | null} */
    centreName: null,
    health: {
      taskrouter: { ok: true, since: null, reason: null },
      sync: { ok: true, unwritten: 0, failing: 0 },
    },
    metricsDocuments: ["dashboard-metrics"],
  };

  const send = (stream, event, data) =>
    stream.write(`event: ${event}\nid: ${data.seq}\ndata: ${JSON.stringify(data)}\n\n`);
  const snapshot = () => ({
    seq: state.seq,
    now: iso(clock()),
    asOf: iso(clock()),
    queues: world.queues.map((q) => world.item(q)),
    workspace: world.workspace(),
    metrics: world.metrics(),
    health: state.health,
    queuesKnown: true,
    ...(world.voice() ? { voice: world.voice() } : {}),
  });
  function push(change) {
    state.seq += 1;
    const data = { seq: state.seq, now: iso(clock()), ...change };
    log.push(data);
    if (log.length > 200) log.shift();
    for (const stream of streams) send(stream, "change", data);
  }
  let beats = 0;
  const beat = setInterval(() => {
    if (still || !state.health.taskrouter.ok) return;
    const changed = world.beat(moves);
    beats += 1;
    if (beats % Math.max(1, Math.round(1000 / beatMs)) === 0) {
      world.record();
      push({ queues: changed, workspace: world.workspace(), metrics: world.metrics() });
    } else push({ queues: changed });
  }, beatMs);
  const keepAlive = setInterval(() => {
    for (const stream of streams) stream.write(": keep-alive\n\n");
  }, keepAliveMs);

  function feed(request, response) {
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    const last = Number(request.headers["last-event-id"]);
    if (last && log.length && log[0].seq <= last + 1 && last <= state.seq) {
      response.write(": resumed\n\n");
      for (const change of log) if (change.seq > last) send(response, "change", change);
    } else send(response, "snapshot", snapshot());
    streams.add(response);
    response.on("close", () => streams.delete(response));
  }

  const json = (response, status, body) => {
    response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" });
    response.end(JSON.stringify(body));
  };
  const refuse = (response, status, code, message, problems) =>
    json(response, status, { code, message, ...(problems ? { problems } : {}) });

  /** What a plugin's browser sends at the end of a bad call; no session, but a Flex token. */
  async function respondToIssue(request, response) {
    let text = "";
    for await (const chunk of request) text += chunk;
    const { issues, callerId, dnis, action, Token } = JSON.parse(text);
    if (Token !== FLEX_TOKEN) return refuse(response, 403, "forbidden", "The Flex token is not valid.");
    if (action !== "log-call") return refuse(response, 422, "invalid", `There is no action \`${action}\`.`);
    world.alert({ issues, callerId, dnis, action });
    push({ voice: world.voice() });
    return json(response, 200, { data: "success" });
  }

  async function write(request, response, { pathname: path, searchParams }) {
    if (request.headers["x-csrf-token"] !== CSRF)
      return refuse(response, 403, "csrf", "The page is out of date; load it again.");
    if (path === "/logout") {
      state.signedIn = false;
      return json(response, 200, {});
    }
    if (state.role !== "editor") return refuse(response, 403, "forbidden", "Viewers cannot change metrics.");
    let text = "";
    for await (const chunk of request) text += chunk;
    const body = JSON.parse(text);
    if (path === "/api/definitions/preview") return json(response, 200, world.evaluate(body.metric));
    if (path === "/api/save") {
      const problems = [];
      for (const [name, { metric }] of Object.entries(body)) {
        if (!metric.label) problems.push({ metric: name, field: "label", message: "A label is needed." });
        for (const field of ["firstThresholdValue", "secondThresholdValue"]) {
          if (metric[field] && Number.isNaN(Number(metric[field])))
            problems.push({ metric: name, field, message: `\`${metric[field]}\` is not a number` });
        }
        const { error } = world.evaluate(metric);
        if (error && searchParams.get("failing") === "refuse")
          problems.push({ metric: name, field: "formula", message: error });
        else if (error && /Unexpected|Invalid/.test(error))
          problems.push({
            metric: name,
            field: "formula",
            line: 1,
            column: 14,
            message: "a value is expected here",
          });
      }
      if (problems.length) return refuse(response, 422, "invalid", "Some fields are not right.", problems);
      for (const [name, definition] of Object.entries(body)) {
        world.definitions[name] = definition;
        if (!world.history.has(name)) world.history.set(name, []);
      }
      push({ metrics: world.metrics() });
      return json(response, 200, world.definitions);
    }
    if (path === "/api/definitions/delete") {
      for (const name of body.names) delete world.definitions[name];
    } else if (path === "/api/definitions/order") {
      world.definitions = Object.fromEntries(
        body.names.filter((n) => world.definitions[n]).map((n) => [n, world.definitions[n]]),
      );
    } else return refuse(response, 404, "not_found", "No such address.");
    push({ metrics: world.metrics() });
    return json(response, 200, world.definitions);
  }

  const server = createServer(async (request, response) => {
    const url = new URL(request.url, "http://mock");
    const path = url.pathname;
    response.setHeader("Content-Security-Policy", csp);
    response.setHeader("X-Content-Type-Options", "nosniff");
    if (state.refusing) return request.socket.destroy();
    const guarded = path.startsWith("/api/") || path.startsWith("/taskrouter_");
    if (guarded && !state.signedIn) return refuse(response, 401, "unauthorized", "Sign in.");
    try {
      if (path === "/respond-to-issue") return await respondToIssue(request, response);
      if (request.method === "POST") return await write(request, response, url);
      switch (path) {
        case "/api/session":
          return json(response, 200, {
            user: "sam@example.com",
            role: state.role,
            csrfToken: CSRF,
            channels: CHANNELS,
            slaThresholds: THRESHOLDS,
            timeZone: "Europe/Berlin",
            dayStart: "06:00",
            centreName: state.centreName,
            workspaceSid: `WS${"0".repeat(31)}1`,
            syncToken: sync !== null,
            sync,
            slaNames: SLA_NAMES,
            sla: "accepted",
          });
        case "/api/health":
          return json(response, 200, {
            now: iso(clock()),
            health: state.health,
            queuesKnown: true,
            ...(world.voice() ? { voice: world.voice() } : {}),
            metricsDocuments: state.metricsDocuments,
          });
        case "/api/token":
          if (!token) return refuse(response, 404, "no_api_key", "No API key is configured.");
          return json(response, 200, { identity: "dashboard", token: token() });
        case "/api/feed":
          return feed(request, response);
        case "/taskrouter_tasks":
          return json(response, 200, world.tasks());
        case "/taskrouter_workers":
          return json(response, 200, world.workers);
        case "/api/definitions":
          return json(response, 200, world.definitions);
        case "/api/definitions/fields":
          return json(response, 200, world.data());
        case "/api/history":
          return json(response, 200, { points: world.history.get(url.searchParams.get("metric")) ?? [] });
        case "/login":
          response.writeHead(200, { "Content-Type": "text/html" });
          return response.end("<!doctype html><html lang=en><title>Sign in</title><h1>Sign in</h1>");
      }
      if ((await answerHistory(history, request, response, url, { json, refuse })) !== false) return;
      const asked = /^\/api\/workers\/(WK[0-9a-f]{32})\/queues$/.exec(path);
      if (asked) return json(response, 200, world.queuesOf(asked[1]));
      if (!dist) return refuse(response, 404, "not_found", "No such address.");
      const name = path === "/" ? "index.html" : path.slice(1);
      if (name.includes("..")) return refuse(response, 404, "not_found", "No such address.");
      const body = await readFile(new URL(name, dist));
      response.writeHead(200, { "Content-Type": TYPES[extname(name)] ?? "application/octet-stream" });
      response.end(body);
    } catch (error) {
      if (!response.headersSent)
        refuse(response, error.code === "ENOENT" ? 404 : 400, "bad_request", error.message);
    }
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  const cut = () => {
    for (const stream of streams) stream.destroy();
  };
  return {
    streams: () => streams.size,
    url: `http://127.0.0.1:${server.address().port}`,
    world,
    history,
    state,
    push,
    cut,
    refuse(on) {
      state.refusing = on;
      if (on) cut();
    },
    alert(fields) {
      world.alert(fields);
      push({ voice: world.voice() });
    },
    remove(sid) {
      world.queues = world.queues.filter((q) => q.sid !== sid);
      push({ removed: [sid] });
    },
    stale(reason) {
      state.health = {
        ...state.health,
        taskrouter: reason
          ? { ok: false, since: iso(clock()), reason }
          : { ok: true, since: null, reason: null },
      };
      push({ health: state.health });
    },
    async stop() {
      clearInterval(beat);
      clearInterval(keepAlive);
      server.closeAllConnections();
      await new Promise((r) => server.close(r));
    },
  };
}
