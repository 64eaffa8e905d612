//! The latest event with all its fields, for displays of events.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// An event as it came: flat, all values text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatestEvent {
    fields: BTreeMap<String, String>,
}

impl LatestEvent {
    pub fn new(fields: BTreeMap<String, String>) -> Self {
        Self { fields }
    }

    /// Name and value of each field.
    pub fn fields(&self) -> &BTreeMap<String, String> {
        &self.fields
    }

    /// Whether this happened before another, as far as their time stamps tell; events arrive in any order.
    pub fn is_before(&self, other: &Self) -> bool {
        self.millisecond() < other.millisecond()
    }

    /// `TimestampMs`, or `Timestamp` in seconds; 0 without either, so that such an event is never kept out of sight by
    /// its own missing time alone.
    fn millisecond(&self) -> u64 {
        let number = |name: &str| self.fields.get(name).and_then(|text| text.parse::<u64>().ok());
        number("TimestampMs").or_else(|| number("Timestamp").map(|s| s.saturating_mul(1000))).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_by_the_finest_time_there_is() {
        let at = |name: &str, value: &str| LatestEvent::new([(name.to_owned(), value.to_owned())].into());
        assert!(at("TimestampMs", "1767225600123").is_before(&at("TimestampMs", "1767225600124")));
        assert!(at("Timestamp", "1767225600").is_before(&at("TimestampMs", "1767225600124")));
        assert!(!at("TimestampMs", "5").is_before(&at("Other", "")));
    }
}
