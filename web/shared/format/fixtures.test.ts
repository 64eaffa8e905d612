import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { metricText } from "./number.ts";

interface Fixture {
  timeZone: string;
  cases: { format: string; value: number; text: string }[];
}
const url = new URL("../../../tests/fixtures/formats.json", import.meta.url);
const { timeZone, cases } = JSON.parse(readFileSync(url, "utf8")) as Fixture;

it.each(cases)("$format of $value is $text, as in the service", ({ format, value, text }) => {
  expect(metricText(format, value, timeZone)).toBe(text);
});
