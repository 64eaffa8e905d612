//! The wallboard's tiles: the results of formulas over a snapshot.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Stale;

/// The tiles, in order; `None` before the first evaluation.
pub type Tiles = Option<Arc<[Tile]>>;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Passed {
    /// Which of the definition's two thresholds: 1 or 2.
    pub level: u8,
    /// The limit that the value has passed; an equal value has not.
    pub limit: f64,
    /// Whether the value is below the limit, and not above.
    pub below: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Tile {
    pub name: Arc<str>,
    pub label: Arc<str>,
    /// The formula's result: a number, text, flag or null; also null without a result.
    pub value: Value,
    /// The result as it is shown: `ERR` where the formula failed, `ERR FMT` where its result does not fit the format.
    pub text: String,
    pub format: Arc<str>,
    /// The style that the definition has for this side of the thresholds.
    pub style: Arc<Value>,
    /// The threshold that the style belongs to; `None` for the default style.
    pub threshold: Option<Passed>,
    /// Whether the value counts up by one each second from `as_of`.
    pub increment: bool,
    /// When the statistics behind the result were read.
    pub as_of: Option<Timestamp>,
    /// Whether an event caused that read, and not a timer.
    pub by_event: bool,
    /// The rule of the service level that the tile shows, if any.
    pub service_level: Option<&'static str>,
    /// The service level's threshold in seconds, if the formula names one.
    pub service_level_threshold: Option<u32>,
    /// How screens on the wall show it, where the definition says so: `always` or `never`.
    pub tv: Option<&'static str>,
    /// Why there is no result, for those who edit the definition.
    pub error: Option<Arc<Value>>,
    /// Set while the formulas can't be evaluated; the value is the last one.
    pub stale: Option<Stale>,
}

impl Passed {
    fn to_json(self) -> Value {
        let direction = if self.below { "below" } else { "above" };
        json!({ "level": self.level, "limit": number(self.limit), "direction": direction })
    }
}

/// Writes whole numbers without a decimal point, as other JSON writers do.
pub fn number(number: f64) -> Value {
    const MOST_EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() < MOST_EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and in range")]
        let whole = number as i64;
        return json!(whole);
    }
    json!(number)
}

impl Tile {
    /// Whether it shows the same; a later confirmation of the same value does not differ, unless it is counted from.
    pub fn shows_the_same(&self, other: &Self) -> bool {
        let as_of = if self.increment { self.as_of } else { other.as_of };
        Self { as_of, by_event: other.by_event, ..self.clone() } == *other
    }

    /// The tile as JSON, without its name.
    pub fn to_json(&self, position: usize) -> Map<String, Value> {
        let instant = |moment: Timestamp| moment.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
        let mut shown = Map::new();
        shown.insert("label".into(), json!(self.label));
        shown.insert("value".into(), self.value.clone());
        shown.insert("text".into(), json!(self.text));
        shown.insert("format".into(), json!(self.format));
        shown.insert("style".into(), Value::clone(&self.style));
        shown.insert("threshold".into(), self.threshold.map_or(Value::Null, Passed::to_json));
        shown.insert("increment".into(), json!(self.increment));
        shown.insert("asOf".into(), json!(self.as_of.map(instant)));
        shown.insert("readBy".into(), json!(if self.by_event { "event" } else { "timer" }));
        shown.insert("position".into(), json!(position));
        if let Some(sla) = self.service_level {
            shown.insert("sla".into(), json!(sla));
            if let Some(seconds) = self.service_level_threshold {
                shown.insert("slaThreshold".into(), json!(seconds));
            }
        }
        if let Some(tv) = self.tv {
            shown.insert("tv".into(), json!(tv));
        }
        if let Some(Stale { reason, since }) = &self.stale {
            shown.insert("stale".into(), json!({ "since": instant(*since), "reason": reason }));
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_767_225_600 + second).unwrap()
    }

    fn tile() -> Tile {
        Tile {
            name: "waiting".into(),
            label: "Waiting".into(),
            value: json!(7),
            text: "7".to_owned(),
            format: "number".into(),
            style: Arc::new(json!({ "styleName": "Default" })),
            threshold: None,
            increment: false,
            as_of: Some(at(0)),
            by_event: false,
            service_level: None,
            service_level_threshold: None,
            tv: None,
            error: None,
            stale: None,
        }
    }

    #[test]
    fn a_tile_shows_the_same_whenever_it_was_confirmed_unless_it_counts_from_then() {
        let later = Tile { as_of: Some(at(9)), by_event: true, ..tile() };
        assert!(tile().shows_the_same(&later));
        assert!(!tile().shows_the_same(&Tile { text: "8".to_owned(), ..tile() }));
        let counts = |tile| Tile { increment: true, ..tile };
        assert!(!counts(tile()).shows_the_same(&counts(later)));
        assert!(counts(tile()).shows_the_same(&counts(Tile { by_event: true, ..tile() })));
    }

    #[test]
    fn a_tile_says_in_json_what_a_screen_needs_and_no_more() {
        let plain = json!({
            "label": "Waiting", "value": 7, "text": "7", "format": "number", "style": { "styleName": "Default" },
            "threshold": null, "increment": false, "asOf": "2026-01-01T00:00:00.000Z", "readBy": "timer", "position": 3,
        });
        assert_eq!(Value::Object(tile().to_json(3)), plain);
        let all = Tile {
            threshold: Some(Passed { level: 2, limit: 20.0, below: true }),
            by_event: true,
            service_level: Some("accepted"),
            service_level_threshold: Some(60),
            tv: Some("always"),
            stale: Some(Stale { reason: "too slow".into(), since: at(1) }),
            ..tile()
        };
        let mut expected = plain;
        expected["threshold"] = json!({ "level": 2, "limit": 20, "direction": "below" });
        expected["readBy"] = json!("event");
        expected["sla"] = json!("accepted");
        expected["slaThreshold"] = json!(60);
        expected["tv"] = json!("always");
        expected["stale"] = json!({ "since": "2026-01-01T00:00:01.000Z", "reason": "too slow" });
        assert_eq!(Value::Object(all.to_json(3)), expected);
    }

    #[test]
    fn whole_numbers_have_no_decimal_point_as_far_as_they_are_exact() {
        let most = 9_007_199_254_740_992.0;
        for (value, text) in [(20.0, "20"), (-3.0, "-3"), (2.5, "2.5"), (most - 1.0, "9007199254740991")] {
            assert_eq!(number(value).to_string(), text);
        }
        assert!(number(most).is_f64() && number(2.0 * most).is_f64());
        assert_eq!(number(f64::NAN), Value::Null);
    }
}
