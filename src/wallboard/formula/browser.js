// What formulas that were written for a browser call beside ECMAScript's own: numbers and times as a locale writes them,
// the time zone, the order of text, `console`, `structuredClone`, `btoa`, `atob`. It is as in a browser with the language
// en-US, in DASHBOARD_TIMEZONE; what is not there throws an error that names it. `host` is the part in Rust.
((host, data) => {
  "use strict";
  const { patterns, locales } = data;
  const { defineProperty } = Object;
  const { isArray } = Array;

  const unsupported = (what) => {
    throw new TypeError(`${what} is not supported in formulas; see the section Formulas of docs/metrics.md`);
  };
  const method = (owner, name, value) => defineProperty(owner, name, { value, writable: true, configurable: true });
  const methods = (owner, named) => {
    for (const name of Object.keys(named)) method(owner, name, named[name]);
  };
  const missing = (owner, path, names) => {
    for (const name of names) {
      defineProperty(owner, name, { get: () => unsupported(`${path}.${name}`), configurable: true });
    }
  };

  // --- Locales

  const tables = new Map();
  const placed = (text) => {
    const found = {};
    for (const entry of text.split("|")) {
      const [at, keys] = entry.split(":");
      for (const key of keys.split(" ")) found[key] = patterns[at];
    }
    return found;
  };
  for (const { tags, ...table } of locales) {
    table.date = placed(table.date);
    table.time = placed(table.time);
    for (const tag of tags) tables.set(tag.toLowerCase(), { ...table, language: tag.slice(0, 2) });
  }
  // The first locale asked for: browsers have them all.
  const tag = (asked) => {
    const first = isArray(asked) ? asked[0] : asked;
    if (first === null) throw new TypeError("a locale is a text such as de-DE, not null");
    if (typeof first === "object") unsupported("a locale as an object");
    return typeof first === "string" ? first.toLowerCase() : "en-us";
  };
  const tableOf = (asked) => tables.get(tag(asked)) ?? unsupported(`the locale ${String(isArray(asked) ? asked[0] : asked)}`);
  const optionsOf = (options) => {
    if (options === null) throw new TypeError("the options are null");
    return options ?? {};
  };
  // Options that have only these values here.
  const only = (options, known, what) => {
    for (const [name, values] of Object.entries(known)) {
      const value = options[name];
      if (value !== undefined && !values.includes(String(value))) unsupported(`${what} with ${name}: ${String(value)}`);
    }
  };

  // --- Numbers

  const usualNumbers = {
    style: ["decimal", "percent"], notation: ["standard"], signDisplay: ["auto"], numberingSystem: ["latn"], localeMatcher: ["lookup", "best fit"],
    minimumSignificantDigits: [], maximumSignificantDigits: [], roundingMode: ["halfExpand"], roundingIncrement: ["1"],
    roundingPriority: ["auto"], trailingZeroDisplay: ["auto"],
  };
  const digitsOption = (options, name, least, most, usual) => {
    if (options[name] === undefined) return usual;
    const count = Number(options[name]);
    if (!(count >= least && count <= most)) throw new RangeError(`${name} is ${least} to ${most}, not ${String(options[name])}`);
    return Math.floor(count);
  };
  const groupingOf = ({ useGrouping }, table) => {
    if (useGrouping === undefined || useGrouping === "auto" || useGrouping === "true" || useGrouping === "false") return table.least;
    if (!useGrouping) return Infinity;
    if (useGrouping === true || useGrouping === "always") return 1;
    if (useGrouping === "min2") return 2;
    throw new RangeError(`useGrouping is always, auto, min2 or false, not ${String(useGrouping)}`);
  };
  // Rounds the shortest decimal text of a number, as browsers do: half away from zero.
  const rounded = (text, shift, most) => {
    const [mantissa, exponent = "0"] = text.split("e");
    const [whole, fraction = ""] = mantissa.split(".");
    const digits = whole + fraction;
    const end = whole.length + Number(exponent) + shift + most;
    if (end < 0) return "0".padStart(most + 1, "0");
    const kept = digits.slice(0, end).padEnd(end, "0");
    return String(BigInt(kept || "0") + (digits[end] >= "5" ? 1n : 0n)).padStart(most + 1, "0");
  };
  const grouped = (whole, { group, lakh }) => {
    const tail = whole.slice(-3);
    const head = whole.slice(0, -3);
    return head.replace(lakh ? /\B(?=(\d{2})+$)/g : /\B(?=(\d{3})+$)/g, group) + group + tail;
  };

  const numberFormat = (asked, given, what) => {
    const [table, options] = [tableOf(asked), optionsOf(given)];
    only(options, usualNumbers, what);
    const percent = String(options.style) === "percent";
    const wholeDigits = digitsOption(options, "minimumIntegerDigits", 1, 21, 1);
    const fewest = digitsOption(options, "minimumFractionDigits", 0, 100);
    const usual = percent ? 0 : 3;
    const most = digitsOption(options, "maximumFractionDigits", 0, 100, Math.max(usual, fewest ?? 0));
    const least = fewest ?? 0;
    if (least > most) throw new RangeError(`maximumFractionDigits is ${most}, less than minimumFractionDigits`);
    const grouping = groupingOf(options, table);
    return (value) => {
      const number = typeof value === "bigint" ? value : Number(value);
      const negative = number < 0 || Object.is(number, -0);
      let shown = table.nan;
      if (number === Infinity || number === -Infinity) shown = "∞";
      else if (typeof number === "bigint" || number === number) {
        const digits = rounded(String(number).replace(/^-/, ""), percent ? 2 : 0, most);
        let [whole, fraction] = [digits.slice(0, digits.length - most), digits.slice(digits.length - most)];
        while (fraction.length > least && fraction.endsWith("0")) fraction = fraction.slice(0, -1);
        whole = whole.padStart(wholeDigits, "0");
        if (whole.length >= 3 + grouping) whole = grouped(whole, table);
        shown = fraction ? whole + table.point + fraction : whole;
      }
      return (negative ? table.minus : "") + (percent ? table.percent.replace("#", () => shown) : shown);
    };
  };

  const { valueOf: numberOf } = Number.prototype;
  const { valueOf: bigintOf } = BigInt.prototype;
  methods(Number.prototype, {
    toLocaleString(locale, options) {
      return numberFormat(locale, options, "toLocaleString")(numberOf.call(this));
    },
  });
  methods(BigInt.prototype, {
    toLocaleString(locale, options) {
      return numberFormat(locale, options, "toLocaleString")(bigintOf.call(this));
    },
  });
  methods(Array.prototype, {
    toLocaleString(locale, options) {
      return this.map((element) => element?.toLocaleString(locale, options) ?? "").join(",");
    },
  });

  // --- Text

  const upper = String.prototype.toUpperCase;
  const lower = String.prototype.toLowerCase;
  const cased = (change, text, asked, what) => {
    if (asked !== undefined && /^(az|el|lt|tr)\b/.test(tag(asked))) unsupported(`${what} in the locale ${String(asked)}`);
    return change.call(text);
  };
  const usualOrder = {
    sensitivity: ["base", "accent", "case", "variant"], usage: ["sort"], caseFirst: ["false"], ignorePunctuation: ["false"],
    numeric: ["true", "false"], localeMatcher: ["lookup", "best fit"], collation: ["default"],
  };
  // Languages that order their letters by the common rules; Spanish has one letter more.
  const COMMON_ORDER = ["de", "en", "es", "fr", "id", "it", "nl", "pt"];
  const order = (asked, given, what) => {
    const [table, options] = [tableOf(asked), optionsOf(given)];
    if (!COMMON_ORDER.includes(table.language)) unsupported(`${what} in the locale ${String(asked)}`);
    only(options, usualOrder, what);
    const { sensitivity = "variant", numeric } = options;
    const [spanish, digits] = [table.language === "es", String(numeric) === "true"];
    return (a, b) => host.compare(String(a).normalize("NFD"), String(b).normalize("NFD"), String(sensitivity), digits, spanish);
  };
  methods(String.prototype, {
    toLocaleUpperCase(locale) {
      return cased(upper, this, locale, "toLocaleUpperCase");
    },
    toLocaleLowerCase(locale) {
      return cased(lower, this, locale, "toLocaleLowerCase");
    },
    localeCompare(other, locale, options) {
      return order(locale, options, "localeCompare")(this, other);
    },
  });

  // --- Times

  const UtcDate = globalThis.Date;
  const dates = UtcDate.prototype;
  const time = dates.getTime;
  const { setTime } = dates;
  // A Date whose UTC is another's local time.
  const local = (instant) => new UtcDate(instant + host.offset(instant));
  const instantOf = (date) => time.call(date);

  const ISO = /^(?:\d{4}|[+-]\d{6})(?:-\d\d(?:-\d\d)?)?(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(Z|[+-]\d\d:\d\d)?$/;
  // As RFC 2822, `toUTCString` and `toString` write it.
  const WORDS = /^(?:[A-Z][a-z]{2},? )?(?:\d{1,2} [A-Z][a-z]{2}|[A-Z][a-z]{2} \d{1,2},?) \d{4}(?: \d\d:\d\d(?::\d\d)?(?: (?:GMT|UTC|Z)?(?:[+-]\d{4})?(?: \(.*\))?)?)?$/;
  const ZONED = /(?:GMT|UTC|Z|[+-]\d{4})(?: \(.*\))?$/;
  const parseUtc = UtcDate.parse;
  const parsed = (text) => {
    const iso = ISO.exec(text);
    if (iso && iso[1] === undefined && /[T ]/.test(text)) return host.instant(parseUtc(`${text.replace(" ", "T")}Z`));
    if (iso) return parseUtc(text.replace(" ", "T"));
    if (WORDS.test(text)) return ZONED.test(text) ? parseUtc(text.replace(/ \(.*$/, "")) : host.instant(parseUtc(`${text} GMT`));
    if (/\d/.test(text)) unsupported(`a time written as ${text.slice(0, 60)} (ISO 8601 and RFC 2822 are)`);
    return NaN;
  };

  function Date(...parts) {
    if (new.target === undefined) return new UtcDate().toString();
    let instant;
    if (parts.length === 0) instant = UtcDate.now();
    else if (parts.length > 1) instant = host.instant(UtcDate.UTC(...parts));
    else {
      const [value] = parts;
      const plain = value instanceof UtcDate ? instantOf(value) : typeof value === "object" && value !== null ? value.valueOf() : value;
      instant = typeof plain === "string" ? parsed(plain) : Number(plain);
    }
    return Reflect.construct(UtcDate, [instant], new.target);
  }
  defineProperty(Date, "prototype", { value: dates, writable: false });
  defineProperty(Date, "length", { value: 7, configurable: true });
  methods(Date, { now: UtcDate.now, UTC: UtcDate.UTC, parse(text) { return parsed(String(text)); } });
  method(dates, "constructor", Date);

  for (const part of ["FullYear", "Month", "Date", "Day", "Hours", "Minutes", "Seconds", "Milliseconds"]) {
    const [get, set] = [dates[`getUTC${part}`], dates[`setUTC${part}`]];
    methods(dates, { [`get${part}`]() { return get.call(local(instantOf(this))); } });
    if (set === undefined) continue;
    methods(dates, {
      [`set${part}`](...values) {
        const instant = instantOf(this);
        const moved = part === "FullYear" && instant !== instant ? new UtcDate(0) : local(instant);
        set.apply(moved, values);
        return setTime.call(this, host.instant(instantOf(moved)));
      },
    });
  }

  const usualTimes = {
    localeMatcher: ["lookup", "best fit"], formatMatcher: ["basic", "best fit"], calendar: ["gregory"], numberingSystem: ["latn"], weekday: [], era: [],
    dayPeriod: [], fractionalSecondDigits: [], timeZoneName: [], year: ["numeric", "2-digit"], month: ["numeric", "2-digit"],
    day: ["numeric", "2-digit"], hour: ["numeric", "2-digit"], minute: ["numeric", "2-digit"], second: ["numeric", "2-digit"],
    dateStyle: ["short"], timeStyle: ["short", "medium"], hour12: ["true", "false"], hourCycle: ["h23"],
  };
  const DATE_PARTS = ["year", "month", "day"];
  const TIME_PARTS = ["hour", "minute", "second"];
  const letter = { numeric: "n", "2-digit": "2" };
  const key = (options, parts) => parts.map((part) => letter[options[part]] ?? "-").join("");
  const two = (number) => String(number).padStart(2, "0");
  const zoned = (zone) => {
    if (zone === undefined || String(zone).toLowerCase() === host.zone.toLowerCase()) return local;
    if (String(zone).toUpperCase() === "UTC") return (instant) => new UtcDate(instant);
    return unsupported(`the timeZone ${String(zone)} (${host.zone}, which is DASHBOARD_TIMEZONE, and UTC are)`);
  };

  // `required` and `usual`: the parts that must be asked for, and the parts shown where none of them is.
  const timeFormat = (asked, given, required, usual, what) => {
    const table = tableOf(asked);
    const options = { ...optionsOf(given) };
    only(options, usualTimes, what);
    const { dateStyle, timeStyle, hour12, hourCycle } = options;
    const inZone = zoned(options.timeZone);
    if (dateStyle === undefined && timeStyle === undefined) {
      if (required.every((part) => options[part] === undefined)) for (const part of usual) options[part] = "numeric";
    } else if ([...DATE_PARTS, ...TIME_PARTS].some((part) => options[part] !== undefined)) {
      throw new TypeError("dateStyle and timeStyle can't be combined with single parts");
    } else if ((dateStyle !== undefined && !required.includes("day")) || (timeStyle !== undefined && !required.includes("hour"))) {
      throw new TypeError(`${what} takes no ${dateStyle !== undefined && !required.includes("day") ? "dateStyle" : "timeStyle"}`);
    }
    const dateKey = dateStyle ?? key(options, DATE_PARTS);
    const ownClock = timeStyle ?? key(options, TIME_PARTS);
    const halfDays = table.time.nnna.includes("{a}");
    if (String(hour12) === "true" && !halfDays) unsupported(`${what} with hour12: true in the locale ${table.language}`);
    const of24 = hour12 === undefined ? hourCycle !== undefined : String(hour12) === "false" && halfDays;
    const pieces = [];
    for (const [kind, wanted, none] of [["date", dateKey, "---"], ["time", ownClock, "---"]]) {
      if (wanted === none) continue;
      const found = table[kind][kind === "time" ? wanted + (of24 ? "3" : "a") : wanted];
      if (found === undefined) unsupported(`${what} with only these parts of a ${kind}`);
      pieces.push(found);
    }
    const pattern = pieces.join(table.glue);
    return (instant) => {
      const date = inZone(instant);
      const [year, hour] = [date.getUTCFullYear(), date.getUTCHours()];
      const parts = {
        y: year < 1 ? 1 - year : year, M: date.getUTCMonth() + 1, d: date.getUTCDate(), H: hour, h: hour % 12 || 12, m: date.getUTCMinutes(),
        s: date.getUTCSeconds(), a: hour < 12 ? table.am : table.pm,
      };
      return pattern.replace(/\{(\w)(\w?)\}/g, (_, name, twice) => (twice ? two(parts[name] % 100) : String(parts[name])));
    };
  };
  const invalid = "Invalid Date";
  const ANY = [...DATE_PARTS, ...TIME_PARTS];
  const shownDate = (name, required, usual) => ({
    [name](locale, options) {
      const instant = instantOf(this);
      return instant === instant ? timeFormat(locale, options, required, usual, name)(instant) : invalid;
    },
  });
  const utcText = dates.toUTCString;
  const nameless = (name) => ({
    [name]() {
      if (Number.isNaN(instantOf(this))) return invalid;
      return unsupported(`a Date as text, which names the time zone in the reader's language (toISOString and toLocaleTimeString are),`);
    },
  });
  methods(dates, {
    ...shownDate("toLocaleString", ANY, ANY),
    ...shownDate("toLocaleDateString", DATE_PARTS, DATE_PARTS),
    ...shownDate("toLocaleTimeString", TIME_PARTS, TIME_PARTS),
    ...nameless("toString"),
    ...nameless("toTimeString"),
    toDateString() {
      if (Number.isNaN(instantOf(this))) return invalid;
      const [weekday, day, month, year] = utcText.call(local(instantOf(this))).split(" ");
      return `${weekday.slice(0, 3)} ${month} ${day} ${year}`;
    },
    getTimezoneOffset() {
      const instant = instantOf(this);
      return instant === instant ? (0 - host.offset(instant)) / 60000 : NaN;
    },
    getYear() {
      return this.getFullYear() - 1900;
    },
    setYear(year) {
      return this.setFullYear(year >= 0 && year <= 99 ? 1900 + Math.trunc(year) : year);
    },
  });
  method(globalThis, "Date", Date);

  // --- Intl

  const Intl = {};
  const formatter = (name, make, member) => {
    const Format = { [name]: function (locale, options) {
      const made = Object.create(Format.prototype);
      defineProperty(made, member, { value: make(locale, options) });
      return made;
    } }[name];
    missing(Format, `Intl.${name}`, ["supportedLocalesOf"]);
    missing(Format.prototype, `Intl.${name}`, ["formatToParts", "formatRange", "formatRangeToParts", "resolvedOptions"]);
    method(Intl, name, Format);
  };
  formatter("NumberFormat", (locale, options) => {
    const format = numberFormat(locale, options, "Intl.NumberFormat");
    return (value) => format(typeof value === "string" && value.length > 15 ? unsupported("a long number as text") : value);
  }, "format");
  formatter("DateTimeFormat", (locale, options) => {
    const format = timeFormat(locale, options, ANY, DATE_PARTS, "Intl.DateTimeFormat");
    return (date) => {
      const instant = date === undefined ? UtcDate.now() : Number(date);
      if (instant !== instant) throw new RangeError("Intl.DateTimeFormat can't show an invalid Date");
      return format(instant);
    };
  }, "format");
  formatter("Collator", (locale, options) => order(locale, options, "Intl.Collator"), "compare");
  missing(Intl, "Intl", [
    "DisplayNames", "DurationFormat", "ListFormat", "Locale", "PluralRules", "RelativeTimeFormat", "Segmenter", "getCanonicalLocales", "supportedValuesOf",
  ]);
  method(globalThis, "Intl", Intl);

  // --- Functions of the web's that compute

  const quiet = () => {};
  const console = {};
  for (const name of [
    "assert", "clear", "count", "countReset", "debug", "dir", "dirxml", "error", "group", "groupCollapsed", "groupEnd", "info", "log", "profile",
    "profileEnd", "table", "time", "timeEnd", "timeLog", "timeStamp", "trace", "warn",
  ]) {
    console[name] = quiet;
  }
  method(globalThis, "console", console);

  const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const cloned = (value, seen) => {
    if (typeof value === "function" || typeof value === "symbol") throw new TypeError(`structuredClone can't copy a ${typeof value}`);
    if (typeof value !== "object" || value === null) return value;
    if (seen.has(value)) return seen.get(value);
    const keep = (copy) => {
      seen.set(value, copy);
      return copy;
    };
    const fields = (copy) => {
      for (const name of Object.keys(value)) copy[name] = cloned(value[name], seen);
      return copy;
    };
    if (isArray(value)) {
      const copy = keep([]);
      copy.length = value.length;
      return fields(copy);
    }
    if (value instanceof UtcDate) return keep(new UtcDate(instantOf(value)));
    if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
    if (value instanceof Map) {
      const copy = keep(new Map());
      for (const [name, held] of [...value]) copy.set(cloned(name, seen), cloned(held, seen));
      return copy;
    }
    if (value instanceof Set) {
      const copy = keep(new Set());
      for (const held of [...value]) copy.add(cloned(held, seen));
      return copy;
    }
    if (value instanceof Error) {
      const Kind = [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].find(({ name }) => name === value.name) ?? Error;
      return keep(new Kind(value.message));
    }
    const primitive = [Number, String, Boolean, BigInt].find((kind) => value instanceof kind);
    if (primitive !== undefined) return keep(Object(value.valueOf()));
    return fields(keep({}));
  };
  methods(globalThis, {
    btoa(value) {
      const text = String(value);
      let out = "";
      for (let at = 0; at < text.length; at += 3) {
        const codes = [text.charCodeAt(at), text.charCodeAt(at + 1), text.charCodeAt(at + 2)];
        if (codes.some((code) => code > 255)) throw new RangeError("btoa takes characters up to U+00FF only");
        const bits = (codes[0] << 16) | (codes[1] << 8) | codes[2];
        const letters = [18, 12, 6, 0].map((shift) => ALPHABET[(bits >> shift) & 63]);
        const kept = Math.min(text.length - at, 3) + 1;
        out += letters.slice(0, kept).join("").padEnd(4, "=");
      }
      return out;
    },
    atob(value) {
      let text = String(value).replace(/[\t\n\f\r ]/g, "");
      if (text.length % 4 === 0) text = text.replace(/==?$/, "");
      if (text.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(text)) throw new RangeError("atob takes base64 only");
      let [out, bits, count] = ["", 0, 0];
      for (const character of text) {
        bits = ((bits << 6) | ALPHABET.indexOf(character)) & 0xffffff;
        count += 6;
        if (count >= 8) {
          count -= 8;
          out += String.fromCharCode((bits >> count) & 255);
        }
      }
      return out;
    },
    structuredClone(...given) {
      if (given.length === 0) throw new TypeError("structuredClone takes a value");
      return cloned(given[0], new Map());
    },
  });
})
