//! The cases in tests/fixtures that the page is held to as well.

use jiff::tz::TimeZone;
use serde::Deserialize;

use super::format::Format;
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
