//! A part of the feed's state, laid out when the first client needs it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use serde_json::Value;
use serde_json::value::RawValue;

/// Lays out a value; the result is always the same.
pub(super) struct LazyJson(Box<dyn Fn() -> Value + Send + Sync>);

#[derive(Debug)]
pub(super) struct FeedPart {
    pub(super) number: u64,
    lay_out: LazyJson,
    /// Filled at the first use.
    pub(super) json: OnceLock<Box<str>>,
}

impl LazyJson {
    pub(super) fn new(lay_out: impl Fn() -> Value + Send + Sync + 'static) -> Self {
        Self(Box::new(lay_out))
    }
}

impl fmt::Debug for LazyJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LazyJson")
    }
}

impl FeedPart {
    pub(super) fn new(number: u64, lay_out: LazyJson) -> Arc<Self> {
        Arc::new(Self { number, lay_out, json: OnceLock::new() })
    }

    /// A part that was laid out elsewhere.
    pub(super) fn copied(number: u64, json: &RawValue) -> Arc<Self> {
        let part = Self { number, lay_out: LazyJson::new(|| Value::Null), json: OnceLock::new() };
        part.json.get_or_init(|| json.get().into());
        Arc::new(part)
    }

    pub(super) fn raw(&self) -> Box<RawValue> {
        // It is JSON that we made ourselves.
        RawValue::from_string(self.json().to_owned()).unwrap_or_default()
    }

    pub(super) fn json(&self) -> &str {
        self.json.get_or_init(|| self.lay_out.0().to_string().into())
    }
}

/// Replaces a part unless its content equals what clients have been sent.
pub(super) fn put<K: Ord>(parts: &mut BTreeMap<K, Arc<FeedPart>>, key: K, part: Arc<FeedPart>) -> bool {
    let shown = parts.get(&key).and_then(|last| last.json.get());
    let same = shown.is_some_and(|shown| **shown == *part.json());
    if !same {
        parts.insert(key, part);
    }
    !same
}
