//! Which style a value has: the definition's thresholds, compared as numbers.

use super::definition::{Definition, Style};
use super::format::number;
use crate::wallboard::formula::protocol::Outcome;

/// The style that a value is shown in. The second threshold wins over the first.
pub(super) fn style<'d>(definition: &'d Definition, value: &Outcome) -> &'d Style {
    let Ok(value) = number(value) else { return &definition.default_style };
    let passed = |limit: f64| if definition.invert { value < limit } else { value > limit };
    let thresholds = [&definition.second, &definition.first];
    let hit = thresholds.into_iter().find(|threshold| threshold.value.is_some_and(passed));
    hit.map_or(&definition.default_style, |threshold| &threshold.style)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_not_texts_and_the_second_wins() {
        let style_of = |invert: bool, value: &str| {
            let named = |name: &str| json!({"styleName": name});
            let definition = Definition::parse(&json!({
                "label": "x", "formula": "1", "defaultStyle": named("Default"),
                "firstThresholdValue": "9", "firstThresholdStyle": named("Warn"),
                "secondThresholdValue": if invert { "5" } else { "10" }, "secondThresholdStyle": named("Error"),
                "invertThresholds": invert,
            }))
            .unwrap();
            style(&definition, &Outcome::Text(value.to_owned())).name.to_string()
        };
        for (value, name) in
            [("9", "Default"), ("10", "Warn"), ("10.5", "Error"), ("100", "Error"), ("x", "Default")]
        {
            assert_eq!(style_of(false, value), name, "{value}");
        }
        for (value, name) in [("9", "Default"), ("8", "Warn"), ("5", "Warn"), ("4", "Error"), ("-1", "Error")]
        {
            assert_eq!(style_of(true, value), name, "{value} inverted");
        }
    }
}
