//! Names that Twilio sends again and again: of Activities, states, priorities, thresholds.
//!
//! A thousand TaskQueues on four channels bring the same few names hundreds of thousands of times. Each is kept once and
//! shared, which takes a fraction of the room and makes comparing cheap.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use parking_lot::Mutex;
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// Names that are shared at once. With more of them the sharing starts over; names in use stay where they are.
const MOST_SHARED: usize = 4096;

static SHARED: LazyLock<Mutex<HashSet<Arc<str>>>> = LazyLock::new(Mutex::default);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        // A set of texts is right after any panic.
        let mut shared = SHARED.lock();
        if let Some(name) = shared.get(text) {
            return Self(name.clone());
        }
        if shared.len() >= MOST_SHARED {
            shared.clear();
        }
        let name: Arc<str> = text.into();
        shared.insert(name.clone());
        Self(name)
    }
}

impl Default for Name {
    fn default() -> Self {
        Self::from("")
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Name, E> {
                Ok(text.into())
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_is_kept_once() {
        let (one, other) = (Name::from("tasks_canceled"), Name::from("tasks_canceled"));
        assert!(Arc::ptr_eq(&one.0, &other.0));
        let read: Name = serde_json::from_str("\"tasks_canceled\"").unwrap();
        assert_eq!((&*read, serde_json::to_string(&read).unwrap().as_str()), (&*one, "\"tasks_canceled\""));
    }

    #[test]
    fn too_many_of_them_take_no_more_room() {
        let names: Vec<Name> =
            (0..MOST_SHARED * 2).map(|n| Name::from(format!("name {n}").as_str())).collect();
        assert!(SHARED.lock().len() <= MOST_SHARED);
        assert!(names.iter().enumerate().all(|(n, name)| **name == format!("name {n}")));
    }
}
