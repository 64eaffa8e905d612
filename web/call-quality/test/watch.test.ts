import { describe, expect, it, vi } from "vitest";
import { attach } from "../src/index.ts";
import { FakeCall, issues, play, type Step } from "./call.ts";

const rtt = (...values: unknown[]) => ({ name: "rtt", values, threshold: { name: "max", value: 400 } });
const lost = (...values: unknown[]) => ({
  name: "packetsLostFraction",
  values,
  threshold: { name: "maxAverage", value: 3 },
});
const mos = (...values: unknown[]) => ({ name: "mos", values, threshold: { name: "min", value: 3.5 } });
const jitter = (...values: unknown[]) => ({ name: "jitter", values, threshold: { name: "max", value: 30 } });
const warning = (at: number, name: string, data: unknown = null): Step => [at, "warning", name, data];
const cleared = (at: number, name: string): Step => [at, "warning-cleared", name, null];
/** A call of 100 s with these things in between. */
const call = (...steps: Step[]): Step[] => [[0, "accept"], ...steps, [100, "disconnect"]];

const SHARE = "call warning condition pct";

describe("a call", () => {
  it("without warnings raises nothing", async () => {
    expect(await play(call())).toEqual([]);
  });

  it("is in warning from the first active warning until the last is cleared", async () => {
    // 10 to 16 and 14 to 26 overlap: 16 s of 100, not 18.
    const overlapping = call(
      warning(10, "high-rtt", rtt(900)),
      warning(14, "low-bytes-received"),
      cleared(16, "high-rtt"),
      cleared(26, "low-bytes-received"),
    );
    expect(issues(await play(overlapping, { warningDurPctThreshold: 15 }))).toEqual([SHARE]);
    expect(await play(overlapping, { warningDurPctThreshold: 16 })).toEqual([]);
  });

  it("adds up separate times in warning", async () => {
    const twice = call(
      warning(10, "high-rtt", rtt(900)),
      cleared(18, "high-rtt"),
      warning(50, "high-rtt", rtt(900)),
      cleared(58, "high-rtt"),
    );
    expect(issues(await play(twice))).toEqual([SHARE]);
    expect(await play(twice, { warningDurPctThreshold: "16" })).toEqual([]);
  });

  it("counts a warning told twice once, and one cleared that never counted not at all", async () => {
    const steps = call(
      warning(10, "high-jitter", jitter(80)),
      warning(12, "high-jitter", jitter(90)),
      cleared(20, "high-jitter"),
      cleared(60, "high-jitter"),
      cleared(70, "high-rtt"),
    );
    expect(await play(steps)).toEqual([]);
    expect(issues(await play(steps, { warningDurPctThreshold: 9 }))).toEqual([SHARE]);
  });

  it("that ends under a warning raises that only where it is wanted", async () => {
    const steps = call(warning(95, "ice-connectivity-lost"));
    expect(await play(steps)).toEqual([]);
    expect(issues(await play(steps, { endedInWarningIsTrigger: true }))).toEqual([
      "call ended under warning",
    ]);
    expect(issues(await play(steps, { endedInWarningIsTrigger: "true" }))).toEqual([
      "call ended under warning",
    ]);
    expect(
      await play(call(warning(90, "low-mos"), cleared(99, "low-mos")), { endedInWarningIsTrigger: true }),
    ).toEqual([]);
  });

  it("counts what is still active at its end", async () => {
    expect(issues(await play(call(warning(84, "ice-connectivity-lost"))))).toEqual([SHARE]);
    expect(await play(call(warning(85, "ice-connectivity-lost")))).toEqual([]);
  });

  it("that is short raises that, unless 0 switches the rule off", async () => {
    const short: Step[] = [
      [0, "accept"],
      [9, "disconnect"],
    ];
    expect(issues(await play(short))).toEqual(["short call"]);
    expect(issues(await play(short, { shortCallThreshold: 9 }))).toEqual([]);
    expect(await play(short, { shortCallThreshold: 0 })).toEqual([]);
    expect(await play(short, { shortCallThreshold: "0" })).toEqual([]);
  });

  it("tells everything at once", async () => {
    const steps: Step[] = [[0, "accept"], warning(2, "ice-connectivity-lost"), [5, "disconnect"]];
    expect(await play(steps, { endedInWarningIsTrigger: true, action: "page-the-operator" })).toEqual([
      {
        issues: `short call, call ended under warning, ${SHARE}`,
        callerId: "+493055501000",
        dnis: "client:ada",
        action: "page-the-operator",
      },
    ]);
  });

  it("that was never answered raises nothing, and is not watched on", async () => {
    for (const event of ["cancel", "reject", "disconnect"]) {
      const one = new FakeCall();
      expect(await play([warning(1, "low-mos"), [2, event]], {}, {}, one)).toEqual([]);
      expect(one.eventNames()).toEqual([]);
    }
  });

  it("is not blamed for warnings before it was answered", async () => {
    const steps: Step[] = [
      warning(0, "ice-connectivity-lost"),
      [50, "accept"],
      cleared(55, "ice-connectivity-lost"),
      [150, "disconnect"],
    ];
    expect(await play(steps)).toEqual([]);
    expect(issues(await play(steps, { warningDurPctThreshold: 4 }))).toEqual([SHARE]);
  });

  it("that was answered before it is watched counts from then on", async () => {
    const one = new FakeCall();
    one.state = "open";
    expect(issues(await play([[5, "disconnect"]], {}, {}, one))).toEqual(["short call"]);
  });
});

describe("a warning with a threshold", () => {
  const counted = async (name: string, data: unknown, configuration: object = {}) =>
    (await play(call(warning(10, name, data)), configuration)).length > 0;

  it.each([
    ["high-rtt", rtt(100, 500, 300), {}, true],
    ["high-rtt", rtt(100, 400, 300), {}, false],
    ["high-rtt", rtt(100, 500, 300), { highRttThreshold: 600 }, false],
    ["high-rtt", rtt(0, 1), { highRttThreshold: 0 }, true],
    ["high-rtt", rtt(0, 0), { highRttThreshold: 0 }, false],
    ["high-packets-lost-fraction", lost(60, 90, 70), {}, true],
    ["high-packets-lost-fraction", lost(5, 1, 2), {}, false],
    ["high-packets-lost-fraction", lost(40, 40), {}, true],
    ["high-packets-lost-fraction", lost(100, 30, 70), { highPacketsLostThreshold: 70 }, false],
    ["high-packet-loss", { values: [2, 4], threshold: { name: "max", value: 1 } }, {}, true],
    ["high-packet-loss", { values: [2, 3], threshold: { name: "max", value: 1 } }, {}, false],
    ["high-jitter", jitter(29, 31), {}, true],
    ["high-jitter", jitter(29, 30), {}, false],
    ["low-mos", mos(4.4, 2.9), {}, true],
    ["low-mos", mos(4.4, 3.1), {}, false],
    ["low-mos", mos(4.4, 3.1), { lowMosThreshold: 3 }, false],
    ["low-mos", mos(4.4, 0), { lowMosThreshold: 3 }, true],
    ["low-mos", mos(0), { lowMosThreshold: 0 }, false],
    ["low-mos", { value: 3.9, threshold: { name: "min", value: 4 } }, { lowMosThreshold: 3.5 }, false],
  ])("%s %j with %j: %s", async (name, data, configuration, expected) => {
    expect(await counted(name, data, configuration)).toBe(expected);
  });

  it("counts where the SDK told no figure, as those without a threshold do", async () => {
    for (const data of [null, undefined, {}, { values: [] }, { values: ["?", null, Number.NaN] }]) {
      expect(await counted("high-rtt", data)).toBe(true);
    }
    for (const name of [
      "ice-connectivity-lost",
      "low-bytes-received",
      "constant-audio-input-level",
      "toString",
    ]) {
      expect(await counted(name, { value: 1, threshold: { name: "max", value: 9 } })).toBe(true);
    }
  });
});

describe("an alert", () => {
  const short: Step[] = [
    [0, "accept"],
    [1, "disconnect"],
  ];

  it("notifies the agent only where that is wanted", async () => {
    const notify = vi.fn();
    await play(short, {}, { notify });
    await play(short, { alertAgent: "false" }, { notify });
    expect(notify).not.toHaveBeenCalled();
    await play(short, { alertAgent: true }, { notify });
    expect(notify.mock.calls).toEqual([["Possible voice network quality issue detected: short call"]]);
  });

  it("tells the parties that Flex knows", async () => {
    const parties = () => ({ dnis: "+4930555099" });
    const [alert] = await play(short, {}, { parties });
    expect(alert).toMatchObject({ callerId: "+493055501000", dnis: "+4930555099" });
  });

  it("is sent although notifying fails, and its own failure is reported", async () => {
    const failed = vi.fn();
    const notify = () => {
      throw new Error("no such notification");
    };
    expect(await play(short, { alertAgent: true }, { notify, failed })).toHaveLength(1);
    expect(failed).toHaveBeenCalledTimes(1);
    const refused = () => Promise.reject(new Error("refused"));
    await play(short, {}, { respond: refused, failed });
    await vi.waitFor(() => expect(failed).toHaveBeenLastCalledWith(new Error("refused")));
  });

  it("is raised once, whatever the call says afterwards", async () => {
    const steps: Step[] = [...short, [2, "disconnect"], [3, "warning", "low-mos", null], [4, "disconnect"]];
    expect(await play(steps)).toHaveLength(1);
  });

  it("is not raised by what is not watched any more", () => {
    const one = new FakeCall();
    const respond = vi.fn();
    const stop = attach(one, { respond });
    one.emit("accept");
    stop();
    one.emit("disconnect");
    expect(respond).not.toHaveBeenCalled();
    expect(one.eventNames()).toEqual([]);
  });

  it("refuses settings at once, not at the end of a call", () => {
    const attempt = () =>
      attach(new FakeCall(), { respond: () => undefined, configuration: { alertagent: true } });
    expect(attempt).toThrow("DeviceMonitoringPlugin.alertagent: no such setting");
  });
});
