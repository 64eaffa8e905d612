//! Tells whether two values differ, and whether the difference is worth a write now.
//!
//! Ages move with the clock and a window's end with every read. If those counted as changes, every sweep would write
//! everything. So a value has two fingerprints: one of its content, and one that adds its ages; what merely says when
//! a value was read is in neither. The same function runs over what we mean to write and over what Sync holds.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Fields that count up by themselves; a front end can do that on its own, from `oldestTaskSince`.
const AGES: &[&str] = &["oldestTask", "longest_task_waiting_age", "longest_relative_task_age_in_queue"];
/// Fields that say when and why something was read. Alone they are no change worth a write.
const READ_TIMES: &[&str] = &["asOf", "readBy", "end_time", "endTime"];

/// A value's identity, with and without its ages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    /// The hash of everything but ages and read times.
    pub content: u64,
    pub ages: u64,
}

impl Fingerprint {
    /// Hashes a value, with fields sorted by name, since Sync may return them in any order.
    pub fn of(value: &Value) -> Self {
        let (mut content, mut ages) = (DefaultHasher::new(), DefaultHasher::new());
        walk(value, &mut content, &mut ages);
        Self { content: content.finish(), ages: ages.finish() }
    }
}

/// Hashes a value while it is read, without keeping it.
impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(|value| Self::of(&value))
    }
}

fn walk(value: &Value, content: &mut DefaultHasher, ages: &mut DefaultHasher) {
    match value {
        Value::Null => 0_u8.hash(content),
        Value::Bool(flag) => (1_u8, flag).hash(content),
        // 1 and 1.0 are the same number to JSON and may come back as either.
        Value::Number(number) => (2_u8, number.as_f64().unwrap_or_default().to_bits()).hash(content),
        Value::String(text) => (3_u8, text).hash(content),
        Value::Array(items) => {
            (4_u8, items.len()).hash(content);
            items.iter().for_each(|item| walk(item, content, ages));
        }
        // serde_json's map is ordered by name.
        Value::Object(fields) => {
            5_u8.hash(content);
            for (name, field) in fields {
                if READ_TIMES.contains(&name.as_str()) {
                    continue;
                }
                name.hash(content);
                if AGES.contains(&name.as_str()) {
                    field.as_f64().unwrap_or_default().to_bits().hash(ages);
                } else {
                    walk(field, content, ages);
                }
            }
            6_u8.hash(content);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tells_content_ages_and_read_times_apart() {
        let value = |pending: i32, age: i32, end: &str| {
            Fingerprint::of(
                &json!({"a": [{"oldestTask": age, "pending": pending, "endTime": end}], "asOf": end}),
            )
        };
        let first = value(1, 5, "x");
        assert_eq!(value(1, 5, "y"), first);
        assert_eq!(value(1, 6, "x").content, first.content);
        assert_ne!(value(1, 6, "x").ages, first.ages);
        assert_ne!(value(2, 5, "x").content, first.content);
    }

    #[test]
    fn order_and_number_form_do_not_matter_but_structure_does() {
        let of = |text: &str| Fingerprint::of(&serde_json::from_str(text).unwrap());
        assert_eq!(of(r#"{"a":1,"b":2.0}"#), of(r#"{"b":2,"a":1.0}"#));
        assert_ne!(of(r#"{"a":{"b":1}}"#), of(r#"{"a":{},"b":1}"#));
        assert_ne!(of(r#"[[1],2]"#), of(r#"[[1,2]]"#));
        assert_ne!(of(r#"{"a":null}"#), of("{}"));
    }
}
