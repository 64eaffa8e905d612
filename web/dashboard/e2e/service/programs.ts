/**
 * The real programs: a simulated Twilio with its contact centre, and the service beside it. SERVICE and EMULATOR name
 * them; otherwise those in the repository's `target/debug` are taken.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

function program(variable: string, name: string): string {
  const path =
    process.env[variable] ?? fileURLToPath(new URL(`../../../../target/debug/${name}`, import.meta.url));
  if (existsSync(path)) return path;
  throw new Error(
    `${path} is missing: run \`cargo build --workspace --all-features --bins\`, or set ${variable}`,
  );
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

function launch(path: string, args: string[], options: { cwd?: string; env?: Record<string, string> }) {
  const child = spawn(path, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  child.once("exit", () => running.delete(child));
  return child;
}

async function end(child: ChildProcess, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  if (!running.has(child)) return;
  const gone = once(child, "exit");
  child.kill(signal);
  await gone;
}

interface Account {
  account_sid: string;
  auth_token: string;
  api_key_sid: string;
  api_key_secret: string;
  workspace_sid: string;
  sync_service_sid: string;
}

/** One queue's or the Workspace's true numbers. */
export interface Both {
  realtime: {
    tasks_by_status: Record<"pending" | "reserved" | "assigned" | "wrapping", number>;
    activity_statistics: { friendly_name: string; workers: number }[];
    longest_task_waiting_age: number;
    total_available_workers: number;
  };
  cumulative: { tasks_canceled: number; tasks_completed: number };
}

export interface World {
  queues: { sid: string; friendly_name: string }[];
  workers: { sid: string; activity: string; queues: string[] }[];
  tasks: { sid: string; queue: string | null; channel: string; status: string }[];
}

/** A running emulator, and its control pages. */
export class Emulator {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    readonly account: Account,
  ) {}

  static async start(...more: string[]): Promise<Emulator> {
    const child = launch(program("EMULATOR", "twilio-emulator"), ["--listen", "127.0.0.1:0", ...more], {});
    child.stderr?.pipe(process.stderr);
    const ended = once(child, "exit").then(([code]): never => {
      throw new Error(`the emulator ended with ${code}`);
    });
    ended.catch(() => undefined);
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    const [line] = await Promise.race([once(lines, "line"), ended]);
    const { url, account } = JSON.parse(line);
    return new Emulator(child, url, account);
  }

  stop = () => end(this.child);

  async control<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(`${this.url}/emulator${path}`, {
      method,
      body: body && JSON.stringify(body),
    } as RequestInit);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return (text ? JSON.parse(text) : undefined) as T;
  }

  /** A command to the simulated centre; the SID of what it made. */
  async do(verb: string, fields: object = {}): Promise<string> {
    return (await this.control<{ sid: string }>("POST", "/world", { do: verb, ...fields })).sid;
  }

  world = () => this.control<World>("GET", "/world");
  truth = () => this.control<{ workspace: Both; queues: Record<string, Both> }>("GET", "/truth");

  async queue(name: string) {
    const found = (await this.world()).queues.find((queue) => queue.friendly_name === name);
    if (!found) throw new Error(`no queue ${name}`);
    return found.sid;
  }
}

/** Nothing but events and what is asked for: what appears has come by an event. */
const NO_TIMERS = {
  REALTIME_INTERVAL: "1h",
  CUMULATIVE_INTERVAL: "1h",
  DIRECTORY_INTERVAL: "1h",
  DEFINITIONS_INTERVAL: "1h",
};
export const EDITOR = { name: "admin", password: "an-editor's-password" };
export const VIEWER = { name: "wall", password: "a-viewer's-password" };

/** The service at an address that stays when it is killed and started again: a port that passes bytes on, as in production. */
export class Service {
  private child: ChildProcess | undefined;
  private port = 0;
  private readonly sockets = new Set<Socket>();
  /** What it has logged, line by line. */
  readonly log: string[] = [];

  private constructor(
    private readonly emulator: Emulator,
    private readonly directory: string,
    private readonly door: ReturnType<typeof createServer>,
    private readonly variables: Record<string, string>,
  ) {}

  static async start(emulator: Emulator, variables: Record<string, string> = {}): Promise<Service> {
    const door = createServer();
    await once(door.listen(0, "127.0.0.1"), "listening");
    const directory = await mkdtemp(join(tmpdir(), "taskrouter-sync-page-"));
    const service = new Service(emulator, directory, door, variables);
    door.on("connection", (socket) => service.pass(socket));
    try {
      await service.up();
    } catch (error) {
      await service.stop();
      throw error;
    }
    await emulator.control("PATCH", "/callbacks", { url: `${service.url}/taskrouter/events` });
    return service;
  }

  get url(): string {
    const address = this.door.address();
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  }

  async up(): Promise<void> {
    const { account_sid, auth_token, workspace_sid, sync_service_sid } = this.emulator.account;
    const twilio = this.emulator.url;
    const child = launch(program("SERVICE", "taskrouter-sync"), ["serve"], {
      cwd: this.directory,
      env: {
        TWILIO_ACCOUNT_SID: account_sid,
        TWILIO_AUTH_TOKEN: auth_token,
        TWILIO_WORKSPACE_SID: workspace_sid,
        TWILIO_SYNC_SERVICE_SID: sync_service_sid,
        TWILIO_TASKROUTER_URL: twilio,
        TWILIO_SYNC_URL: twilio,
        TWILIO_API_URL: twilio,
        TWILIO_IAM_URL: twilio,
        PUBLIC_URL: this.url,
        BIND_ADDRESS: "127.0.0.1",
        PORT: "0",
        STATS_CHANNELS: "voice,chat",
        AUTHENTICATION_USER: EDITOR.name,
        AUTHENTICATION_PASSWORD: EDITOR.password,
        VIEWER_USER: VIEWER.name,
        VIEWER_PASSWORD: VIEWER.password,
        ...NO_TIMERS,
        ...this.variables,
      },
    });
    this.child = child;
    child.stdout?.resume();
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stderr as NodeJS.ReadableStream }).on("line", (line) => {
        this.log.push(line);
        const { listening, message } = parsed(line);
        if (listening) this.port = Number(listening.split(":").at(-1));
        if (message?.startsWith("Ready")) resolve();
      });
      child.once("exit", (code) =>
        reject(new Error(`the service ended with ${code}:\n${this.log.join("\n")}`)),
      );
    });
  }

  /** As if the machine had lost its power. */
  async kill(): Promise<void> {
    this.port = 0;
    if (this.child) await end(this.child, "SIGKILL");
    this.child = undefined;
    for (const socket of this.sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    if (this.child) await end(this.child);
    this.door.close();
    for (const socket of this.sockets) socket.destroy();
    await rm(this.directory, { recursive: true });
  }

  /** Lines that say so. */
  said(message: string): Record<string, unknown>[] {
    return this.log.map(parsed).filter((line) => line.message === message);
  }

  private pass(from: Socket): void {
    if (this.port === 0) {
      from.destroy();
      return;
    }
    const to = connect(this.port, "127.0.0.1");
    for (const [socket, other] of [
      [from, to],
      [to, from],
    ] as const) {
      this.sockets.add(socket);
      socket.pipe(other);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        this.sockets.delete(socket);
        other.destroy();
      });
    }
  }
}

/** A line of the log; the last words of a panic are none. */
function parsed(line: string): Record<string, string | undefined> {
  try {
    return JSON.parse(line);
  } catch {
    return {};
  }
}
