//! The leader's answer to a request.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

/// JSON text with its members in their order; the caller only passes it on. A clone shares the text, which may be the list
/// of all Workers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LeaderAnswer(Arc<RawValue>);

impl LeaderAnswer {
    /// Serialises a value.
    pub fn of(value: &impl Serialize) -> Self {
        // Only a map with keys that are not texts fails, and no answer has one.
        to_raw_value(value).unwrap_or_default().into()
    }

    /// Joins the JSON of entries into a list.
    pub(super) fn list(entries: &[String]) -> Self {
        let mut text = String::with_capacity(entries.iter().map(|entry| entry.len() + 1).sum::<usize>() + 2);
        text.push('[');
        for (number, entry) in entries.iter().enumerate() {
            if number > 0 {
                text.push(',');
            }
            text.push_str(entry);
        }
        text.push(']');
        RawValue::from_string(text).unwrap_or_default().into()
    }

    /// Whether two answers are the same text; shared memory is equal without a comparison.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.as_ref() == other.as_ref()
    }
}

impl From<Box<RawValue>> for LeaderAnswer {
    fn from(json: Box<RawValue>) -> Self {
        Self(json.into())
    }
}

impl AsRef<[u8]> for LeaderAnswer {
    fn as_ref(&self) -> &[u8] {
        self.0.get().as_bytes()
    }
}

impl fmt::Display for LeaderAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.get())
    }
}
