/**
 * A bad call, from the agent's browser to the log, the customer and the dashboard. Flex is another site: its page loads
 * `/voice-quality.js` from the service and reports to it from there.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { launch } from "../browser.mjs";
import { EDITOR, Emulator, Service } from "./programs.ts";
import { Visitor } from "./visitor.ts";

const CALLER = "+15005550006";
const OURS = "+14155550100";
const TOKEN = "a-flex-token-of-ada";

let browser: Browser;
let emulator: Emulator;
let service: Service;
let flex: string;
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  browser = await launch();
  ends.push(() => browser.close());
  const site = createServer((_, answer) =>
    answer.setHeader("content-type", "text/html").end("<!doctype html><title>Flex</title>"),
  );
  await once(site.listen(0, "127.0.0.1"), "listening");
  ends.push(
    () => site.close(),
    () => site.closeAllConnections(),
  );
  const address = site.address();
  flex = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  emulator = await Emulator.start();
  ends.push(emulator.stop);
  service = await Service.start(emulator, {
    VOICE_SMS_NUMBERS: OURS,
    VOICE_SMS_PREFIXES: "+1",
    VOICE_SMS_TEXT: "Sorry about the line.",
    ALLOWED_ORIGINS: flex,
    TWILIO_API_KEY: emulator.account.api_key_sid,
    TWILIO_API_SECRET: emulator.account.api_key_secret,
  });
  ends.push(() => service.stop());
});
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

it("a bad call arrives in the log, as an SMS, and on the dashboard", async () => {
  const worker = (await emulator.world()).workers[0]?.sid;
  await emulator.control("PUT", `/tokens/${TOKEN}`, { realm_user_id: "ada@example.com", worker_sid: worker });
  const desk = await Visitor.come(browser, emulator, service);
  await desk.signIn(EDITOR, "/#/voice");
  await desk.page
    .locator("[data-testid=freshness][data-kind=live][data-via=sync]")
    .waitFor({ state: "attached" });

  const agent = await browser.newPage();
  const complaints: string[] = [];
  agent.on("console", (message) => complaints.push(message.text()));
  agent.on("pageerror", (error) => complaints.push(error.message));
  await agent.goto(flex);
  await agent.addScriptTag({ url: `${service.url}/voice-quality.js` });
  const told = await agent.evaluate(
    ([url, token, caller, ours]) => {
      const listeners = new Map<string, ((...args: unknown[]) => void)[]>();
      const emit = (event: string, ...args: unknown[]) => {
        for (const listener of listeners.get(event) ?? []) listener(...args);
      };
      const call = {
        parameters: { From: caller as string, To: "client:ada" },
        status: () => "pending",
        on: (event: string, then: () => void) =>
          listeners.set(event, [...(listeners.get(event) ?? []), then]),
        removeListener: (event: string, then: () => void) =>
          listeners.set(
            event,
            (listeners.get(event) ?? []).filter((one) => one !== then),
          ),
      };
      const { VoiceQuality } = window as unknown as {
        VoiceQuality: typeof import("../../../call-quality/src/index.ts");
      };
      let now = 0;
      return new Promise<string[]>((resolve, reject) => {
        const said: string[] = [];
        const respond = VoiceQuality.postTo(url as string, () => token as string);
        VoiceQuality.attach(call, {
          configuration: { alertAgent: true, action: "send-sms-to-customer", highJitterThreshold: "50" },
          respond: (alert) => Promise.resolve(respond(alert)).then(() => resolve(said)),
          notify: (text) => said.push(text),
          failed: reject,
          parties: () => ({ dnis: ours }),
          now: () => now,
        });
        emit("accept");
        now = 20_000;
        emit("warning", "high-jitter", { values: [80, 90], threshold: { name: "max", value: 30 } });
        now = 50_000;
        emit("warning-cleared", "high-jitter");
        now = 100_000;
        emit("disconnect");
      });
    },
    [service.url, TOKEN, CALLER, OURS],
  );
  expect(told).toEqual(["Possible voice network quality issue detected: call warning condition pct"]);

  const messages = await emulator.control<{ to: string; from: string; body: string }[]>("GET", "/messages");
  expect(messages).toMatchObject([{ to: CALLER, from: OURS, body: "Sorry about the line." }]);

  await expect.poll(() => service.said("Poor call quality reported"), { timeout: 20_000 }).toHaveLength(1);
  const [logged] = service.said("Poor call quality reported");
  expect(logged).toMatchObject({
    action: "send-sms-to-customer",
    issues: "call warning condition pct",
    count: 1,
    "worker.sid": worker,
  });
  expect(service.log.join("\n"), "no phone number is in the log").not.toContain(CALLER);

  const first = desk.page.locator(".voice tbody tr");
  await first.waitFor();
  expect(await first.innerText()).toMatch(
    /ada@example\.com\s+call warning condition pct\s+…0006\s+…0100\s+send-sms-to-customer/,
  );
  await desk.page.locator("[data-testid=voice-today]", { hasText: /^1$/ }).waitFor();
  expect([...complaints, ...desk.complaints]).toEqual([]);
  await desk.leave();
  await agent.close();
});
