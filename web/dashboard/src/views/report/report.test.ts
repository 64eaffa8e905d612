import type { IntervalRow, IntervalTotals } from "@taskrouter-sync/shared/api/history.ts";
import { describe, expect, it } from "vitest";
import { HISTORY_TEXTS } from "../../locales/history/index.ts";
import { fileName, json, tsv } from "./exports.ts";
import { activitiesOf, figuresOf, figureText, startText, withinShare } from "./figures.ts";
import { addressOf, intervalQuery, presetRange, queryOf } from "./query.ts";

const { en, de } = HISTORY_TEXTS;
const BERLIN = "Europe/Berlin";
const NOW = Date.parse("2026-11-30T14:00:00Z");

const totals = (more: Partial<IntervalTotals> = {}): IntervalTotals => ({
  channel: "all",
  entered: 10,
  accepted: 8,
  abandoned: 2,
  shortAbandons: null,
  completed: 7,
  within: { "30": 6 },
  serviceLevel: 75,
  waitMean: 12.5,
  waitMax: 90,
  waitingMean: 1.25,
  waitingMax: 4,
  agents: { Break: 1, Available: 2.5 },
  covered: 1,
  ...more,
});
const row = (more: Partial<IntervalRow> = {}): IntervalRow => ({
  ...totals(),
  queue: "WQ1",
  friendlyName: "Support",
  start: "2026-11-30T10:00:00+01:00",
  seconds: 900,
  source: "measured",
  covered: 1,
  ...more,
});
const figures = figuresOf({ slaSeconds: [30], shortAbandonSeconds: null }, ["Available"], en.report);
const figure = (id: string) => figures.find((one) => one.id === id);

describe("figures", () => {
  it("take a share from the total's own counts, not from the shares of its rows", () => {
    const rows = [
      totals({ accepted: 1, within: { "30": 1 } }),
      totals({ accepted: 99, within: { "30": 0 } }),
    ];
    const total = totals({ accepted: 100, within: { "30": 1 } });
    expect(rows.map((one) => withinShare(one, 30))).toEqual([100, 0]);
    expect(withinShare(total, 30)).toBe(1);
    expect(figure("within_30_share")?.value(total)).toBe(1);
    // A service level follows the queue's own rule, which only the service knows.
    expect(figure("sla_30")?.value({ ...total, serviceLevels: { "30": 42 } })).toBe(42);
    expect(figure("sla_30")?.value(total)).toBe(75);
  });

  it("have no value where no task could have one, and zero is a zero", () => {
    const none = totals({ accepted: 0, within: { "30": 0 }, serviceLevel: null, waitMean: null });
    expect(figure("within_30_share")?.value(none)).toBeNull();
    expect(figure("sla_30")?.value(none)).toBeNull();
    expect(figure("accepted")?.value(none)).toBe(0);
  });

  it("are those that the service knows: no short abandons without a limit, activities as they occur", () => {
    expect(figure("shortAbandons")).toBeUndefined();
    expect(
      figuresOf({ slaSeconds: [], shortAbandonSeconds: 5 }, [], en.report).map(({ id }) => id),
    ).toContain("shortAbandons");
    expect(activitiesOf([totals(), totals({ agents: { Lunch: 1 } })])).toEqual([
      "Available",
      "Break",
      "Lunch",
    ]);
  });

  it("are written as the language does, and never rounded to all or none", () => {
    expect(figureText(1234, "count", "en-GB")).toBe("1,234");
    expect(figureText(1234, "count", "de-DE")).toBe("1.234");
    expect([99.97, 100, 0.02, 0].map((value) => figureText(value, "share", "en-GB"))).toEqual([
      "99.9 %",
      "100 %",
      "0.1 %",
      "0 %",
    ]);
    expect(figureText(252, "seconds", "en-GB")).toBe("04:12");
  });

  it("begin at the wall time that the service wrote, whatever zone the browser is in", () => {
    expect(startText(row({ start: "2026-10-25T02:30:00+02:00" }), "en-GB")).toBe("25 Oct, 02:30");
    expect(startText(row({ start: "2026-11-30T00:00:00+01:00", seconds: 86_400 }), "en-GB")).toContain(
      "30 Nov 2026",
    );
  });
});

describe("range", () => {
  it("has the days of a preset, weeks from Monday", () => {
    const days = (preset: Parameters<typeof presetRange>[0], today: string) => {
      const { from, until } = presetRange(preset, today);
      return `${from.slice(0, 10)} ${until.slice(0, 10)}`;
    };
    expect(days("today", "2026-11-30")).toBe("2026-11-30 2026-12-01");
    expect(days("lastWeek", "2026-12-02")).toBe("2026-11-23 2026-11-30");
    expect(days("thisMonth", "2026-12-02")).toBe("2026-12-01 2026-12-03");
    expect(days("lastMonth", "2026-03-31")).toBe("2026-02-01 2026-03-01");
    expect(days("lastSeven", "2026-03-01")).toBe("2026-02-23 2026-03-02");
  });

  it("is of 25 hours where clocks go back, and none where it ends before it begins", () => {
    const query = {
      ...presetRange("today", "2026-10-25"),
      step: 900 as const,
      queues: [],
      channels: ["all"],
    };
    const asked = intervalQuery(query, BERLIN);
    expect(((asked?.to ?? 0) - (asked?.from ?? 0)) / 3_600_000).toBe(25);
    expect(intervalQuery({ ...query, until: query.from }, BERLIN)).toBeUndefined();
  });

  it("survives the address, which may have anything", () => {
    const query = queryOf("", NOW, BERLIN);
    expect(query).toEqual({
      from: "2026-11-30T00:00",
      until: "2026-12-01T00:00",
      step: 1800,
      queues: [],
      channels: ["all"],
    });
    const chosen = {
      ...query,
      step: 86_400 as const,
      queues: [`WQ${"0".repeat(32)}`],
      channels: ["voice", "chat"],
    };
    expect(queryOf(addressOf(chosen).split("?")[1] ?? "", NOW, BERLIN)).toEqual(chosen);
    expect(queryOf("from=never&until=2026-13-45T99:99&step=7&queues=%27,WQ1", NOW, BERLIN)).toEqual(query);
  });
});

describe("copies", () => {
  it("have units in the header, and the decimal sign of the language", () => {
    const [mean] = figures.filter(({ id }) => id === "waitMean");
    if (!mean) throw new Error("no such figure");
    expect(tsv([row()], [mean], en)).toBe(
      "Start\tQueue\tChannel\tAvg wait [s]\n2026-11-30T10:00:00+01:00\tSupport\tall\t12.5\n",
    );
    expect(tsv([row()], [mean], de)).toContain("\t12,5\n");
  });

  it("are no formula, and a name does not break a row", () => {
    expect(tsv([row({ friendlyName: "=HYPERLINK(1)\tx\ny" })], [], en).split("\n")[1]).toBe(
      "2026-11-30T10:00:00+01:00\t'=HYPERLINK(1) x y\tall",
    );
  });

  it("of JSON have all rows and no further page", () => {
    const answer = {
      from: "2026-11-30T00:00:00+01:00",
      to: "2026-12-01T00:00:00+01:00",
      step: 900,
      timezone: BERLIN,
      slaSeconds: [30],
      shortAbandonSeconds: null,
      rows: [row()],
      totals: [totals()],
      next: "c",
    };
    const copy = JSON.parse(json(answer, [row(), row()]));
    expect([copy.rows.length, copy.next, copy.totals.length]).toEqual([2, null, 1]);
    expect(fileName(answer, "csv")).toBe("queues_2026-11-30_2026-12-01_15min.csv");
  });
});
