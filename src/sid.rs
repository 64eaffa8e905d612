//! Twilio's identifiers as types, so that a TaskQueue's SID can never be passed where a Workspace's is meant.
//!
//! A SID is two letters that say what it names, then 32 hexadecimal digits. It is checked once, where it enters
//! (configuration, an event, a response), and is small and `Copy` from then on.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Number of characters in every SID: the two-letter prefix and 32 hexadecimal digits.
pub const SID_LENGTH: usize = 34;

/// Splits a text that has a SID's form, in letters of either case, into its two letters and its digits.
pub fn split_sid(text: &str) -> Option<(&str, &str)> {
    let (letters, digits) = text.split_at_checked(2).filter(|_| text.len() == SID_LENGTH)?;
    let has_form = letters.bytes().all(|b| b.is_ascii_alphabetic());
    (has_form && digits.bytes().all(|b| b.is_ascii_hexdigit())).then_some((letters, digits))
}

/// What a [`Sid`] names; implemented by empty types only.
pub trait SidKind {
    const PREFIX: &'static str;
    const NAME: &'static str;
}

pub struct Sid<K>([u8; SID_LENGTH], PhantomData<fn() -> K>);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not {name} SID: expected {prefix} followed by 32 hexadecimal digits")]
pub struct SidError {
    name: &'static str,
    prefix: &'static str,
}

impl<K: SidKind> Sid<K> {
    pub fn as_str(&self) -> &str {
        // Only ASCII gets past `from_str`; the fallback is unreachable and keeps this free of panics.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl<K: SidKind> FromStr for Sid<K> {
    type Err = SidError;

    fn from_str(text: &str) -> Result<Self, SidError> {
        let error = SidError { name: K::NAME, prefix: K::PREFIX };
        let mut bytes: [u8; SID_LENGTH] = text.as_bytes().try_into().map_err(|_| error.clone())?;
        // Twilio writes digits in small letters; in capitals the same SID would be another one.
        bytes[2..].make_ascii_lowercase();
        let (prefix, digits) = bytes.split_at(2);
        if prefix != K::PREFIX.as_bytes() || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(error);
        }
        Ok(Self(bytes, PhantomData))
    }
}

impl<K> Clone for Sid<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Sid<K> {}
impl<K> PartialEq for Sid<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Sid<K> {}
impl<K> PartialOrd for Sid<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Sid<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K> std::hash::Hash for Sid<K> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<K: SidKind> fmt::Display for Sid<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
impl<K: SidKind> fmt::Debug for Sid<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl<K: SidKind> Serialize for Sid<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
impl<'de, K: SidKind> Deserialize<'de> for Sid<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $alias:ident = $kind:ident, $prefix:literal, $name:literal;)*) => {$(
        #[doc = concat!("Marks the SID of ", $name, ".")]
        #[derive(Debug)]
        pub enum $kind {}
        impl SidKind for $kind {
            const PREFIX: &'static str = $prefix;
            const NAME: &'static str = $name;
        }
        $(#[$doc])*
        pub type $alias = Sid<$kind>;
    )*};
}

kinds! {
    /// `AC…`
    AccountSid = Account, "AC", "an Account";
    /// `SK…`
    ApiKeySid = ApiKey, "SK", "an API key";
    /// `WS…`
    WorkspaceSid = Workspace, "WS", "a Workspace";
    /// `WQ…`
    TaskQueueSid = TaskQueue, "WQ", "a TaskQueue";
    /// `WK…`
    WorkerSid = Worker, "WK", "a Worker";
    /// `WT…`
    TaskSid = Task, "WT", "a Task";
    /// `WW…`
    WorkflowSid = Workflow, "WW", "a Workflow";
    /// `CA…`
    CallSid = Call, "CA", "a Call";
    /// `EV…`
    EventSid = EventKind, "EV", "an event";
    /// `IS…`
    SyncServiceSid = SyncService, "IS", "a Sync Service";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_its_own_kind_only() {
        let text = "WQ00000000000000000000000000000001";
        assert_eq!(text.parse::<TaskQueueSid>().unwrap().to_string(), text);
        for bad in ["", "WQ", "WS00000000000000000000000000000001", "WQ0000000000000000000000000000000g"] {
            assert!(bad.parse::<TaskQueueSid>().is_err(), "{bad}");
        }
        assert!("WQ000000000000000000000000000000é".parse::<TaskQueueSid>().is_err());
    }

    #[test]
    fn is_plain_text_in_json() {
        let sid: WorkspaceSid = serde_json::from_str("\"WS0123456789abcdef0123456789abcdef\"").unwrap();
        assert_eq!(serde_json::to_string(&sid).unwrap(), "\"WS0123456789abcdef0123456789abcdef\"");
        assert!(serde_json::from_str::<WorkspaceSid>("\"nope\"").is_err());
    }
}
