/** Watches one call of the Twilio Voice SDK, and raises an alert at its end when something was wrong with it. */
import { type Configuration, configure } from "./configuration.ts";
import { counts, issuesOf, WarningClock, type WarningData } from "./rules.ts";

/** As much of `Call` of `@twilio/voice-sdk` (version 2) as is used. */
export interface WatchedCall {
  readonly parameters: Record<string, string>;
  status(): string;
  // biome-ignore lint/suspicious/noExplicitAny: as the SDK types its listeners
  on(event: string, listener: (...args: any[]) => void): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: as the SDK types its listeners
  removeListener(event: string, listener: (...args: any[]) => void): unknown;
}

export interface Alert {
  /** In words, with commas between them. */
  issues: string;
  callerId: string;
  dnis: string;
  action: string;
}

export interface Options {
  /** Flex's `attributes.DeviceMonitoringPlugin`, or what `configure` made of it. */
  configuration?: unknown;
  /** Sends the alert; `postTo` makes one. */
  respond(alert: Alert): Promise<void> | void;
  /** Shows the agent a text; only called where `alertAgent` is set. */
  notify?(text: string): void;
  /** Who called whom, where the SDK's own parameters do not tell: in Flex they name the agent's client. */
  parties?(): { callerId?: string; dnis?: string };
  /** Called when an alert could not be raised; the default writes to the browser's console. */
  failed?(error: unknown): void;
  /** Milliseconds that never go back. */
  now?(): number;
}

/** Throws a `ConfigurationError` for settings that cannot be understood. Answers how to stop watching. */
export function attach(call: WatchedCall, options: Options): () => void {
  const configuration = configure(options.configuration);
  const now = options.now ?? (() => performance.now());
  const clock = new WarningClock();
  let answeredAt = call.status() === "open" ? now() : undefined;

  // biome-ignore lint/suspicious/noExplicitAny: as the SDK types its listeners
  const listeners: [event: string, listener: (...args: any[]) => void][] = [
    [
      "accept",
      () => {
        if (answeredAt !== undefined) return;
        answeredAt = now();
        clock.answered(answeredAt);
      },
    ],
    [
      "warning",
      (name: string, data: WarningData | null | undefined) => {
        if (counts(name, data, configuration)) clock.raise(name, now());
      },
    ],
    ["warning-cleared", (name: string) => clock.clear(name, now())],
    ["disconnect", () => end()],
    // Never answered: there was no call to judge.
    ["cancel", () => detach()],
    ["reject", () => detach()],
  ];
  const detach = () => {
    for (const [event, listener] of listeners) call.removeListener(event, listener);
  };
  const end = () => {
    detach();
    if (answeredAt === undefined) return;
    const at = now();
    const issues = issuesOf(
      {
        milliseconds: at - answeredAt,
        inWarningMilliseconds: clock.milliseconds(at),
        endedInWarning: clock.inWarning,
      },
      configuration,
    );
    if (issues.length > 0) void raise(issues.join(", "), call, configuration, options);
  };
  for (const [event, listener] of listeners) call.on(event, listener);
  return detach;
}

async function raise(
  issues: string,
  call: WatchedCall,
  { action, alertAgent }: Configuration,
  options: Options,
): Promise<void> {
  // Neither of the two may cost the other, nor the agent's page.
  const failed =
    options.failed ?? ((error) => console.warn("voice-quality: an alert was not raised:", error));
  try {
    if (alertAgent) options.notify?.(`Possible voice network quality issue detected: ${issues}`);
  } catch (error) {
    failed(error);
  }
  try {
    const { callerId = call.parameters.From, dnis = call.parameters.To } = options.parties?.() ?? {};
    await options.respond({ issues, callerId: callerId ?? "", dnis: dnis ?? "", action });
  } catch (error) {
    failed(error);
  }
}
