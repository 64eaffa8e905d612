// An emulator process, its REST API with an API key, its control pages, and access tokens for it.
import { once } from "node:events";
import { createInterface } from "node:readline";

import twilio from "twilio";

import { end, launch } from "./child.mjs";

const { AccessToken } = twilio.jwt;

/** A running emulator on a free port. */
export class Emulator {
  static async start(...more) {
    const args = ["--listen", "127.0.0.1:0", ...more];
    const child = launch(process.env.EMULATOR, args, { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(child, "exit").then(([code]) => Promise.reject(new Error(`the emulator ended with ${code}`)));
    ended.catch(() => {});
    const [line] = await Promise.race([once(createInterface(child.stdout), "line"), ended]);
    return new Emulator(child, JSON.parse(line));
  }

  constructor(child, { url, account }) {
    Object.assign(this, { child, url, account });
  }

  stop() {
    return end(this.child);
  }

  /** What the SDK is pointed at: two addresses instead of Twilio's, and nothing else. */
  get options() {
    return { cdsUri: this.url, Twilsock: { uri: this.socket }, logLevel: "silent" };
  }

  /** The address of the SDK's websocket. */
  get socket() {
    return `${this.url.replace(/^http/, "ws")}/v3/wsconnect`;
  }

  /** A token as Twilio's own library makes it. What is not named is right. */
  token({ ttl = 3600, secret, service, identity = "dashboard-42" } = {}) {
    const { account_sid, api_key_sid, api_key_secret, sync_service_sid } = this.account;
    const token = new AccessToken(account_sid, api_key_sid, secret ?? api_key_secret, { ttl, identity });
    token.addGrant(new AccessToken.SyncGrant({ serviceSid: service ?? sync_service_sid }));
    return token.toJwt();
  }

  /** A page of the emulator's own. */
  async control(method, path, body) {
    return read(await fetch(`${this.url}/emulator${path}`, { method, body: body && JSON.stringify(body) }));
  }

  /** A command to the simulated centre; the SID of what it made. */
  async do(verb, fields = {}) {
    return (await this.control("POST", "/world", { do: verb, ...fields })).sid;
  }

  /** Moves the clock, so that no test has to wait. */
  async advance(seconds) {
    await this.control("PATCH", "/settings", { advance_clock_ms: seconds * 1000 });
  }

  /** Opens or closes the SDK's websocket for clients: closing ends its connections and refuses new ones. */
  async door(open) {
    await this.control("PATCH", "/sockets", { open });
  }

  /** A write over Sync's REST API, as the service makes it. */
  async sync(method, path, form) {
    const { api_key_sid, api_key_secret, sync_service_sid } = this.account;
    const authorization = `Basic ${Buffer.from(`${api_key_sid}:${api_key_secret}`).toString("base64")}`;
    const fields = Object.entries(form ?? {}).map(([name, value]) => [
      name,
      typeof value === "string" ? value : JSON.stringify(value),
    ]);
    return read(
      await fetch(`${this.url}/v1/Services/${sync_service_sid}${path}`, {
        method,
        headers: { authorization },
        body: form && new URLSearchParams(fields),
      }),
    );
  }

  /** The centre's true numbers since a moment. */
  truth(since, channel) {
    const query = new URLSearchParams({ since, split: "30,60,120", ...(channel && { channel }) });
    return this.control("GET", `/truth?${query}`);
  }
}

async function read(answer) {
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.url}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : null;
}
