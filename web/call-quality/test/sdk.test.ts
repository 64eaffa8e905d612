/** What the real SDK's own monitor tells of bad samples, played to the rules: its shapes, not ours. */
import { createRequire } from "node:module";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { WarningData } from "../src/index.ts";
import { counts, DEFAULTS } from "../src/index.ts";

interface Monitor {
  on(event: "warning" | "warning-cleared", told: (data: WarningData & { name: string }) => void): void;
  enable(connection: object): void;
  disable(): void;
}
/** The monitor is no part of the package's face; it is loaded as the package's own main file loads it. */
const load = createRequire(createRequire(import.meta.url).resolve("@twilio/voice-sdk"));
const { default: StatsMonitor } = load("./twilio/statsMonitor.js") as {
  default: new (options: { getRTCStats(): Promise<object> }) => Monitor;
};

/** As the SDK's call names them (es5/twilio/call.js). */
const NAMES: Record<string, string> = {
  "rtt max": "high-rtt",
  "jitter max": "high-jitter",
  "mos min": "low-mos",
  "packetsLostFraction max": "high-packet-loss",
  "packetsLostFraction maxAverage": "high-packets-lost-fraction",
};

afterEach(() => void vi.useRealTimers());

/** The warnings that count, of those that the SDK raises in this number of seconds on a line of this kind. */
async function warnings(line: { rtt?: number; jitter?: number; lostEach?: number }, seconds = 12) {
  vi.useFakeTimers();
  let second = 0;
  const sample = async () => {
    second += 1;
    const lost = (line.lostEach ?? 0) * second;
    return {
      bytesReceived: 5000 * second,
      bytesSent: 5000 * second,
      codecName: "opus",
      jitter: line.jitter ?? 2,
      packetsLost: lost,
      packetsReceived: 50 * second - lost,
      packetsSent: 50 * second,
      rtt: line.rtt ?? 40,
      timestamp: Date.now(),
    };
  };
  const monitor = new StatsMonitor({ getRTCStats: sample });
  const found = new Map<string, boolean>();
  monitor.on("warning", (data) => {
    const name = NAMES[`${data.name} ${data.threshold?.name}`];
    if (name) found.set(name, counts(name, data, { ...DEFAULTS, lowMosThreshold: 3 }));
  });
  monitor.enable({});
  await vi.advanceTimersByTimeAsync(seconds * 1000);
  monitor.disable();
  return Object.fromEntries(found);
}

describe("the SDK's monitor", () => {
  it("tells nothing of a good line", async () => {
    expect(await warnings({})).toEqual({});
  });
  it("tells figures that are compared with ours, not with its own", async () => {
    expect(await warnings({ jitter: 90 })).toMatchObject({ "high-jitter": true });
    expect(await warnings({ rtt: 900 })).toMatchObject({ "high-rtt": true });
    // 20 % are lost: too many for the SDK, and for the default, which is what the older plugin ran with.
    expect(await warnings({ lostEach: 10 })).toMatchObject({
      "high-packet-loss": true,
      "high-packets-lost-fraction": true,
    });
    expect(await warnings({ lostEach: 40 })).toMatchObject({
      "high-packet-loss": true,
      "high-packets-lost-fraction": true,
      "low-mos": true,
    });
  });
});
