//! The cases in tests/fixtures that the page is held to as well.

use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};

use super::definition::Definition;
use super::format::Format;
use super::threshold;
use crate::wallboard::formula::protocol::FormulaOutcome;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Formats {
    time_zone: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    format: String,
    value: f64,
    text: String,
}

#[test]
fn numbers_are_shown_as_the_page_shows_them() {
    let formats: Formats = serde_json::from_str(include_str!("../../tests/fixtures/formats.json")).unwrap();
    let zone = TimeZone::get(&formats.time_zone).unwrap();
    for Case { format, value, text } in formats.cases {
        let named = Format::named(&format).unwrap();
        assert_eq!(named.text(&FormulaOutcome::Number(value), &zone).unwrap(), text, "{format} of {value}");
    }
}

#[derive(Deserialize)]
struct Thresholds {
    cases: Vec<ThresholdCase>,
}

#[derive(Deserialize)]
struct ThresholdCase {
    first: Value,
    second: Value,
    invert: bool,
    value: f64,
    passed: Option<ExpectedThreshold>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct ExpectedThreshold {
    level: u8,
    limit: f64,
    direction: String,
}

#[test]
fn thresholds_are_passed_as_the_page_sees_them_passed() {
    let thresholds: Thresholds =
        serde_json::from_str(include_str!("../../tests/fixtures/threshold.json")).unwrap();
    assert!(!thresholds.cases.is_empty());
    for ThresholdCase { first, second, invert, value, passed } in thresholds.cases {
        let style = json!({ "styleName": "Default" });
        let definition = Definition::parse(&json!({
            "label": "x", "formula": "1", "defaultStyle": style,
            "firstThresholdValue": first, "firstThresholdStyle": style,
            "secondThresholdValue": second, "secondThresholdStyle": style,
            "invertThresholds": invert,
        }));
        let definition = definition.unwrap();
        let (_, found) = threshold::style(&definition, &FormulaOutcome::Number(value));
        let found = found.map(|found| ExpectedThreshold {
            level: found.level,
            limit: found.limit,
            direction: if found.below { "below" } else { "above" }.to_owned(),
        });
        assert_eq!(found, passed, "{value} with {first} and {second}, inverted: {invert}");
    }
}
