/**
 * The settings: Flex's configuration `attributes.DeviceMonitoringPlugin`. A value that stands there is honoured, also 0 and
 * false; one that cannot be understood is an error that names its key, never a silent default. Pure.
 */

export interface Configuration {
  /** Tell the agent, too. */
  alertAgent: boolean;
  /** What the service does about an alert: `log-call`, `send-sms-to-customer`, or one of its owner's own. */
  action: string;
  /** Milliseconds. */
  highRttThreshold: number;
  /** Per cent. */
  highPacketsLostThreshold: number;
  /** Mean opinion score, 1 to 5. */
  lowMosThreshold: number;
  /** Milliseconds. */
  highJitterThreshold: number;
  /** Seconds; 0 switches the rule off. */
  shortCallThreshold: number;
  endedInWarningIsTrigger: boolean;
  /** Per cent of the call. */
  warningDurPctThreshold: number;
}

export const DEFAULTS: Readonly<Configuration> = {
  alertAgent: false,
  action: "log-call",
  highRttThreshold: 400,
  highPacketsLostThreshold: 3,
  lowMosThreshold: 3,
  highJitterThreshold: 30,
  shortCallThreshold: 10,
  endedInWarningIsTrigger: false,
  warningDurPctThreshold: 15,
};

/** All that is wrong, each with its key. */
export class ConfigurationError extends Error {
  constructor(readonly problems: readonly { key: string; message: string }[]) {
    super(problems.map(({ key, message }) => `DeviceMonitoringPlugin.${key}: ${message}`).join("; "));
    this.name = "ConfigurationError";
  }
}

/** What is missing has its default; text such as `"true"` or `"400"` is taken as its value. */
export function configure(settings: unknown = {}): Configuration {
  if (settings === null) return { ...DEFAULTS };
  if (typeof settings !== "object" || Array.isArray(settings)) {
    throw new ConfigurationError([{ key: "*", message: `an object is expected, not ${shown(settings)}` }]);
  }
  const configuration: Record<string, unknown> = { ...DEFAULTS };
  const problems: { key: string; message: string }[] = [];
  for (const [key, given] of Object.entries(settings)) {
    if (!Object.hasOwn(DEFAULTS, key)) {
      problems.push({ key, message: `no such setting; there are ${Object.keys(DEFAULTS).join(", ")}` });
      continue;
    }
    if (given === undefined) continue;
    const usual = DEFAULTS[key as keyof Configuration];
    const value = read(given, typeof usual as "boolean" | "number" | "string");
    if (value === undefined)
      problems.push({ key, message: `${EXPECTED[typeof usual]} is expected, not ${shown(given)}` });
    else configuration[key] = value;
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return configuration as unknown as Configuration;
}

const EXPECTED: Record<string, string> = {
  boolean: "true or false",
  number: "a number that is not negative",
  string: "a name",
};

const shown = (value: unknown) => JSON.stringify(value) ?? String(value);

function read(given: unknown, kind: "boolean" | "number" | "string"): unknown {
  const text = typeof given === "string" ? given.trim() : undefined;
  switch (kind) {
    case "boolean":
      if (typeof given === "boolean") return given;
      return text && /^(true|false)$/i.test(text) ? text.toLowerCase() === "true" : undefined;
    case "number": {
      const number = text ? Number(text) : given;
      return typeof number === "number" && Number.isFinite(number) && number >= 0 ? number : undefined;
    }
    case "string":
      return text || undefined;
  }
}
