/** Numbers, settings, texts, and the mapping from Flex's manager to ours. */
import { describe, expect, it } from "vitest";
import { COUNTRIES, countryOf, e164 } from "../src/dialpad/number.ts";
import type { Manager } from "../src/flex/api.ts";
import { settingsOf } from "../src/flex/settings.ts";
import { flexUser, isSupervisor } from "../src/flex/user.ts";
import { voiceParties } from "../src/flex/voiceTask.ts";
import { de } from "../src/locales/de.ts";
import { en } from "../src/locales/en.ts";
import { languageOf } from "../src/locales/index.ts";

const country = (id: string) => COUNTRIES.find((one) => one.id === id);

describe("a phone number", () => {
  it.each([
    ["+49 30 901820", undefined, "+4930901820"],
    ["030 / 90 18 20", "DE", "+4930901820"],
    ["0049 30 901820", "US", "+4930901820"],
    ["011 49 30 901820", "US", "+4930901820"],
    ["(500) 555-0006", "US", "+15005550006"],
    ["1 500 555 0006", "US", "+15005550006"],
    ["06 698 12345", "IT", "+390669812345"],
  ])("%s of %s is %s", (typed, from, expected) => {
    expect(e164(typed, from ? country(from) : undefined)).toBe(expected);
  });

  it("is refused where it is none", () => {
    for (const typed of ["", "abc", "+1", "12", "+0 123 4567", "+1234567890123456", "sip:ada@example.com"])
      expect(e164(typed, country("US")), typed).toBeUndefined();
    expect(e164("030 901820", undefined), "without a country").toBeUndefined();
  });

  it("belongs to the country with the longest code", () => {
    expect(countryOf("+353123")?.id).toBe("IE");
    expect(countryOf("+999")).toBeUndefined();
  });
});

describe("settings", () => {
  const script = "https://stats.example.com/tr/flex-plugin/0.2.0/taskrouter-sync-a1.js";

  it("come from the bundle's own address where nothing is configured", () => {
    expect(settingsOf({}, script)).toEqual({
      service: "https://stats.example.com/tr/",
      syncMap: "queueStats",
    });
    expect(settingsOf(undefined, undefined).service).toBeUndefined();
  });

  it("come from Flex's configuration, which wins", () => {
    const given = { TaskrouterSync: { url: "https://other.example.com", syncMap: "mine" } };
    expect(settingsOf(given, script)).toEqual({ service: "https://other.example.com/", syncMap: "mine" });
  });

  it("name what is wrong, and never run a script address", () => {
    expect(settingsOf({ TaskrouterSync: { url: 7 } }, script).problem).toContain("must be texts");
    const odd = settingsOf({ TaskrouterSync: { url: "javascript:alert(1)" } }, script);
    expect([odd.service, odd.problem]).toEqual([undefined, expect.stringContaining("TaskrouterSync.url")]);
  });
});

function manager(parts: object): Manager {
  const flex = { session: { ssoTokenPayload: { token: "t1" } }, config: { theme: { isLight: false } } };
  return { store: { getState: () => ({ flex }) }, ...parts } as unknown as Manager;
}

describe("the user", () => {
  it("is read from Flex's manager each time", () => {
    const workerClient = { attributes: { contact_uri: "client:ada" }, available: true };
    const localization = { localeTag: "de-DE" };
    const user = flexUser(
      manager({ user: { identity: "ada", roles: ["Supervisor"] }, workerClient, localization }),
    );
    expect([user.identity(), user.token(), user.contactUri(), user.isAvailable(), user.isLight()]).toEqual([
      "ada",
      "t1",
      "client:ada",
      true,
      false,
    ]);
    expect([isSupervisor(user), user.language()]).toEqual([true, "de-DE"]);
  });

  it("may lack a Worker and roles", () => {
    const user = flexUser(manager({ user: { identity: "x" } }));
    expect([user.contactUri(), user.isAvailable(), isSupervisor(user)]).toEqual([undefined, false, false]);
  });
});

it("the parties of a call are those of the agent's voice task", () => {
  const of = (...tasks: object[]) =>
    voiceParties(manager({ workerClient: { reservations: new Map(tasks.map((task, n) => [n, { task }])) } }));
  const chat = { taskChannelUniqueName: "chat", attributes: { from: "x" } };
  const voice = { taskChannelUniqueName: "voice", attributes: { from: "+1", called: "+2" } };
  expect(of(chat, voice)).toEqual({ callerId: "+1", dnis: "+2" });
  expect(of(chat)).toEqual({});
});

describe("texts", () => {
  it("are German for German tags, and English for others", () => {
    expect([languageOf("de-AT").plugin, languageOf("fr").plugin, languageOf(undefined).plugin]).toEqual([
      de,
      en,
      en,
    ]);
  });

  it("are in both languages for every status of a call", () => {
    expect(Object.keys(de.dialpad.status)).toEqual(Object.keys(en.dialpad.status));
  });
});
