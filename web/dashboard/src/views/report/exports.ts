/** A report for a spreadsheet or another program. Pure. */
import type { IntervalRow, Intervals } from "@taskrouter-sync/shared/api/history.ts";
import type { HistoryTexts } from "../../locales/history/index.ts";
import type { Figure, Unit } from "./figures.ts";

const UNITS: Readonly<Record<Unit, string>> = { count: "", mean: "", share: " [%]", seconds: " [s]" };

/** No cell ends a row, and none is a formula: a queue's name may begin with `=`. */
const words = (text: string) => {
  const line = text.replace(/[\t\r\n]+/g, " ");
  return /^[=+\-@]/.test(line) ? `'${line}` : line;
};

/** Numbers with the language's decimal sign, which is the one that the user's spreadsheet reads. */
export function tsv(rows: readonly IntervalRow[], figures: readonly Figure[], text: HistoryTexts): string {
  const comma = (1.5).toLocaleString(text.locale).includes(",");
  const number = (value: number | null) => {
    if (value === null) return "";
    const plain = String(Math.round(value * 1000) / 1000);
    return comma ? plain.replace(".", ",") : plain;
  };
  const { head } = text.report;
  const header = [
    head.start,
    head.queue,
    head.channel,
    ...figures.map(({ label, unit }) => label + UNITS[unit]),
  ];
  const lines = rows.map((row) => [
    row.start,
    words(row.friendlyName),
    words(row.channel),
    ...figures.map((figure) => number(figure.value(row))),
  ]);
  return [header.map(words), ...lines].map((cells) => `${cells.join("\t")}\n`).join("");
}

/** The answer as the service gives it, with the rows of all pages. */
export const json = (answer: Intervals, rows: readonly IntervalRow[]): string =>
  `${JSON.stringify({ ...answer, rows, next: null }, null, 1)}\n`;

export function fileName(
  { from, to, step }: { from: string; to: string; step: number },
  ending: string,
): string {
  const interval = step >= 86_400 ? "days" : `${step / 60}min`;
  return `queues_${from.slice(0, 10)}_${to.slice(0, 10)}_${interval}.${ending}`;
}
