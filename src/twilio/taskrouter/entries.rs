//! Lists whose entries are read one by one, so that an entry that can't be read costs itself and not the list.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;
use tokio::time::Instant;
use tracing::warn;

use crate::bucket::Bucket;
use crate::lenient_json;
use crate::sid::TaskQueueSid;

/// Warnings at once; a list is read every few seconds.
const WARNINGS_AT_ONCE: f64 = 3.0;
/// Warnings a second from then on: one a minute.
const WARNINGS_PER_SECOND: f64 = 1.0 / 60.0;

/// The entries of a list, and those that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entries<T> {
    /// In the list's order.
    pub read: Vec<T>,
    pub odd: Vec<OddEntry>,
}

/// An entry that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OddEntry {
    /// Its SID, where that could be read.
    pub sid: Option<Box<str>>,
    /// Its TaskQueue, where that could be read.
    pub queue: Option<TaskQueueSid>,
    /// Where it differs from what is documented; never quotes a value, which may be a customer's.
    pub reason: Box<str>,
}

/// What an odd entry is asked for. A field of any type may stand there.
#[derive(Deserialize)]
struct EntryIds {
    #[serde(default)]
    sid: Option<serde_json::Value>,
    #[serde(default)]
    task_queue_sid: Option<serde_json::Value>,
}

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self { read: Vec::new(), odd: Vec::new() }
    }
}

impl<T> Entries<T> {
    pub(super) fn extend(&mut self, page: Self) {
        self.read.extend(page.read);
        self.odd.extend(page.odd);
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneByOne<T>(PhantomData<T>);
        impl<'de, T: DeserializeOwned> Visitor<'de> for OneByOne<T> {
            type Value = Entries<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entries<T>, A::Error> {
                let mut entries = Entries::default();
                // As text first: after an error within an entry its end could not be found.
                while let Some(entry) = list.next_element::<Box<RawValue>>()? {
                    match read(&entry) {
                        Ok(read) => entries.read.push(read),
                        Err(error) => entries.odd.push(OddEntry::of(&entry, &error)),
                    }
                }
                Ok(entries)
            }
        }
        deserializer.deserialize_seq(OneByOne(PhantomData))
    }
}

/// A name with half of an emoji must not cost the entry.
fn read<T: DeserializeOwned>(entry: &RawValue) -> Result<T, serde_json::Error> {
    serde_json::from_str(entry.get()).or_else(|error| {
        let lenient = Some(&error).filter(|error| error.is_syntax());
        let value = lenient.and_then(|_| lenient_json::read(entry.get().as_bytes()).ok());
        value.and_then(|value| serde_json::from_value(value).ok()).ok_or(error)
    })
}

impl OddEntry {
    fn of(entry: &RawValue, error: &serde_json::Error) -> Self {
        let identity = serde_json::from_str::<EntryIds>(entry.get()).ok();
        let (sid, queue) = identity.map_or((None, None), |found| (found.sid, found.task_queue_sid));
        let text = |value: Option<serde_json::Value>| value.and_then(|value| value.as_str().map(Box::from));
        let queue: Option<Box<str>> = text(queue);
        let said = error.to_string();
        let reason = if said.starts_with("missing field") {
            said
        } else {
            format!("a field has another type than documented (column {} of the entry)", error.column())
        };
        Self {
            sid: text(sid).or_else(|| queue.clone()).filter(|sid| sid.len() == 34),
            queue: queue.and_then(|queue| queue.parse().ok()),
            reason: reason.into(),
        }
    }
}

/// Warns of odd entries, a bounded number of times. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct OddEntries(Arc<Mutex<Bucket>>);

impl Default for OddEntries {
    fn default() -> Self {
        let budget = Bucket::new(WARNINGS_AT_ONCE, WARNINGS_PER_SECOND, WARNINGS_AT_ONCE, Instant::now());
        Self(Arc::new(Mutex::new(budget)))
    }
}

impl OddEntries {
    pub(super) fn warn(&self, list: &str, odd: &[OddEntry]) {
        let Some(first) = odd.first() else { return };
        let mut budget = self.0.lock();
        if budget.take(1.0, 0.0, Instant::now()) {
            warn!(
                list,
                left_out = odd.len(),
                sid = first.sid.as_deref(),
                reason = &*first.reason,
                "An entry of a TaskRouter list can't be read and was left out; the others are taken"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Task, TaskQueue, TaskQueueStatistics, Worker};
    use super::*;

    const QUEUE: &str = "WQ00000000000000000000000000000001";

    fn list_of<T: DeserializeOwned>(list: &serde_json::Value) -> Entries<T> {
        serde_json::from_str(&list.to_string()).unwrap()
    }

    #[test]
    fn an_odd_entry_costs_itself_and_says_whose_it_is_and_why() {
        let good = json!({ "sid": QUEUE, "friendly_name": "Sales" });
        let odd = json!({ "sid": 7, "friendly_name": "someone's secret" });
        let list = list_of::<TaskQueue>(&json!([good, odd, null, "x", good]));
        assert_eq!((list.read.len(), list.odd.len()), (2, 3));
        assert!(list.odd.iter().all(|odd| !odd.reason.contains("secret")), "{list:?}");
        let statistics =
            list_of::<TaskQueueStatistics>(&json!([{ "task_queue_sid": QUEUE, "realtime": {} }]));
        assert_eq!(statistics.odd[0].queue.unwrap().to_string(), QUEUE);
        assert!(serde_json::from_str::<Entries<TaskQueue>>("null").is_err(), "a list must be one");
    }

    #[test]
    fn half_of_an_emoji_costs_that_sign_alone() {
        let list = format!(r#"[{{ "sid": "{QUEUE}", "friendly_name": "Sales \ud83d", "x": 1e400 }}]"#);
        let list: Entries<TaskQueue> = serde_json::from_str(&list).unwrap();
        assert_eq!((&*list.read[0].friendly_name, list.odd.len()), ("Sales \u{fffd}", 0));
    }

    #[test]
    fn null_where_twilios_api_files_allow_it_is_as_absent() {
        let queue = list_of::<TaskQueue>(&json!([{ "sid": QUEUE, "friendly_name": null }]));
        assert_eq!(&*queue.read[0].friendly_name, QUEUE, "a queue without a name goes by its SID");
        let worker = json!({
            "sid": "WK00000000000000000000000000000001", "friendly_name": null, "available": null,
            "attributes": null, "activity_name": null,
        });
        assert!(!list_of::<Worker>(&json!([worker])).read[0].available);
        let task = json!({
            "sid": "WT00000000000000000000000000000001", "assignment_status": null, "priority": null,
            "attributes": null, "date_created": null,
        });
        assert_eq!(list_of::<Task>(&json!([task])).read[0].priority, 0);
    }
}
