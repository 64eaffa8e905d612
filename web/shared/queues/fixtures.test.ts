import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { SplitSide } from "../api/types.ts";
import { serviceLevel } from "./serviceLevel.ts";

interface Case {
  name: string;
  threshold: number;
  entered: number;
  below: SplitSide;
  above: SplitSide;
  percent: number | null;
}
const url = new URL("../../../tests/fixtures/sla.json", import.meta.url);
const { cases } = JSON.parse(readFileSync(url, "utf8")) as { cases: Case[] };

it.each(cases)("$name at $threshold s is $percent per cent, as in the service", (one) => {
  const today = {
    tEnter: one.entered,
    splitByWaitTime: { [one.threshold]: { below: one.below, above: one.above } },
  };
  const share = serviceLevel(today, one.threshold, one.name);
  if (one.percent === null) expect(share).toBeNull();
  else expect((share ?? 0) * 100).toBeCloseTo(one.percent, 9);
});
