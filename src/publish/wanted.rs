//! What passes between the outbox and the task that sends: wanted values, writes, and their outcomes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::event::Trace;
use crate::layout::{Fingerprint, Target};
use crate::twilio::sync::Revision;

#[derive(Debug, Clone)]
pub(super) enum Wanted {
    Value {
        body: Body,
        fingerprint: Fingerprint,
    },
    /// Create with this value only; never overwrite.
    Seed {
        body: Arc<str>,
    },
    Gone,
}

#[derive(Debug, Clone)]
pub(super) enum Body {
    Text(Arc<str>),
    /// This many bytes, to be laid out when its turn comes: texts of thousands of values that wait would take much room.
    Later(usize),
}

impl Body {
    /// How long it is, in bytes.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Later(bytes) => *bytes,
        }
    }
}

#[derive(Debug, Clone)]
pub(super) enum Write {
    CreateMap(Arc<str>),
    Target {
        target: Target,
        wanted: Wanted,
        /// Believed, not known, to exist; the writer corrects a wrong guess.
        there: bool,
        /// When the value began to wait.
        since: Instant,
        event: Option<Trace>,
    },
}

#[derive(Debug, Clone)]
pub(super) enum WriteOutcome {
    /// Sync holds the wanted value. `requests` is how many that took.
    Landed {
        revision: Option<Revision>,
        requests: u32,
    },
    /// The Map is missing: create it, then write again.
    NoMap,
    /// The Document to be updated is missing: create it.
    NoDocument,
    Throttled(Option<Duration>),
    /// Another try may succeed.
    Failed(Option<Duration>),
    /// Sync refused the content: the same value would be refused again.
    Refused,
    /// The value was gone before it was laid out; nothing is left to write, and no request was sent.
    Void,
}

impl WriteOutcome {
    /// The label of this outcome where writes are counted.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Landed { .. } => "landed",
            Self::NoMap => "no_map",
            Self::NoDocument => "no_document",
            Self::Throttled(_) => "throttled",
            Self::Failed(_) => "failed",
            Self::Refused => "refused",
            Self::Void => "void",
        }
    }
}

/// What one audit found in a Map or under a Document's name.
#[derive(Debug)]
pub(super) struct Found {
    /// Version and identity of each target that is there.
    pub(super) targets: HashMap<Target, (Revision, Fingerprint)>,
    /// Whether the Map itself is there; true for a Document's name.
    pub(super) map_is_there: bool,
    /// When looking began; what was written since is newer than what was found.
    pub(super) looked_at: Instant,
}

impl Wanted {
    /// The identity of the wanted value; `None` where none is wanted, or any will do.
    pub(super) fn fingerprint(&self) -> Option<Fingerprint> {
        match self {
            Self::Value { fingerprint, .. } => Some(*fingerprint),
            Self::Seed { .. } | Self::Gone => None,
        }
    }

    /// Bytes of the payload.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Value { body, .. } => body.len(),
            Self::Seed { body } => body.len(),
            Self::Gone => 0,
        }
    }
}
