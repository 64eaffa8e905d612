/**
 * The service's `/websocket/outboundDial`: places and ends one call at a time. A lost connection is opened again while a
 * call goes on, because the service tells the agent's next socket how the call stands.
 */
import { backoff } from "@taskrouter-sync/shared/live/backoff.ts";

export interface DialState {
  connection: "closed" | "connecting" | "open" | "lost";
  callSid?: string;
  status?: string;
  /** The service's own sentence. */
  error?: string;
  /** The call was not sent, or the service said nothing of it. */
  problem?: "unsent" | "unanswered";
}

export interface DialOptions {
  service: string;
  token(): string;
  changed(state: DialState): void;
  open?(address: string, token: string): WebSocket;
}

const FINAL = new Set(["completed", "busy", "no-answer", "failed", "canceled"]);
export const isOver = (status: string | undefined): boolean => status === undefined || FINAL.has(status);

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 10_000;
/** A call that could not be sent by then is dropped: an agent does not expect the phone to ring minutes after the button was pressed. */
const LONGEST_UNSENT_MS = 5000;
/** The service answers at once, and tells a new socket of a call that goes on. */
const LONGEST_UNANSWERED_MS = 15_000;

export class DialSocket {
  private socket: WebSocket | undefined;
  private state: DialState = { connection: "closed" };
  private pending: string | undefined;
  private failures = 0;
  private wanted = false;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private patience: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: DialOptions) {}

  /** Opens the connection, and keeps it until `close`. */
  open(): void {
    this.wanted = true;
    if (!this.socket) this.connect();
  }

  close(): void {
    this.wanted = false;
    clearTimeout(this.retry);
    clearTimeout(this.patience);
    this.pending = undefined;
    this.socket?.close();
    this.socket = undefined;
    this.set({ connection: "closed" });
  }

  call(to: string, from: string, workerContactUri: string): void {
    this.state = { connection: this.state.connection, status: "queued" };
    const sent = this.say({ method: "call", to, from, workerContactUri });
    this.giveUpAfter(sent ? LONGEST_UNANSWERED_MS : LONGEST_UNSENT_MS);
    this.set({});
  }

  hangUp(): void {
    if (this.state.callSid) this.say({ method: "hangup", callSid: this.state.callSid });
  }

  /** Without a word of the service the agent gets the buttons back. */
  private giveUpAfter(ms: number): void {
    clearTimeout(this.patience);
    this.patience = setTimeout(() => {
      const problem = this.pending ? "unsent" : "unanswered";
      this.pending = undefined;
      this.state = { connection: this.state.connection, problem };
      this.set({});
    }, ms);
  }

  private say(message: object): boolean {
    const text = JSON.stringify(message);
    if (this.socket && this.state.connection === "open") {
      this.socket.send(text);
      return true;
    }
    this.pending = text;
    this.open();
    return false;
  }

  private connect(): void {
    clearTimeout(this.retry);
    this.set({ connection: "connecting" });
    const address = `${this.options.service.replace(/^http/, "ws")}websocket/outboundDial`;
    const { open = (url: string, token: string) => new WebSocket(url, token) } = this.options;
    let socket: WebSocket;
    try {
      socket = open(address, this.options.token());
    } catch {
      // A token that can be no sub-protocol, or an address that the page may not open.
      this.lost();
      return;
    }
    this.socket = socket;
    socket.addEventListener("open", () => {
      this.failures = 0;
      this.set({ connection: "open" });
      if (!this.pending) return;
      socket.send(this.pending);
      this.pending = undefined;
      this.giveUpAfter(LONGEST_UNANSWERED_MS);
    });
    socket.addEventListener("message", ({ data }) => this.heard(String(data)));
    socket.addEventListener("close", () => {
      if (this.socket === socket) this.lost();
    });
  }

  private lost(): void {
    this.socket = undefined;
    if (!this.wanted) return;
    this.set({ connection: "lost" });
    const ms = backoff(this.failures, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
    this.failures += 1;
    this.retry = setTimeout(() => this.connect(), ms);
  }

  private heard(text: string): void {
    let message: { messageType?: unknown; callSid?: unknown; callStatus?: unknown; message?: unknown };
    try {
      message = JSON.parse(text);
    } catch {
      return;
    }
    if (message.messageType === "callUpdate" && typeof message.callStatus === "string") {
      clearTimeout(this.patience);
      const callSid = typeof message.callSid === "string" ? message.callSid : this.state.callSid;
      this.set({ ...(callSid ? { callSid } : {}), status: message.callStatus });
    } else if (message.messageType === "error") {
      clearTimeout(this.patience);
      const { connection, callSid, status } = this.state;
      const error = String(message.message ?? "");
      // A refused hang-up leaves the call as it was; without a SID there is no call.
      this.state = callSid && status ? { connection, callSid, status, error } : { connection, error };
      this.set({});
    }
  }

  private set(next: Partial<DialState>): void {
    this.state = { ...this.state, ...next };
    this.options.changed(this.state);
  }
}
