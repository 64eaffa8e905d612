//! A value as it is written: its text, cut to what Sync takes, and its fingerprint.

use std::collections::BTreeSet;

use serde_json::Value;
use tracing::warn;

use super::wanted::{Body, Wanted};
use crate::layout::fit::{LARGEST, fit};
use crate::layout::{Fingerprint, Target};

pub(super) struct Fitted {
    text: String,
    pub(super) fingerprint: Fingerprint,
}

impl Fitted {
    pub(super) fn wanted(self, later: bool) -> Wanted {
        let Self { text, fingerprint } = self;
        let body = if later { Body::Later(text.len()) } else { Body::Text(text.into()) };
        Wanted::Value { body, fingerprint }
    }
}

/// Cuts a value where it would not fit, which is logged once.
pub(super) fn fitted(cut_before: &mut BTreeSet<Target>, target: &Target, value: &Value) -> Fitted {
    let text = value.to_string();
    if text.len() <= LARGEST {
        if !cut_before.is_empty() {
            cut_before.remove(target);
        }
        return Fitted { text, fingerprint: Fingerprint::of(value) };
    }
    let (value, cut) = fit(value.clone(), LARGEST);
    if cut_before.insert(target.clone()) {
        warn!(sync.object = %target, ?cut, "A value is too large for Sync and was cut");
    }
    Fitted { text: value.to_string(), fingerprint: Fingerprint::of(&value) }
}
