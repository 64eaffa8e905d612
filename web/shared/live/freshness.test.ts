import { describe, expect, it } from "vitest";
import type { Health } from "../api/types.ts";
import { en } from "../locales/en.ts";
import { instant } from "./clock.ts";
import { type FreshnessInput, freshness } from "./freshness.ts";

const HEALTHY: Health = { taskrouter: { ok: true }, sync: { ok: true } };
describe("freshness", () => {
  const base: FreshnessInput = {
    link: { state: "open" },
    active: true,
    lastNumbers: 100_000,
    lastActivity: 100_000,
    health: HEALTHY,
    browserOnline: true,
  };
  const at = (more: Partial<FreshnessInput>, now = 102_000) => freshness({ ...base, ...more }, en, now, now);

  it("lists in its details what the service reports as failing, and items that can't be read", () => {
    expect(at({ health: HEALTHY }).details).toEqual([]);
    const health: Health = {
      taskrouter: { ok: false, since: "2026-01-01T10:00:00Z", reason: "503" },
      sync: { ok: false, unwritten: 4, failing: 2 },
    };
    expect(at({ health, timeZone: "UTC", unreadable: 2 }).details).toEqual([
      "2 queues unreadable, not shown",
      "TaskRouter has not responded since 10:00: 503",
      "Sync: 2 writes failing",
      "Sync: 4 writes pending",
    ]);
  });
  it("is live with an age, and announces no seconds", () => {
    expect(at({})).toMatchObject({ kind: "live", label: "Live: 2 s ago", announcement: "Live." });
    expect(at({}).staleSince).toBeUndefined();
  });
  it("shows the age of the numbers, not of the message that brought them", () => {
    const asOf = 95_000;
    expect(at({ asOf }).label).toBe("Live: 7 s ago");
    expect(at({ asOf, active: false }).label).toBe("Catching up. Data is 7 s old");
    expect(at({ asOf, link: { state: "lost", retryAt: 102_000 } }).label).toContain("Data is 7 s old");
  });
  it("names the Sync object that is at its limit, what waits, and the way out", () => {
    const beyondLimit = { object: "Map `queueStats`", waiting: 40, writesASecond: 11.6 };
    expect(at({ health: { ...HEALTHY, sync: { ok: true, beyondLimit } } }).details).toEqual([
      "Map `queueStats` is at Sync's limit of about 12 writes a second: 40 writes waiting. The layout queue-documents has no such limit.",
    ]);
  });
  it("counts down offline and names who is unreachable", () => {
    const lost = at({ link: { state: "lost", retryAt: 106_000 } });
    expect(lost.label).toBe("Offline: service unreachable. Data is 2 s old. Retrying in 4 s");
    expect(lost.announcement).toBe("Offline: service unreachable.");
    expect(at({ link: { state: "connecting", retry: true } }).kind).toBe("offline");
    expect(at({ browserOnline: false }).announcement).toContain("this screen has no network");
  });
  it("is catching up, not offline, when a source starts again that was never lost", () => {
    expect(at({ link: { state: "connecting" } }).kind).toBe("catching-up");
    expect(at({ link: { state: "paused" } }).kind).toBe("catching-up");
  });
  it("catches up until the first byte", () => expect(at({ active: false }).kind).toBe("catching-up"));
  it("is stale when TaskRouter is not responding", () => {
    const health = { ...HEALTHY, taskrouter: { ok: false, since: "2026-01-01T12:30:00Z", reason: "503" } };
    const stale = at({ health, timeZone: "Europe/Berlin" });
    expect(stale.label).toBe("Stale since 13:30: TaskRouter is not responding (503)");
    expect(stale.staleSince).toBe(instant("2026-01-01T12:30:00Z"));
  });
  it("stays live when only Sync is behind, and says so", () => {
    const health = { ...HEALTHY, sync: { ok: false, unwritten: 7 } };
    expect(at({ health })).toMatchObject({
      kind: "live",
      label: "Live: 2 s ago; Twilio Sync is behind by 7 writes",
    });
  });
});
