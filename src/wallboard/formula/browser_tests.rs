//! Locales, times and order of text, held to what a browser shows: `tests/formulas/generate.mjs` writes the cases.

use serde_json::Value;

use super::*;

/// What formulas do not have; an expression without any of these shows what a browser shows.
const REFUSED: &[&str] = &[
    // Numbers.
    "currency",
    "notation",
    "Significant",
    "signDisplay",
    "unit",
    "rounding",
    "numberingSystem",
    // Times.
    "weekday",
    "era:",
    "'long'",
    "'short', day",
    "'medium' }",
    "'full'",
    "'long'",
    "{ year: 'numeric' }",
    "calendar",
    "New_York",
    "timeZoneName",
    "dayPeriod",
    "{ minute:",
    "fractional",
    "'h11'",
    "hour12",
    "toString()",
    "String(new Date",
    "toTimeString",
    "${new Date",
    "+ 1",
    // Parsing.
    "2026-13-01",
    "2026-02-30",
    "11/30/2026",
    "30.11.2026",
    "2026/11/30",
    "'10:00'",
    "T10'",
    "'1'",
    "00z",
    "T24:00",
    "EST",
    // Locales.
    "ja",
    "ar-EG",
    "hi-IN",
    "u-nu",
    "u-ca",
    "zh-CN",
    "'bn'",
    "'x'",
    // Text.
    "toLocaleLowerCase('tr')",
    "'tr-TR'",
    "'el'",
    "'sv'",
    "'da'",
    "'tr'",
    "'pl'",
    "fr-CA",
    "caseFirst",
    "ignorePunctuation",
    "ł",
    "ø",
    "æ",
    "…",
    "я",
    "Я",
    "日本",
    "한국",
    "😀",
    "ﬁ",
    "\\u0000",
    "ı",
    "ñ",
    "Ñ",
    // The rest of `Intl`.
    "PluralRules",
    "RelativeTimeFormat",
    "ListFormat",
    "formatToParts",
    "resolvedOptions",
    "Intl.Locale",
    "getCanonicalLocales",
    "DisplayNames",
];

fn cases() -> Vec<(String, Value)> {
    serde_json::from_str(include_str!("../../../tests/formulas/browser_values.json")).unwrap()
}

#[test]
fn each_value_is_a_browsers_or_is_refused_by_name() {
    let mut realm = Realm::new(&TimeZone::get("Europe/Berlin").unwrap()).unwrap();
    realm.update(DataChange { order: Some(Vec::new()), ..DataChange::default() }).unwrap();
    let (mut wrong, mut shown) = (Vec::new(), 0);
    for (expression, expected) in cases() {
        let source = format!("String({expression})");
        let formula = Formula { source: source.into(), usual_sla: "accepted".into(), own_sla: None };
        let found = realm.attempt(&formula);
        let may_be_refused = REFUSED.iter().any(|sign| expression.contains(sign));
        let right = match (&found, &expected) {
            (Ok(FormulaOutcome::Text(text)), Value::String(expected)) => text == expected,
            // An empty text counts as zero to the older wallboard.
            (Ok(FormulaOutcome::Number(number)), Value::String(expected)) => {
                *number == 0.0 && expected.is_empty()
            }
            (Err(fault), Value::String(_)) => {
                may_be_refused && fault.message.contains("not supported in formulas")
            }
            (Err(_), _) => true,
            (Ok(_), _) => false,
        };
        shown += usize::from(found.is_ok());
        if !right {
            wrong.push(format!("{expression}: {found:?}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(shown > 1000, "{shown} were shown");
}
