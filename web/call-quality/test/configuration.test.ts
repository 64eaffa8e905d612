import { describe, expect, it } from "vitest";
import { ConfigurationError, configure, DEFAULTS } from "../src/index.ts";

describe("configuration", () => {
  it("is the defaults where nothing is set", () => {
    expect(configure()).toEqual(DEFAULTS);
    // What the older plugin ran with, and not what its README says.
    expect(DEFAULTS).toMatchObject({ highPacketsLostThreshold: 3, lowMosThreshold: 3 });
    expect(configure(null)).toEqual(DEFAULTS);
    expect(configure({ action: undefined })).toEqual(DEFAULTS);
  });

  it("honours 0 and false", () => {
    const given = {
      highRttThreshold: 0,
      highPacketsLostThreshold: 0,
      lowMosThreshold: 0,
      highJitterThreshold: 0,
      shortCallThreshold: 0,
      warningDurPctThreshold: 0,
      alertAgent: false,
      endedInWarningIsTrigger: false,
    };
    expect(configure(given)).toEqual({ ...given, action: "log-call" });
  });

  it.each([
    ["alertAgent", "true", true],
    ["alertAgent", " False ", false],
    ["endedInWarningIsTrigger", "TRUE", true],
    ["highRttThreshold", "250", 250],
    ["shortCallThreshold", "0", 0],
    ["lowMosThreshold", " 3.5 ", 3.5],
    ["action", " send-sms-to-customer ", "send-sms-to-customer"],
  ])("takes the text %s %j as its value", (key, text, value) => {
    expect(configure({ [key]: text })).toEqual({ ...DEFAULTS, [key]: value });
  });

  it.each([
    ["alertAgent", "yes"],
    ["alertAgent", 1],
    ["alertAgent", ""],
    ["endedInWarningIsTrigger", null],
    ["highRttThreshold", ""],
    ["highRttThreshold", "fast"],
    ["highRttThreshold", -1],
    ["highRttThreshold", Number.NaN],
    ["highRttThreshold", true],
    ["shortCallThreshold", null],
    ["lowMosThreshold", [4]],
    ["action", ""],
    ["action", 7],
    ["highRTTThreshold", 400],
    ["toString", 1],
  ])("refuses %s = %j, naming the key", (key, value) => {
    expect(() => configure({ [key]: value })).toThrow(ConfigurationError);
    expect(() => configure({ [key]: value })).toThrow(`DeviceMonitoringPlugin.${key}: `);
  });

  it("tells all problems together", () => {
    let problems: unknown;
    try {
      configure({ alertAgent: "maybe", colour: "red", highRttThreshold: 100 });
    } catch (error) {
      problems = (error as ConfigurationError).problems.map(({ key }) => key);
    }
    expect(problems).toEqual(["alertAgent", "colour"]);
  });

  it("is an object", () => {
    for (const wrong of ["{}", 1, [], true]) expect(() => configure(wrong)).toThrow("an object is expected");
  });
});
