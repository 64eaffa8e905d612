//! Which style a value has: the definition's thresholds, compared as numbers.

use super::definition::{Definition, Style};
use super::format::magnitude;
use crate::stats::Passed;
use crate::wallboard::formula::protocol::FormulaOutcome;

/// The style of a value, and the threshold that it has passed.
///
/// Upwards the second threshold wins over the first. Downwards (`invertThresholds`) the first wins, as in the sample:
/// with 20 and 30, a value below 20 has the first style, and one from 20 to 29 the second.
pub(super) fn style<'d>(definition: &'d Definition, value: &FormulaOutcome) -> (&'d Style, Option<Passed>) {
    let Some(value) = magnitude(value) else { return (&definition.default_style, None) };
    let below = definition.invert;
    let (first, second) = ((1, &definition.first), (2, &definition.second));
    let in_order = if below { [first, second] } else { [second, first] };
    for (level, threshold) in in_order {
        let Some(limit) = threshold.value else { continue };
        if if below { value < limit } else { value > limit } {
            return (&threshold.style, Some(Passed { level, limit, below }));
        }
    }
    (&definition.default_style, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn named(first: &str, second: &str, invert: bool, value: &str) -> (String, Option<Passed>) {
        let style_named = |name: &str| json!({"styleName": name});
        let definition = Definition::parse(&json!({
            "label": "x", "formula": "1", "defaultStyle": style_named("Default"),
            "firstThresholdValue": first, "firstThresholdStyle": style_named("First"),
            "secondThresholdValue": second, "secondThresholdStyle": style_named("Second"),
            "invertThresholds": invert,
        }))
        .unwrap();
        let (style, passed) = style(&definition, &FormulaOutcome::Text(value.to_owned()));
        (style.name.to_string(), passed)
    }

    #[test]
    fn numbers_not_texts_and_upwards_the_second_wins() {
        for (value, name) in
            [("9", "Default"), ("10", "First"), ("10.5", "Second"), ("100", "Second"), ("x", "Default")]
        {
            assert_eq!(named("9", "10", false, value).0, name, "{value}");
        }
        assert_eq!(named("9", "10", false, "10").1, Some(Passed { level: 1, limit: 9.0, below: false }));
    }

    #[test]
    fn what_is_no_number_passes_no_threshold_even_downwards() {
        for value in ["-", "NaN", "x", "12px", "inf"] {
            assert_eq!(named("20", "30", true, value), ("Default".to_owned(), None), "{value}");
        }
        for (value, below, above) in
            [("Infinity", "Default", "Second"), ("-Infinity", "First", "Default"), ("", "First", "Default")]
        {
            assert_eq!(named("20", "30", true, value).0, below, "{value}");
            assert_eq!(named("20", "30", false, value).0, above, "{value}");
        }
    }

    #[test]
    fn downwards_the_first_wins_as_in_the_sample() {
        for (value, name) in
            [("19", "First"), ("20", "Second"), ("29", "Second"), ("30", "Default"), ("-1", "First")]
        {
            assert_eq!(named("20", "30", true, value).0, name, "{value}");
        }
        assert_eq!(named("20", "30", true, "25").1, Some(Passed { level: 2, limit: 30.0, below: true }));
        assert_eq!(named("30", "20", true, "10").0, "First", "the second is never reached");
    }
}
