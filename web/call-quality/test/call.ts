/** A call as the Voice SDK's users see it, for recorded sequences. */
import { EventEmitter } from "node:events";
import type { Call, RTCWarning } from "@twilio/voice-sdk";
import type { Alert, Options, WarningData, WatchedCall } from "../src/index.ts";
import { attach } from "../src/index.ts";

/** The real SDK's call and its warnings fit: this does not compile otherwise. */
export const fits = (call: Call, options: Options) => attach(call, options);

export const told = (warning: RTCWarning): WarningData => warning;

export class FakeCall extends EventEmitter implements WatchedCall {
  parameters: Record<string, string> = { From: "+493055501000", To: "client:ada", CallSid: "CA1" };
  state = "pending";
  status() {
    return this.state;
  }
}

export type Step = [second: number, event: string, ...more: unknown[]];

/** Plays events at their seconds, and answers the alerts that were raised. */
export async function play(
  steps: readonly Step[],
  configuration: unknown = {},
  more: Partial<Options> = {},
  call = new FakeCall(),
): Promise<Alert[]> {
  const alerts: Alert[] = [];
  let seconds = 0;
  attach(call, {
    configuration,
    respond: (alert) => void alerts.push(alert),
    now: () => seconds * 1000,
    failed: (error) => {
      throw error;
    },
    ...more,
  });
  for (const [at, event, ...args] of steps) {
    seconds = at;
    call.emit(event, ...args);
  }
  await Promise.resolve();
  return alerts;
}

export const issues = (alerts: readonly Alert[]) => alerts.map((alert) => alert.issues);
