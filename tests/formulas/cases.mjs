// The expressions of `browser_values.json`: combinations that formulas are likely to hold, drawn with a fixed seed.
function random(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const NUMBERS = [
  "0", "-0", "7", "-7", "999", "1000", "-1234.5", "9999", "12345.678", "1234567.891", "1.005", "0.145", "0.256", "2.5", "3.5", "-2.5",
  "0.0004", "-0.0004", "0.0005", "99.995", "0.1 + 0.2", "1e21", "123456789012345680000", "5e-324", "1e-7", "NaN", "1 / 0", "-1 / 0",
  "12345678901234567890n",
];
const NUMBER_OPTIONS = [
  "", "{}", "{ minimumFractionDigits: 2 }", "{ maximumFractionDigits: 0 }", "{ maximumFractionDigits: 1 }",
  "{ minimumFractionDigits: 1, maximumFractionDigits: 1 }", "{ minimumFractionDigits: 4 }", "{ maximumFractionDigits: 20 }",
  "{ style: 'percent' }", "{ style: 'percent', maximumFractionDigits: 1 }", "{ style: 'percent', minimumFractionDigits: 2 }",
  "{ useGrouping: false }", "{ useGrouping: true }", "{ useGrouping: 'min2' }", "{ useGrouping: 'always' }", "{ minimumIntegerDigits: 2 }",
  "{ minimumIntegerDigits: 5 }", "{ style: 'decimal', useGrouping: 'auto' }", "{ minimumFractionDigits: 3, maximumFractionDigits: 1 }",
  "{ minimumFractionDigits: 101 }", "{ style: 'currency', currency: 'EUR' }", "{ style: 'currency' }", "{ notation: 'compact' }",
  "{ notation: 'scientific' }", "{ maximumSignificantDigits: 2 }", "{ signDisplay: 'always' }", "{ style: 'unit', unit: 'second' }",
  "{ roundingMode: 'floor' }", "{ numberingSystem: 'arab' }", "null",
];
const UNKNOWN_LOCALES = ["ja-JP", "ar-EG", "hi-IN", "de-u-nu-arab", "de_DE", "x", "zh-CN", "bn", "th-TH-u-ca-buddhist"];
const INSTANTS = [
  "0", "1767322985000", "1774746000000", "1774749599999", "1774749600000", "1792886400000", "1792890000000", "1792893600000", "1796036222123",
  "1798757999000", "1798758000000", "951782400000", "-86400000", "NaN",
];
const TIME_OPTIONS = [
  "", "{}", "{ hour: '2-digit', minute: '2-digit' }", "{ hour: 'numeric', minute: '2-digit' }", "{ hour: 'numeric', minute: 'numeric' }",
  "{ hour: '2-digit', minute: '2-digit', second: '2-digit' }", "{ hour: 'numeric' }", "{ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }",
  "{ hour: 'numeric', minute: '2-digit', hour12: true }", "{ timeStyle: 'short' }", "{ timeStyle: 'medium' }", "{ timeZone: 'UTC' }",
  "{ timeZone: 'Europe/Berlin', hour: '2-digit', minute: '2-digit' }", "{ hourCycle: 'h23' }", "{ hour12: true }", "{ timeStyle: 'full' }",
  "{ timeZone: 'America/New_York' }", "{ timeZoneName: 'short' }", "{ minute: '2-digit' }", "{ hour: '2-digit', dayPeriod: 'short' }",
  "{ second: 'numeric', fractionalSecondDigits: 3 }", "{ hour: 'x' }", "{ hourCycle: 'h11' }",
];
const DATE_OPTIONS = [
  "", "{}", "{ year: 'numeric', month: '2-digit', day: '2-digit' }", "{ year: '2-digit', month: 'numeric', day: 'numeric' }",
  "{ month: '2-digit', day: '2-digit' }", "{ day: 'numeric', month: 'numeric' }", "{ dateStyle: 'short' }", "{ timeZone: 'UTC' }",
  "{ hour: '2-digit', minute: '2-digit' }", "{ weekday: 'long' }", "{ month: 'long' }", "{ dateStyle: 'medium' }", "{ dateStyle: 'full' }",
  "{ year: 'numeric' }", "{ era: 'short' }", "{ calendar: 'buddhist' }", "{ month: 'short', day: 'numeric' }", "{ timeStyle: 'short' }",
];
const BOTH_OPTIONS = [
  "", "{}", "{ dateStyle: 'short', timeStyle: 'short' }", "{ dateStyle: 'short', timeStyle: 'medium' }", "{ timeZone: 'UTC' }",
  "{ day: '2-digit', month: '2-digit', hour: '2-digit', minute: '2-digit' }", "{ hour12: true }", "{ hourCycle: 'h23' }",
  "{ year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' }",
  "{ hour: 'numeric', minute: 'numeric' }", "{ day: 'numeric', month: 'numeric', year: 'numeric' }", "{ dateStyle: 'long', timeStyle: 'short' }",
];
const NAMES = [
  "", "a", "A", "b", "B", "z", "Z", "ä", "Ä", "á", "à", "e", "é", "E", "É", "è", "ê", "ë", "o", "ö", "Ö", "õ", "n", "ñ", "Ñ", "ss", "ß", "SS", "Straße",
  "Strasse", "strasse", "STRASSE", "Sales", "sales", "Sales 2", "Sales 10", "Sales10", "Sales-2", "Sales_2", "Sales (EMEA)", "Support", "support",
  "Österreich", "Osterreich", "Ostern", "Zürich", "Zurich", "zurück", "côte", "coté", "côté", "cote", "résumé", "resume", "Resume", "1", "01", "2", "10",
  "A1", "a2", "A10", "$", "%", "#1", "&", "+", "-", "_", " ", "  a", "a b", "a-b", "ab", "a.b", "a,b", "a/b", "a'b", "ç", "c", "ş", "ą", "č", "ł", "ø", "æ",
  "–", "€", "…", "Я", "я", "日本", "한국", "😀", "ﬁ", "e\\u0301", "\\u0000", "i", "ı", "İ", "aa", "å",
];
const COMPARE_LOCALES = ["", "'en'", "'en-GB'", "'de'", "'de-DE'", "'fr'", "'it'", "'es'", "'es'", "'sv'", "'da'", "'tr'", "'pl'", "'fr-CA'", "'ja'", "[]"];
const COMPARE_OPTIONS = [
  "", "", "", "{ sensitivity: 'base' }", "{ sensitivity: 'accent' }", "{ sensitivity: 'case' }", "{ sensitivity: 'variant' }", "{ numeric: true }",
  "{ numeric: true, sensitivity: 'base' }", "{ caseFirst: 'upper' }", "{ ignorePunctuation: true }",
];
const PARSED = [
  "2026-01-02", "2026-01", "2026", "2026-07-01T12:00", "2026-07-01T12:00:30", "2026-07-01T12:00:30.5", "2026-07-01T12:00:00Z",
  "2026-07-01T12:00:00.123456Z", "2026-07-01T12:00:00+02:00", "2026-07-01 12:00:00", "2026-03-29T02:30", "2026-10-25T02:30", "2026-13-01", "2026-02-30",
  "Mon, 30 Nov 2026 10:00:00 +0000", "Mon, 30 Nov 2026 10:00:00 GMT", "30 Nov 2026 10:00:00", "Nov 30, 2026", "Nov 30, 2026 10:00", "30 Nov 2026",
  "Mon Nov 30 2026 10:00:00 GMT+0100 (Central European Standard Time)", "11/30/2026", "30.11.2026", "2026/11/30", "soon", "", "10:00", "2026-11-30T10", "1",
  "2026-07-01T12:00:00z", "2026-07-01T24:00:00", "Mon, 30 Nov 2026 10:00:00 EST",
];
const FIXED = [
  "[1234.5, null, 'a', [2000]].toLocaleString('de')", "[1, 2].toLocaleString()", "[0.5].toLocaleString('en', { style: 'percent' })",
  "'straße'.toLocaleUpperCase()", "'I'.toLocaleLowerCase('en')", "'I'.toLocaleLowerCase('tr')", "'i'.toLocaleUpperCase('tr-TR')", "'ά'.toLocaleUpperCase('el')",
  "new Intl.NumberFormat('de').format(1234.5)", "Intl.NumberFormat('en', { style: 'percent' }).format(0.5)", "[1000, 2].map(new Intl.NumberFormat('fr').format).join()",
  "new Intl.DateTimeFormat('de').format(new Date(0))", "new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' }).format(0)",
  "['b', 'a', 'Ä'].sort(new Intl.Collator('de').compare).join()", "['b', 'a', 'Ä', 'A'].sort((x, y) => x.localeCompare(y)).join()",
  "new Intl.PluralRules('en').select(1)", "new Intl.RelativeTimeFormat('en').format(-1, 'day')", "new Intl.ListFormat('en').format(['a', 'b'])",
  "new Intl.NumberFormat('de').formatToParts(1)[0].value", "Intl.DateTimeFormat().resolvedOptions().timeZone", "new Intl.Locale('de').language",
  "Intl.getCanonicalLocales('de-de')[0]", "new Intl.DisplayNames('en', { type: 'region' }).of('DE')", "typeof Intl", "typeof Date.now()",
  "btoa('hello')", "atob('aGVsbG8=')", "atob(btoa('\\u00ff\\u0000a'))", "btoa('€')", "atob('*')", "atob(' aGk = ')", "atob('a')", "btoa('')", "atob('aGk')",
  "structuredClone({ a: [1, { b: 2 }], d: new Date(0), m: new Map([[1, new Set([2])]]) }).m.get(1).has(2)", "structuredClone([1, , 3]).length",
  "structuredClone(new Date(5)).getTime()", "structuredClone(() => 1)", "structuredClone({ a: Symbol() })", "structuredClone(null)", "structuredClone('a')",
  "(() => { const a = {}; a.a = a; const b = structuredClone(a); return b.a === b && b !== a })()", "structuredClone(/a/g).flags", "structuredClone()",
  "structuredClone(new (class X { y = 1 })()).constructor === Object", "structuredClone(new RangeError('x')).message", "structuredClone(Object(1)) + 1",
  "['debug', 'error', 'info', 'log', 'warn', 'table', 'group', 'groupCollapsed', 'groupEnd', 'dir', 'dirxml', 'trace', 'assert', 'count', 'countReset', 'time', 'timeLog', 'timeEnd'].map((name) => typeof console[name]).join()",
  "[0, -5, NaN].map((n) => new Date(n).getTimezoneOffset()).join()", "new Date(2026, 6, 1).getTime()", "new Date(2026, 0).getTime()", "new Date(99, 0, 1).getFullYear()",
  "new Date(2026, 2, 29, 2, 30).getTime()", "new Date(2026, 9, 25, 2, 30).getTime()", "new Date(2026, NaN).getTime()", "new Date(new Date(7)).getTime()", "new Date(true).getTime()",
  "new Date(null).getTime()", "new Date('7', 1).getTime()", "Date.UTC(2026, 0)", "Date.length", "Date.name", "new Date(0) instanceof Date", "new Date(0).constructor === Date",
  "new Date(8.64e15 + 1).getTime()", "(() => { const d = new Date(0); d.setHours(0, 0, 0, 0); return d.getTime() })()", "new Date(0).setHours(25)", "new Date(0).setDate(0)",
  "new Date(0).setMonth(6)", "new Date(0).setFullYear(2026, 6, 1)", "new Date(NaN).setFullYear(2026)", "new Date(NaN).setHours(1)", "new Date(0).setMinutes(61)", "new Date(0).setSeconds(1, 2)",
  "new Date(0).setMilliseconds(5)", "new Date(0).toISOString()", "JSON.stringify(new Date(0))", "new Date(0).toUTCString()", "new Date(0).toDateString()", "new Date(NaN).toDateString()",
  "new Date(0).toString()", "new Date(NaN).toString()", "String(new Date(1e12))", "new Date(0).toTimeString()", "`${new Date(0)}`", "new Date(0) - 1", "+new Date(5)", "new Date(0) + 1",
  "new Date(1e12).toString().slice(16, 21)", "new Date(1e12).getYear()", "new (class extends Date {})(5).getTime()", "Date.parse.name", "new Date(-1e14).toLocaleDateString('de')",
];

export function cases(locales) {
  const next = random(7);
  const one = (list) => list[Math.floor(next() * list.length)];
  const call = (value, method, locale, options) => {
    const args = options ? [locale || "undefined", options] : locale ? [locale] : [];
    return `(${value}).${method}(${args.join(", ")})`;
  };
  const quoted = (locale) => `'${locale}'`;
  const locale = () => {
    const kind = next();
    if (kind < 0.1) return "";
    if (kind < 0.15) return one(["[]", "['de-DE', 'en']", "'DE-de'", "null", "5", "['fr']"]);
    return quoted(kind < 0.25 ? one(UNKNOWN_LOCALES) : one(locales));
  };
  const made = new Set();
  const draw = (count, make) => {
    const until = made.size + count;
    while (made.size < until) made.add(make());
  };
  for (const tag of locales) {
    for (const number of ["1234.5", "12345.67", "-1234567.891"]) made.add(call(number, "toLocaleString", quoted(tag)));
    made.add(call("-0.256", "toLocaleString", quoted(tag), "{ style: 'percent' }"));
    for (const method of ["toLocaleString", "toLocaleDateString", "toLocaleTimeString"]) made.add(call("new Date(1796036222123)", method, quoted(tag)));
  }
  draw(350, () => call(one(NUMBERS), "toLocaleString", locale(), one(NUMBER_OPTIONS)));
  draw(220, () => call(`new Date(${one(INSTANTS)})`, "toLocaleTimeString", locale(), one(TIME_OPTIONS)));
  draw(160, () => call(`new Date(${one(INSTANTS)})`, "toLocaleDateString", locale(), one(DATE_OPTIONS)));
  draw(140, () => call(`new Date(${one(INSTANTS)})`, "toLocaleString", locale(), one(BOTH_OPTIONS)));
  draw(600, () => call(`'${one(NAMES)}'`, "localeCompare", `'${one(NAMES)}'`, "").replace(/\)$/, () => {
    const [where, options] = [one(COMPARE_LOCALES), one(COMPARE_OPTIONS)];
    return `${options ? `, ${where || "undefined"}, ${options}` : where && `, ${where}`})`;
  }));
  for (const instant of INSTANTS) {
    made.add(`['FullYear', 'Month', 'Date', 'Day', 'Hours', 'Minutes', 'Seconds', 'Milliseconds', 'TimezoneOffset'].map((part) => new Date(${instant})['get' + part]()).join()`);
  }
  for (const text of PARSED) made.add(`Date.parse('${text}')`).add(`new Date('${text}').getHours()`);
  for (const fixed of FIXED) made.add(fixed);
  return [...made];
}
