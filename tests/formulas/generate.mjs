// Writes what browsers show, as ICU in Node says it: `src/wallboard/formula/locales.json`, the table that formulas format
// by, and `tests/formulas/browser_values.json`, expressions with their values. Run by hand, with Node's full ICU, when a
// locale or an option is added: node tests/formulas/generate.mjs
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { cases } from "./cases.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
// The zone and the language of this process are those of the browser that it stands for.
if (process.env.TZ !== "Europe/Berlin" || !/^en_US/.test(process.env.LC_ALL ?? "")) {
  const env = { ...process.env, TZ: "Europe/Berlin", LC_ALL: "en_US.UTF-8", LANG: "en_US.UTF-8" };
  process.exit(spawnSync(process.execPath, [fileURLToPath(import.meta.url)], { env, stdio: "inherit" }).status ?? 1);
}

const LOCALES = `en en-US en-GB en-AU en-CA en-IE en-IN en-NZ de de-DE de-AT de-CH fr fr-FR fr-BE fr-CH es es-ES es-MX
  it it-IT it-CH nl nl-NL nl-BE pt pt-BR pt-PT da da-DK sv sv-SE nb nb-NO fi fi-FI pl pl-PL cs cs-CZ tr tr-TR id id-ID`.split(/\s+/);
const STYLES = { n: "numeric", 2: "2-digit" };
// The locale's own clock, and the one of 24 hours. Browsers differ about `hour12` where a locale has 24.
const CYCLES = { a: {}, 3: { hourCycle: "h23" } };
const EARLY = new Date(Date.UTC(2026, 0, 2, 3, 4, 5));
const LATE = new Date(Date.UTC(2026, 10, 12, 13, 14, 15));

const fields = (names, key) =>
  Object.fromEntries(names.map((name, at) => [name, STYLES[key[at]]]).filter(([, style]) => style !== undefined));

function token({ type, value }, clock) {
  const padded = value.length > 1;
  switch (type) {
    case "year": return value.length > 2 ? "{y}" : "{yy}";
    case "month": return padded ? "{MM}" : "{M}";
    case "day": return padded ? "{dd}" : "{d}";
    case "hour": return (padded ? "{hh}" : "{h}").replace(/h/g, clock === "h23" ? "H" : "h");
    case "minute": return padded ? "{mm}" : "{m}";
    case "second": return padded ? "{ss}" : "{s}";
    case "dayPeriod": return "{a}";
    default: return value;
  }
}

const two = (number) => String(number).padStart(2, "0");
const filled = (pattern, date, { am, pm }) => {
  const hour = date.getUTCHours();
  const parts = {
    y: date.getUTCFullYear(), M: date.getUTCMonth() + 1, d: date.getUTCDate(), H: hour, h: hour % 12 || 12,
    m: date.getUTCMinutes(), s: date.getUTCSeconds(), a: hour < 12 ? am : pm,
  };
  return pattern.replace(/\{(\w)(\w?)\}/g, (_, name, twice) => (twice ? two(parts[name] % 100) : parts[name]));
};

function pattern(locale, options, periods) {
  const format = new Intl.DateTimeFormat(locale, { ...options, timeZone: "UTC" });
  const clock = format.resolvedOptions().hourCycle;
  const found = format.formatToParts(EARLY).map((part) => token(part, clock)).join("").replaceAll("\u202f", " "); // as `format` does, for old pages' sake
  return [EARLY, LATE].every((date) => filled(found, date, periods) === format.format(date)) ? found : undefined;
}

function table(locale) {
  const parts = (options, number) => new Intl.NumberFormat(locale, options).formatToParts(number);
  const part = (list, type) => list.find((one) => one.type === type)?.value ?? "";
  const large = parts({ minimumFractionDigits: 1, useGrouping: true }, -1234567.5);
  const percent = parts({ style: "percent" }, 0.26).map(({ type, value }) => (type === "integer" ? "#" : value)).join("");
  const period = (date) => part(new Intl.DateTimeFormat(locale, { hour: "numeric", hour12: true, timeZone: "UTC" }).formatToParts(date), "dayPeriod");
  const periods = { am: period(EARLY), pm: period(LATE) };
  const date = {};
  const time = {};
  for (const y of "n2-") for (const m of "n2") for (const d of "n2") {
    date[y + m + d] = pattern(locale, fields(["year", "month", "day"], y + m + d), periods);
  }
  date.short = pattern(locale, { dateStyle: "short" }, periods);
  for (const [cycle, clock] of Object.entries(CYCLES)) {
    for (const h of "n2") for (const rest of ["--", "nn", "n2", "2n", "22", "n-", "2-"]) {
      const [m, s] = rest;
      time[h + m + s + cycle] = pattern(locale, { ...fields(["hour", "minute", "second"], h + m + s), ...clock }, periods);
    }
    for (const style of ["short", "medium"]) time[style + cycle] = pattern(locale, { timeStyle: style, ...clock }, periods);
  }
  const both = pattern(locale, { ...fields(["year", "month", "day"], "nnn"), ...fields(["hour", "minute", "second"], "nnn") }, periods);
  const glue = both.slice(date.nnn.length, both.length - time.nnna.length);
  if (date.nnn + glue + time.nnna !== both) throw new Error(`${locale}: ${both} is no date and time one after the other`);
  return {
    group: part(large, "group"), point: part(large, "decimal"), minus: part(large, "minusSign"), nan: new Intl.NumberFormat(locale).format(NaN), percent,
    least: /^1234/.test(new Intl.NumberFormat(locale).format(1234)) ? 2 : 1,
    lakh: /^12.34/.test(new Intl.NumberFormat(locale).format(1234567)), ...periods, glue, date, time,
  };
}

// Patterns by their place in a list, since most locales share theirs; keys of one pattern together.
const patterns = [];
const placed = (map) => {
  const keys = {};
  for (const [key, found] of Object.entries(map)) {
    if (found === undefined) continue;
    if (!patterns.includes(found)) patterns.push(found);
    (keys[patterns.indexOf(found)] ??= []).push(key);
  }
  return Object.entries(keys).map(([at, all]) => `${at}:${all.join(" ")}`).join("|");
};
const tables = new Map();
for (const locale of LOCALES) {
  const { date, time, ...rest } = table(locale);
  const text = JSON.stringify({ ...rest, date: placed(date), time: placed(time) });
  tables.set(text, [...(tables.get(text) ?? []), locale]);
}
const lines = [...tables].map(([text, tags]) => `{"tags":${JSON.stringify(tags)},${text.slice(1)}`);
writeFileSync(
  here("../../src/wallboard/formula/locales.json"),
  `{"patterns":${JSON.stringify(patterns)},\n"locales":[\n${lines.join(",\n")}\n]}\n`,
);

const shown = (expression) => {
  try {
    return String(Function(`"use strict"; return (${expression})`)());
  } catch (error) {
    return { throws: error.name };
  }
};
const rows = cases(LOCALES).map((expression) => JSON.stringify([expression, shown(expression)]));
writeFileSync(here("browser_values.json"), `[\n${rows.join(",\n")}\n]\n`);
