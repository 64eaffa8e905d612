//! Follows an event from the webhook to the write that shows it.
//!
//! Events on the same thing become one mark, so what is carried along is a summary: the newest event, by whose id the log
//! lines from mark to write can be found, and the moment at which the oldest of them came in, from which the age of what
//! is shown counts.

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::Event;
use crate::sid::EventSid;
use crate::telemetry::trace::{self, TraceId};

/// The id by which an event is found in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventId {
    Sid(EventSid),
    /// For an event without a `Sid`: its number in this process.
    Local(u64),
}

/// One or more events that made the same thing stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    pub newest: EventId,
    pub newest_at: Instant,
    pub oldest_at: Instant,
    /// When the newest one came in that names what it made stale, and not just everything.
    pub named_at: Option<Instant>,
}

/// A trace as sent to another replica, with an age instead of a moment, since clocks differ. The time of transport,
/// milliseconds, is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    newest: EventSid,
    newest_ms: u64,
    oldest_ms: u64,
}

impl Carried {
    /// The trace at the receiving replica, now.
    pub fn arrived(self) -> Trace {
        let now = Instant::now();
        let ago = |ms| now.checked_sub(Duration::from_millis(ms)).unwrap_or(now);
        Trace {
            newest: EventId::Sid(self.newest),
            newest_at: ago(self.newest_ms),
            oldest_at: ago(self.oldest_ms),
            named_at: Some(ago(self.newest_ms)),
        }
    }
}

impl Trace {
    /// The trace for another replica; `None` where the newest event has only a number of this process.
    pub fn carried(self) -> Option<Carried> {
        let EventId::Sid(newest) = self.newest else { return None };
        let ms = |at: Instant| u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX);
        Some(Carried { newest, newest_ms: ms(self.newest_at), oldest_ms: ms(self.oldest_at) })
    }

    pub fn begin(event: &Event) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let newest =
            event.sid.map_or_else(|| EventId::Local(NEXT.fetch_add(1, Ordering::Relaxed)), EventId::Sid);
        let now = Instant::now();
        Self { newest, newest_at: now, oldest_at: now, named_at: Some(now) }
    }

    pub fn merged(self, other: Self) -> Self {
        let (newer, older) = if other.newest_at >= self.newest_at { (other, self) } else { (self, other) };
        if older.newest != newer.newest && trace::is_followed() {
            tell_joined(older.newest, newer.newest);
        }
        let oldest_at = self.oldest_at.min(other.oldest_at);
        Self { oldest_at, named_at: self.named_at.max(other.named_at), ..newer }
    }

    #[must_use]
    pub fn of_all(self) -> Self {
        Self { named_at: None, ..self }
    }

    pub fn is_named(self) -> bool {
        self.named_at.is_some()
    }

    /// Without those that came in up to a moment, because they are shown; `None` where none is left.
    pub fn since(self, moment: Instant) -> Option<Self> {
        let named_at = self.named_at.filter(|at| *at > moment);
        (self.newest_at > moment).then(|| Self { oldest_at: self.oldest_at.max(moment), named_at, ..self })
    }

    /// Merges two traces, either of which may be absent.
    pub fn join(first: Option<Self>, second: Option<Self>) -> Option<Self> {
        match (first, second) {
            (Some(first), Some(second)) => Some(first.merged(second)),
            (first, second) => first.or(second),
        }
    }
}

/// Reports a merge once where the same two events meet thousands of times in a row, once for each TaskQueue's mark.
fn tell_joined(older: EventId, newer: EventId) {
    thread_local! {
        static LAST: Cell<Option<(EventId, EventId)>> = const { Cell::new(None) };
    }
    if LAST.replace(Some((older, newer))) != Some((older, newer)) {
        trace::joined(older.trace_id(), newer.trace_id());
    }
}

impl EventId {
    /// The id of the event's trace, where traces are exported.
    pub fn trace_id(self) -> TraceId {
        match self {
            Self::Sid(sid) => TraceId::of_digits(&sid.as_str()[2..]),
            Self::Local(number) => TraceId::local(number),
        }
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sid(sid) => sid.fmt(f),
            Self::Local(number) => write!(f, "local-{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn events_together_have_the_newest_ones_id_and_the_oldest_ones_age() {
        let first = Trace::begin(&Event::default());
        let later = first.newest_at + Duration::from_secs(1);
        let second = Trace { newest_at: later, oldest_at: later, ..Trace::begin(&Event::default()) };
        assert_ne!(first.newest, second.newest);
        for merged in [first.merged(second), second.merged(first)] {
            assert_eq!(merged, Trace { oldest_at: first.oldest_at, ..second });
        }
        assert_eq!(Trace::join(None, Some(first)), Some(first));
    }

    #[test]
    fn what_touched_all_after_an_event_that_names_it_names_nothing_once_that_one_is_shown() {
        let named = Trace::begin(&Event::default());
        let at = |ms| named.newest_at + Duration::from_millis(ms);
        let of_all =
            Trace { newest_at: at(20), oldest_at: at(20), ..Trace::begin(&Event::default()) }.of_all();
        let both = named.merged(of_all);
        assert!(both.is_named());
        let left = both.since(at(2)).unwrap();
        assert!(!left.is_named() && left.newest == of_all.newest, "{left:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn another_replica_knows_it_by_the_same_id_and_age() {
        let event =
            Event { sid: Some("EV00000000000000000000000000000001".parse().unwrap()), ..Event::default() };
        let trace = Trace::begin(&event);
        tokio::time::advance(Duration::from_millis(300)).await;
        let sent = serde_json::to_string(&trace.carried()).unwrap();
        let arrived = serde_json::from_str::<Option<Carried>>(&sent).unwrap().unwrap().arrived();
        assert_eq!(arrived, trace);
        assert_eq!(Trace::begin(&Event::default()).carried(), None);
    }

    #[test]
    fn an_event_goes_by_twilios_id_where_it_has_one() {
        let sid = "EV00000000000000000000000000000001".parse().unwrap();
        let event = Event { sid: Some(sid), ..Event::default() };
        assert_eq!(Trace::begin(&event).newest.to_string(), "EV00000000000000000000000000000001");
    }
}
