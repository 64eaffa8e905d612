//! The latest event with all its fields, for displays of events.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A time stamp further ahead than this comes from a wrong clock, and would hide all later events until its time comes.
const MOST_AHEAD_MS: u64 = 10_000;

/// An event as it came: flat, all values text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatestEvent {
    fields: BTreeMap<String, String>,
    /// When the event happened, in milliseconds since 1970. Replicas of older versions do not send it.
    #[serde(default)]
    at: u64,
}

impl LatestEvent {
    /// Takes the fields as they came. The event happened at its time stamp, or now where it has none, or one that is more
    /// than 10 s ahead.
    pub fn new(fields: BTreeMap<String, String>, now: Timestamp) -> Self {
        let now = u64::try_from(now.as_millisecond()).unwrap_or_default();
        let at = stamp(&fields).filter(|at| *at <= now.saturating_add(MOST_AHEAD_MS)).unwrap_or(now);
        Self { fields, at }
    }

    /// Name and value of each field.
    pub fn fields(&self) -> &BTreeMap<String, String> {
        &self.fields
    }

    /// Whether this happened before another; events arrive in any order.
    pub fn is_before(&self, other: &Self) -> bool {
        self.at < other.at
    }
}

/// `TimestampMs`, or `Timestamp` in seconds.
fn stamp(fields: &BTreeMap<String, String>) -> Option<u64> {
    let number = |name: &str| fields.get(name).and_then(|text| text.parse::<u64>().ok());
    let milliseconds = number("TimestampMs").or_else(|| number("timestamp_ms"));
    milliseconds
        .or_else(|| number("Timestamp").or_else(|| number("timestamp")).map(|s| s.saturating_mul(1000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(name: &str, value: &str) -> LatestEvent {
        let now = Timestamp::from_millisecond(1_767_225_600_500).unwrap();
        LatestEvent::new([(name.to_owned(), value.to_owned())].into(), now)
    }

    #[test]
    fn orders_by_the_finest_time_there_is() {
        assert!(at("TimestampMs", "1767225600123").is_before(&at("TimestampMs", "1767225600124")));
        assert!(at("Timestamp", "1767225600").is_before(&at("TimestampMs", "1767225600124")));
        assert!(at("TimestampMs", "5").is_before(&at("Other", "")));
        assert!(!at("Other", "").is_before(&at("TimestampMs", "1767225600124")), "without a time it is new");
        let event = at("Timestamp", "1767225600");
        assert!(!event.is_before(&event), "of two at one moment the later to arrive is shown");
        assert_eq!(event.fields(), &[("Timestamp".to_owned(), "1767225600".to_owned())].into());
    }

    #[test]
    fn a_time_stamp_days_ahead_hides_no_later_event() {
        let ahead = at("TimestampMs", "1767484800000");
        let next = LatestEvent::new(BTreeMap::new(), Timestamp::from_millisecond(1_767_225_600_501).unwrap());
        assert!(!next.is_before(&ahead));
        assert!(at("TimestampMs", "1767225600400").is_before(&ahead), "an earlier one is still earlier");
    }
}
