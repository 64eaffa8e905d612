import { expect, it } from "vitest";
import {
  addDays,
  dateOf,
  firstInstantOf,
  instantsAt,
  instantsOf,
  localDay,
  startOfDay,
  timeOfDay,
  weekdayOf,
} from "./localDays.ts";

const BERLIN = "Europe/Berlin";
const HOUR = 3_600_000;
const utc = (text: string) => Date.parse(`${text}Z`);
const hours = (date: string, timeZone: string) => {
  const { start, end } = localDay(date, timeZone);
  return (end - start) / HOUR;
};

it("has days of 23 and 25 hours where clocks change, in zones with half hours too", () => {
  expect(["2026-03-28", "2026-03-29", "2026-10-25", "2026-10-26"].map((date) => hours(date, BERLIN))).toEqual(
    [24, 23, 25, 24],
  );
  expect(hours("2026-10-04", "Australia/Lord_Howe")).toBe(23.5);
  expect(hours("2026-04-05", "Australia/Lord_Howe")).toBe(24.5);
  expect(hours("2026-03-29", "Asia/Kolkata")).toBe(24);
});

it("begins a day after the midnight that clocks skip", () => {
  // In Santiago clocks go from midnight to one.
  const zone = "America/Santiago";
  expect(instantsOf(utc("2026-09-06T00:00:00"), zone)).toEqual([]);
  expect(startOfDay("2026-09-06", zone)).toBe(utc("2026-09-06T04:00:00"));
  expect(hours("2026-09-06", zone)).toBe(23);
});

it("finds no instant in the hour that is skipped, and two in the one that comes twice", () => {
  expect(instantsOf(utc("2026-03-29T02:30:00"), BERLIN)).toEqual([]);
  expect(firstInstantOf(utc("2026-03-29T02:30:00"), BERLIN)).toBe(utc("2026-03-29T01:00:00"));
  expect(instantsOf(utc("2026-10-25T02:30:00"), BERLIN)).toEqual([
    utc("2026-10-25T00:30:00"),
    utc("2026-10-25T01:30:00"),
  ]);
  expect(instantsOf(utc("2026-11-30T10:00:00"), BERLIN)).toEqual([utc("2026-11-30T09:00:00")]);
});

it("goes from instants to the time of day and back, over a change", () => {
  const day = localDay("2026-10-25", BERLIN);
  const half = 2.5 * HOUR;
  expect(instantsAt(half, day).map((instant) => timeOfDay(instant, day))).toEqual([half, half]);
  const spring = localDay("2026-03-29", BERLIN);
  expect(instantsAt(half, spring)).toEqual([]);
  expect(timeOfDay(utc("2026-03-29T01:00:00"), spring)).toBe(3 * HOUR);
});

it("counts dates, whatever clocks do", () => {
  expect(dateOf(utc("2026-11-29T23:30:00"), BERLIN)).toBe("2026-11-30");
  expect(addDays("2026-03-01", -1)).toBe("2026-02-28");
  expect([weekdayOf("2026-11-30"), weekdayOf("2026-12-06")]).toEqual([0, 6]);
});
