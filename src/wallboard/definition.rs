//! One metric's definition, in the wallboard's form, checked.
//!
//! The wallboard's own editor saved texts in place of numbers or flags, so both are accepted; anything else is a problem
//! with the field's name. A definition with problems is not saved. One that another program has written is shown as far as
//! possible: an error in a format, a threshold or a style affects just that, and not the number. Unknown fields are kept.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use super::format::Format;
use super::problem::Problem;
use crate::service_level::ServiceLevel;
use crate::wallboard::formula::LONGEST_FORMULA;

const LONGEST_LABEL: usize = 200;
const LONGEST_STYLE_NAME: usize = 100;
/// Longest name of a Paste token is about 50 characters.
const LONGEST_TOKEN: usize = 80;
/// Most bytes of a definition with all its fields.
const LARGEST: usize = 12 * 1024;

#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    pub label: Arc<str>,
    /// An ECMAScript expression over `data`.
    pub formula: Arc<str>,
    pub format: Format,
    pub format_name: Arc<str>,
    /// Whether the value counts up by one each second while it is above zero.
    pub increment: bool,
    pub default_style: Style,
    pub first: Threshold,
    pub second: Threshold,
    pub invert: bool,
    /// The rule of `sla(…)` in the formula, if the definition has one.
    pub service_level: Option<ServiceLevel>,
    /// Whether screens on the wall show it always, in turn or never.
    pub tv: OnTv,
    pub position: Option<i64>,
    /// Problems that affect only a format or a colour.
    pub flaws: Vec<Problem>,
}

/// How a screen on the wall (`?tv=1`) shows a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnTv {
    /// It takes turns with others.
    #[default]
    InTurn,
    /// It is always shown.
    Always,
    /// It is not shown on wall screens.
    Never,
}

impl OnTv {
    /// The name in a definition and in its tile; `None` for the default.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::InTurn => None,
            Self::Always => Some("always"),
            Self::Never => Some("never"),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// The limit; `None` without one.
    pub value: Option<f64>,
    pub style: Style,
}

/// Colours, in names of Paste's tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Style {
    #[serde(rename = "styleName")]
    pub name: Arc<str>,
    pub headline_colour: Arc<str>,
    pub stat_colour: Arc<str>,
    pub background_colour: Arc<str>,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            name: "Default".into(),
            headline_colour: "colorTextWeak".into(),
            stat_colour: "colorText".into(),
            background_colour: "transparent".into(),
        }
    }
}

impl Definition {
    /// Checks the content of `metric`; every problem, not just the first.
    pub fn parse(metric: &Value) -> Result<Self, Vec<Problem>> {
        let definition = Self::read(metric)?;
        if definition.flaws.is_empty() { Ok(definition) } else { Err(definition.flaws) }
    }

    /// Reads the content of `metric` as far as it can be shown. Where it can't be, every problem is named.
    pub fn read(metric: &Value) -> Result<Self, Vec<Problem>> {
        let Some(fields) = metric.as_object() else {
            return Err(vec![Problem::whole("a definition is an object with label and formula")]);
        };
        let mut reader = FieldReader { fields, problems: Vec::new(), fatal: false };
        let definition = Self {
            label: reader.text("label", LONGEST_LABEL, true),
            formula: reader.text("formula", LONGEST_FORMULA, true),
            format: Format::Plain,
            format_name: reader.text("format", 20, false),
            increment: reader.flag("increment"),
            default_style: reader.style("defaultStyle"),
            first: Threshold {
                value: reader.number("firstThresholdValue"),
                style: reader.style("firstThresholdStyle"),
            },
            second: Threshold {
                value: reader.number("secondThresholdValue"),
                style: reader.style("secondThresholdStyle"),
            },
            invert: reader.flag("invertThresholds"),
            service_level: reader.service_level("slaName"),
            tv: reader.on_tv("tv"),
            position: reader.position(),
            flaws: Vec::new(),
        };
        let format = Format::named(&definition.format_name).unwrap_or_else(|| {
            let known = "empty, seconds, minutes, duration, percent, number, number:1 to number:6, or time";
            reader.problem("format", format!("there is no such format; it is {known}"));
            Format::Plain
        });
        if metric.to_string().len() > LARGEST {
            reader.fatal = true;
            reader.problems.push(Problem::whole(format!("the definition is larger than {LARGEST} bytes")));
        }
        if reader.fatal {
            return Err(reader.problems);
        }
        Ok(Self { format, flaws: reader.problems, ..definition })
    }
}

/// A tile's position: a whole number that stays exact in a browser (ECMAScript's `Number.MAX_SAFE_INTEGER`).
pub(super) fn place(given: &Value) -> Option<i64> {
    given.as_i64().filter(|position| position.unsigned_abs() < 1 << 53)
}

/// A number, also as a text, or a time as `5:00` or `1:05:00`, in seconds.
fn limit(text: &str) -> Option<f64> {
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    if !text.contains(':') {
        return number(text);
    }
    let (sign, parts) = text.strip_prefix('-').map_or((1.0, text), |parts| (-1.0, parts));
    let parts: Vec<&str> = parts.split(':').collect();
    let digits = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if parts.len() > 3 || !parts.iter().all(digits) {
        return None;
    }
    let parts: Option<Vec<f64>> = parts.into_iter().map(number).collect();
    let parts = parts?;
    // Minutes and seconds below an hour or a minute have to be below 60.
    if parts.iter().skip(1).any(|part| *part >= 60.0) {
        return None;
    }
    Some(sign * parts.iter().fold(0.0, |seconds, part| seconds * 60.0 + part))
}

struct FieldReader<'v> {
    fields: &'v Map<String, Value>,
    problems: Vec<Problem>,
    /// Whether a problem leaves nothing to show.
    fatal: bool,
}

impl FieldReader<'_> {
    fn problem(&mut self, field: &'static str, message: impl Into<String>) {
        self.problems.push(Problem::of(field, message));
    }

    fn text(&mut self, field: &'static str, longest: usize, needed: bool) -> Arc<str> {
        match self.fields.get(field) {
            Some(Value::String(text)) if needed && text.trim().is_empty() => {
                self.problem(field, "it is empty");
            }
            // Formulas may have line breaks; a headline may not, and no invisible characters.
            Some(Value::String(text)) if field != "formula" && text.chars().any(char::is_control) => {
                self.problem(field, "it has control characters in it");
            }
            Some(Value::String(text)) if text.len() > longest => {
                self.problem(field, format!("it is longer than {longest} bytes"));
            }
            Some(Value::String(text)) => return text.as_str().into(),
            None | Some(Value::Null) if !needed => return Arc::default(),
            None | Some(Value::Null) => self.problem(field, "it is missing"),
            Some(_) => self.problem(field, "it is not a text"),
        }
        self.fatal |= needed;
        Arc::default()
    }

    fn position(&mut self) -> Option<i64> {
        let given = self.fields.get("position").filter(|given| !given.is_null())?;
        let position = place(given);
        if position.is_none() {
            self.problem("position", "it is not a whole number that a browser can hold");
        }
        position
    }

    fn flag(&mut self, field: &'static str) -> bool {
        match self.fields.get(field) {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::Bool(true)) => true,
            Some(Value::String(text)) if matches!(text.trim(), "" | "false") => false,
            Some(Value::String(text)) if text.trim() == "true" => true,
            Some(_) => {
                self.problem(field, "it is neither true nor false");
                false
            }
        }
    }

    fn number(&mut self, field: &'static str) -> Option<f64> {
        match self.fields.get(field) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.trim().is_empty() => None,
            Some(Value::Number(number)) => number.as_f64(),
            Some(Value::String(text)) if limit(text.trim()).is_some() => limit(text.trim()),
            Some(_) => {
                self.problem(field, "it is not a number, nor a time such as 5:00");
                None
            }
        }
    }

    fn style(&mut self, field: &'static str) -> Style {
        let usual = Style::default();
        let fields = match self.fields.get(field) {
            None | Some(Value::Null) => return usual,
            Some(Value::Object(fields)) => fields,
            Some(_) => {
                self.problem(field, "it is not a style: an object with styleName and colours");
                return usual;
            }
        };
        let mut wrong = None;
        let mut part = |name: &str, usual: Arc<str>, fits: fn(&str) -> bool| match fields.get(name) {
            None | Some(Value::Null) => usual,
            Some(Value::String(text)) if fits(text) => text.as_str().into(),
            Some(_) => {
                wrong = Some(format!(
                    "{name} is not the name of a Paste token, such as colorText, or transparent"
                ));
                usual
            }
        };
        let style = Style {
            name: part("styleName", usual.name, |text| text.len() <= LONGEST_STYLE_NAME),
            headline_colour: part("headlineColour", usual.headline_colour, is_token),
            stat_colour: part("statColour", usual.stat_colour, is_token),
            background_colour: part("backgroundColour", usual.background_colour, is_token),
        };
        if let Some(wrong) = wrong {
            self.problem(field, wrong);
        }
        style
    }

    fn on_tv(&mut self, field: &'static str) -> OnTv {
        match self.fields.get(field) {
            None | Some(Value::Null) => OnTv::InTurn,
            Some(Value::String(text)) if text.is_empty() => OnTv::InTurn,
            Some(Value::String(text)) if text == "always" => OnTv::Always,
            Some(Value::String(text)) if text == "never" => OnTv::Never,
            Some(_) => {
                self.problem(field, "it is always, never or empty");
                OnTv::InTurn
            }
        }
    }

    fn service_level(&mut self, field: &'static str) -> Option<ServiceLevel> {
        match self.fields.get(field) {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) if name.is_empty() => None,
            Some(Value::String(name)) if ServiceLevel::named(name).is_some() => ServiceLevel::named(name),
            Some(_) => {
                let known = ServiceLevel::ALL.map(ServiceLevel::name).join(", ");
                self.problem(field, format!("there is no such service level; there are {known}"));
                // Ignoring it would change the number.
                self.fatal = true;
                None
            }
        }
    }
}

fn is_token(text: &str) -> bool {
    text.len() <= LONGEST_TOKEN && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn label_and_formula_are_enough() {
        let definition = Definition::parse(&json!({"label": "Waiting", "formula": "1"})).unwrap();
        assert_eq!((definition.format, definition.increment), (Format::Plain, false));
        assert_eq!(definition.default_style, Style::default());
        assert_eq!(definition.first.value, None);
    }

    #[test]
    fn the_wallboards_texts_are_understood() {
        let definition = Definition::parse(&json!({
            "label": "x", "formula": "1", "increment": "true", "firstThresholdValue": " 10 ", "secondThresholdValue": 12.5,
            "invertThresholds": "", "value": "", "defaultStyle": {"styleName": "Mine", "statColour": "colorTextError"},
        }));
        let definition = definition.unwrap();
        assert!(definition.increment && !definition.invert);
        assert_eq!((definition.first.value, definition.second.value), (Some(10.0), Some(12.5)));
        assert_eq!(&*definition.default_style.stat_colour, "colorTextError");
        assert_eq!(&*definition.default_style.background_colour, "transparent");
    }

    #[test]
    fn a_mistake_in_a_format_a_threshold_or_a_style_costs_that_and_not_the_number() {
        let metric = json!({
            "label": "x", "formula": "1", "format": "hours", "firstThresholdValue": "12px",
            "secondThresholdValue": "7", "defaultStyle": {"statColour": "red; background: url(x)"},
        });
        let definition = Definition::read(&metric).unwrap();
        assert_eq!(
            (definition.format, definition.first.value, definition.second.value),
            (Format::Plain, None, Some(7.0))
        );
        assert_eq!(&*definition.default_style.stat_colour, "colorText");
        let flawed: Vec<_> = definition.flaws.iter().filter_map(|flaw| flaw.field).collect();
        assert_eq!(flawed, ["defaultStyle", "firstThresholdValue", "format"]);
        assert_eq!(Definition::parse(&metric).unwrap_err().len(), 3, "it can't be saved like that");
        assert!(Definition::read(&json!({"label": "x", "formula": "1", "slaName": "best"})).is_err());
    }

    #[test]
    fn screens_on_the_wall_show_it_in_turn_unless_it_says_otherwise() {
        let on_tv = |tv: Value| Definition::parse(&json!({"label": "x", "formula": "1", "tv": tv}));
        for (tv, shown) in [
            (Value::Null, OnTv::InTurn),
            (json!(""), OnTv::InTurn),
            (json!("always"), OnTv::Always),
            (json!("never"), OnTv::Never),
        ] {
            assert_eq!(on_tv(tv.clone()).unwrap().tv, shown, "{tv}");
        }
        assert_eq!(on_tv(json!("often")).unwrap_err()[0].field, Some("tv"));
    }

    #[test]
    fn a_position_is_a_whole_number_that_a_browser_can_hold() {
        let position =
            |given: Value| Definition::parse(&json!({"label": "x", "formula": "1", "position": given}));
        for (given, position_of) in [(json!(3), Some(3)), (json!(-1), Some(-1)), (Value::Null, None)] {
            assert_eq!(position(given).unwrap().position, position_of);
        }
        for wrong in [json!(i64::MAX), json!(1_u64 << 53), json!(1.5), json!("3")] {
            assert_eq!(position(wrong).unwrap_err()[0].field, Some("position"));
        }
    }

    #[test]
    fn a_threshold_may_be_a_time() {
        for (text, seconds) in [
            ("5:00", Some(300.0)),
            ("1:05:00", Some(3900.0)),
            ("0:30", Some(30.0)),
            ("90:00", Some(5400.0)),
            ("-0:30", Some(-30.0)),
            ("7.5", Some(7.5)),
            ("5:60", None),
            ("5:", None),
            ("1:2:3:4", None),
            ("5:0x", None),
            ("inf", None),
        ] {
            assert_eq!(limit(text), seconds, "{text}");
        }
    }

    #[test]
    fn every_problem_is_reported_with_its_field() {
        let problems = Definition::parse(&json!({
            "label": "", "format": "hours", "increment": 3, "firstThresholdValue": "many", "secondThresholdStyle": 1,
            "defaultStyle": {"statColour": "red; background: url(x)"}, "slaName": "best", "tv": true,
        }));
        let fields: Vec<_> = problems.unwrap_err().into_iter().filter_map(|problem| problem.field).collect();
        let expected = [
            "label",
            "formula",
            "increment",
            "defaultStyle",
            "firstThresholdValue",
            "secondThresholdStyle",
            "slaName",
            "tv",
            "format",
        ];
        assert_eq!(fields, expected);
        assert!(Definition::parse(&json!([])).is_err());
        assert!(
            Definition::parse(&json!({"label": "x", "formula": "1", "note": "x".repeat(LARGEST)})).is_err()
        );
    }

    proptest! {
        #[test]
        fn nothing_breaks_the_parser(text in "\\PC{0,40}", number in any::<i64>(), field in 0..11_usize) {
            let names = ["label", "formula", "format", "increment", "defaultStyle", "firstThresholdValue",
                "firstThresholdStyle", "secondThresholdValue", "invertThresholds", "slaName", "position"];
            for value in [json!(text), json!(number), json!([text]), json!({"styleName": text}), Value::Null] {
                let mut metric = json!({"label": "x", "formula": "1"});
                metric[names[field]] = value;
                let _ = Definition::parse(&metric);
            }
        }
    }
}
