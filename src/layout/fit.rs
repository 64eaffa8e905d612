//! Cuts a value that would not fit into Sync, least important first, and says so in the value.
//!
//! Sync takes 16 KiB of JSON a Document or item, with a little of that for itself (Twilio, "Sync Limits"). Cut in this
//! order, each step only as long as the value is too large: tables by priority, splits of waits, waits, the Activities
//! of single channels, all Activities; then, one after another, the largest of all fields that no front end needs to
//! know which thing it looks at. The names of what was cut stand in the field `cut`.

use serde_json::{Map, Value, json};

/// What we write at most, in bytes of JSON.
pub const LARGEST: usize = 15 * 1024;
/// The field that names what was cut.
pub const CUT: &str = "cut";

/// So many names of cut fields are listed, lest the list itself be too large.
const MOST_NAMED: usize = 20;

/// Fields that go first, wherever they stand.
const STEPS: [&[&str]; 4] = [
    &["tasksByPriority", "tasks_by_priority"],
    &["splitByWaitTime", "split_by_wait_time"],
    &["waitUntilCancel", "wait_duration_until_canceled", "waitUntilAccept", "wait_duration_until_accepted"],
    &["activityStatistics", "activity_statistics", "activities"],
];
/// Fields that tell which thing a value is about.
const KEPT: [&str; 7] =
    ["sid", "friendlyName", "asOf", "TaskSid", "TaskStatus", "EventType", "workspace_statistics"];

/// The value, cut if it had to be, and the names of what was cut.
pub fn fit(mut value: Value, largest: usize) -> (Value, Vec<String>) {
    let mut cut = Vec::new();
    let fits = |value: &Value| value.to_string().len() <= largest;
    if fits(&value) {
        return (value, cut);
    }
    for names in STEPS {
        if remove_everywhere(&mut value, names) {
            cut.extend(names.iter().map(|name| (*name).to_owned()));
            if mark(&mut value, &cut) && fits(&value) {
                return (value, cut);
            }
        }
    }
    while !fits(&value) {
        let Some(name) = remove_largest(&mut value) else { break };
        cut.push(name);
        mark(&mut value, &cut);
    }
    (value, cut)
}

fn mark(value: &mut Value, cut: &[String]) -> bool {
    if let Value::Object(fields) = value {
        let named: Vec<&str> = cut.iter().take(MOST_NAMED).map(String::as_str).collect();
        fields.insert(CUT.to_owned(), json!(named));
    }
    true
}

fn remove_everywhere(value: &mut Value, names: &[&str]) -> bool {
    match value {
        Value::Object(fields) => {
            let before = fields.len();
            fields.retain(|name, _| !names.contains(&name.as_str()));
            let here = fields.len() != before;
            fields.values_mut().fold(here, |found, field| remove_everywhere(field, names) | found)
        }
        Value::Array(items) => {
            items.iter_mut().fold(false, |found, item| remove_everywhere(item, names) | found)
        }
        _ => false,
    }
}

fn remove_largest(value: &mut Value) -> Option<String> {
    let fields: &mut Map<String, Value> = value.as_object_mut()?;
    let removable = fields.iter().filter(|(name, _)| !KEPT.contains(&name.as_str()) && *name != CUT);
    let (name, _) = removable.max_by_key(|(name, field)| name.len() + field.to_string().len())?;
    let name = name.clone();
    fields.remove(&name);
    // Names come from attributes too, and can be long themselves.
    Some(name.chars().take(40).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_fits_is_left_alone() {
        let value = json!({"sid": "WQ1", "tasksByPriority": {"0": 1}});
        assert_eq!(fit(value.clone(), LARGEST), (value, vec![]));
    }

    #[test]
    fn the_least_important_goes_first_and_is_named() {
        let priorities: Map<String, Value> = (0..3000).map(|n| (n.to_string(), json!(1))).collect();
        let value = json!({
            "sid": "WQ1", "realTimeStats_all": {"tasksByPriority": priorities, "totalTasks": 3, "activityStatistics": []},
        });
        let (shown, cut) = fit(value, LARGEST);
        assert_eq!(cut, ["tasksByPriority", "tasks_by_priority"]);
        assert_eq!(shown["realTimeStats_all"], json!({"totalTasks": 3, "activityStatistics": []}));
        assert_eq!(shown[CUT], json!(cut));
    }

    #[test]
    fn a_huge_attribute_takes_only_itself_along() {
        let value = json!({"TaskSid": "WT1", "huge": "x".repeat(20_000), "from": "+1"});
        let (shown, cut) = fit(value, LARGEST);
        assert_eq!((shown["from"].as_str(), shown["TaskSid"].as_str()), (Some("+1"), Some("WT1")));
        assert_eq!(cut, ["huge"]);
    }

    proptest! {
        #[test]
        fn always_fits(fields in prop::collection::btree_map("[a-z]{1,60}", "\\PC{0,600}", 0..60)) {
            let (shown, _) = fit(json!(fields), 2048);
            prop_assert!(shown.to_string().len() <= 2048);
        }
    }
}
