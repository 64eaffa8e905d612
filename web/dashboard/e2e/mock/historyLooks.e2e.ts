/** Curve, report and replay from phone to 4K, in both themes. */
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { violations } from "../accessibility.ts";
import { tile } from "../pages.ts";
import { curveButton, iso, rows, setUpPages, yesterdayAt } from "./historyPages.ts";

const { desks, open } = setUpPages();

const views: [string, string, (p: Page) => Promise<unknown>][] = [
  [
    "curve",
    "/#/queues",
    async (p) => {
      await curveButton(p, "Support").click();
      await p.getByRole("button", { name: /Average of 4/ }).waitFor();
    },
  ],
  ["report", "/#/report", (p) => rows(p).first().waitFor()],
  ["replay", `/#/replay?at=${iso(yesterdayAt(11))}`, (p) => tile(p, "waiting").waitFor()],
];

describe("accessibility", () => {
  for (const colorScheme of ["light", "dark"] as const) {
    for (const [name, path, act] of views) {
      it(`${name}, ${colorScheme}: axe finds nothing`, async () => {
        const [p] = await open(path, {}, { colorScheme });
        await act(p);
        expect(await violations(p)).toEqual([]);
        expect(desks.last?.complaints).toEqual([]);
      });
    }
  }
});

describe("from phone to 4K", () => {
  for (const [width, height] of [
    [360, 740],
    [1440, 900],
    [3840, 2160],
  ] as const) {
    for (const [name, path, act] of views) {
      it(`${name}, ${width} x ${height}, German: nothing is cut off`, async () => {
        const german = path.replace("/#", "/?lang=de#");
        const germanAct =
          name === "curve"
            ? async (p: Page) => {
                await p.getByRole("button", { name: "Tageskurve von Support", exact: true }).click();
                await p.getByRole("button", { name: /Mittel aus 4/ }).waitFor();
              }
            : act;
        const [p] = await open(german, {}, { viewport: { width, height } });
        await germanAct(p);
        const outside = await p.evaluate(() => {
          const scrolling = (e: Element) =>
            e.closest("[role=table], .scroll-x, .tabs, .uplot, [class*=srOnly], [role=tooltip]") !== null;
          const wide = [...document.querySelectorAll("header *, nav *, main *, [data-testid=replay-band] *")]
            .filter((element) => {
              const box = element.getBoundingClientRect();
              const seen = box.width > 0 && element.checkVisibility();
              return seen && !scrolling(element) && (box.right > innerWidth + 1 || box.left < -1);
            })
            .map((element) => `${element.tagName} ${element.className}`);
          const page = document.documentElement.scrollWidth > innerWidth ? ["the page"] : [];
          return [...page, ...wide].slice(0, 5);
        });
        expect(outside).toEqual([]);
      });
    }
  }
});
