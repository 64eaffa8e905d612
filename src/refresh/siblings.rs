//! Reads under way, and those that ended before others of the same event and TaskQueue.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::task::JoinError;
use tokio::time::Instant;

use super::key::{Key, Read, What};
use super::reader::Brought;
use super::schedule::Cause;
use crate::event::Trace;
use crate::stats::ReadId;
use crate::telemetry::trace::TracedRead;
use crate::twilio::TwilioError;

/// How long an answer waits for the others of the same event and TaskQueue: its sum and its TaskChannel are one write then, and
/// each write is taken from what Sync allows the whole Map.
const GATHER_SIBLINGS: Duration = Duration::from_millis(30);
/// A read under way.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) read: Read,
    pub(super) id: ReadId,
    pub(super) cause: Cause,
    /// The keys that were due; it only covers the others.
    pub(super) asked: BTreeSet<Key>,
    pub(super) started: Instant,
    /// The events that it is to show, by what they touched.
    pub(super) events: Vec<(Key, Trace)>,
    pub(super) reading: TracedRead,
}

/// How a read ended.
pub(super) type ReadEnd = Result<Result<Brought, TwilioError>, JoinError>;

/// Reads whose answers wait for those of others.
#[derive(Debug, Default)]
pub(super) struct EarlyReads(Vec<EarlyRead>);

#[derive(Debug)]
struct EarlyRead {
    begun: Begun,
    ended: ReadEnd,
    until: Instant,
}

impl Begun {
    /// Whether both read a TaskQueue because of the same events. A list read is no sibling of a TaskQueue's own reads, which it
    /// would hold up.
    pub(super) fn is_sibling(&self, other: &Self) -> bool {
        let for_events = self.cause == Cause::Touched && other.cause == Cause::Touched;
        let same_queues = match (&self.read.what, &other.read.what) {
            (What::Queue(queue, ..), What::Queue(other, ..)) => queue == other,
            (What::List(_), What::List(_)) => true,
            _ => false,
        };
        for_events && self.started == other.started && same_queues
    }

    /// Why a key is read: one that is only covered was read as by a timer.
    pub(super) fn cause_of(&self, key: Key) -> Cause {
        if self.asked.contains(&key) { self.cause } else { Cause::Timer }
    }
}

impl EarlyReads {
    /// A read ended. Brings it with the siblings that waited for it; nothing where others are still `awaited`.
    pub(super) fn gather(
        &mut self,
        begun: Begun,
        ended: ReadEnd,
        awaited: bool,
        now: Instant,
    ) -> Vec<(Begun, ReadEnd)> {
        if awaited {
            self.0.push(EarlyRead { begun, ended, until: now + GATHER_SIBLINGS });
            return Vec::new();
        }
        let siblings = self.0.extract_if(.., |early| early.begun.is_sibling(&begun));
        let mut together: Vec<_> = siblings.map(|early| (early.begun, early.ended)).collect();
        together.push((begun, ended));
        together
    }

    /// Those that have waited long enough.
    pub(super) fn take_overdue(&mut self, now: Instant) -> Vec<(Begun, ReadEnd)> {
        let overdue = self.0.extract_if(.., |early| early.until <= now);
        overdue.map(|early| (early.begun, early.ended)).collect()
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.0.iter().map(|early| early.until).min()
    }
}
