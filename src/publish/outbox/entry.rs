//! One target as the outbox sees it: what waits, what is under way, and what Sync holds. Pure.

use std::collections::HashMap;

use tokio::time::Instant;

use crate::event::Trace;
use crate::layout::{Fingerprint, Target};
use crate::publish::objects::Load;
use crate::publish::pacer::Urgency;
use crate::publish::wanted::Wanted;
use crate::twilio::sync::Revision;

#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) waiting: Option<Waiting>,
    pub(super) in_flight: Option<InFlight>,
    /// The events that what waits is to show.
    pub(super) event: Option<Trace>,
    /// What Sync holds, as far as we know.
    pub(super) held: Held,
    pub(super) last_landed: Option<Instant>,
    /// Sync has held what was wanted since this process started.
    pub(super) filled: bool,
    pub(super) failures: u32,
    /// The last write was refused for what it is.
    pub(super) refused: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) wanted: Wanted,
    pub(super) urgency: Urgency,
    pub(super) since: Instant,
    pub(super) not_before: Option<Instant>,
}

#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) wanted: Wanted,
    pub(super) urgency: Urgency,
    pub(super) since: Instant,
    /// The request creates a Document.
    pub(super) creates: bool,
}

#[derive(Debug, Default, PartialEq)]
pub(super) enum Held {
    /// Not looked at yet.
    #[default]
    Unknown,
    Nothing,
    /// Something that we did not write, or not last.
    Other,
    Value(Fingerprint, Option<Revision>),
}

impl Entry {
    pub(super) fn is_unwritten(&self) -> bool {
        !self.refused && self.unwritten_since().next().is_some()
    }

    /// When the changes of this target that are not written came up.
    pub(super) fn unwritten_since(&self) -> impl Iterator<Item = (Urgency, Instant)> {
        let waiting = self.waiting.as_ref().map(|waiting| (waiting.urgency, waiting.since));
        let flying = self.in_flight.as_ref().map(|flight| (flight.urgency, flight.since));
        waiting.into_iter().chain(flying).filter(|(urgency, _)| *urgency != Urgency::Aged)
    }

    /// What the write that waits for this target takes.
    pub(super) fn load(&self, target: &Target) -> Load {
        let Some(Waiting { wanted, .. }) = &self.waiting else { return Load::default() };
        let creates = matches!(target, Target::Document(_))
            && match wanted {
                Wanted::Value { .. } => self.held == Held::Nothing,
                Wanted::Seed { .. } => true,
                Wanted::Gone => false,
            };
        Load { bytes: wanted.size(), creates }
    }
}

/// What the write that waits for a target takes.
pub(super) fn load_of(entries: &HashMap<Target, Entry>, target: &Target) -> Load {
    entries.get(target).map_or_else(Load::default, |entry| entry.load(target))
}

impl Held {
    pub(super) fn fingerprint(&self) -> Option<Fingerprint> {
        match self {
            Self::Value(fingerprint, _) => Some(*fingerprint),
            Self::Unknown | Self::Nothing | Self::Other => None,
        }
    }
}
