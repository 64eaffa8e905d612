//! Tells an outage of Sync from a target that fails by itself. Pure.
//!
//! While Sync is down it is probed, with growing pauses, and not hammered by every target in turn. One target that fails
//! again and again is no outage: it must not hold up the others.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::layout::Target;
use crate::twilio::retry::Backoff;

/// After this many different targets have failed with no write landing in between, Sync is taken to be down.
const FAILURES_OF_AN_OUTAGE: usize = 5;
/// While Sync is down this many writes try it.
pub(super) const PROBES: usize = 1;
/// Tries while Sync is down; short enough that all is well within seconds of its return.
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(200), longest: Duration::from_secs(2) };

#[derive(Debug, Default)]
pub(super) struct Outage {
    /// Targets that failed since the last write that landed, as many as make an outage.
    failing: BTreeSet<Target>,
    tries: u32,
    paused_until: Option<Instant>,
}

impl Outage {
    /// Notes a failed write that an outage would explain.
    pub(super) fn failed(&mut self, target: &Target, now: Instant, wait: Option<Duration>) {
        if self.failing.len() < FAILURES_OF_AN_OUTAGE {
            self.failing.insert(target.clone());
        }
        if self.is_on() {
            let delay = BACKOFF.delay(self.tries, wait, fastrand::f64());
            self.tries = self.tries.saturating_add(1);
            self.paused_until = Some(now + delay);
        }
    }

    pub(super) fn ended(&mut self) {
        *self = Self::default();
    }

    pub(super) fn is_on(&self) -> bool {
        self.failing.len() >= FAILURES_OF_AN_OUTAGE
    }

    pub(super) fn is_paused(&self, now: Instant) -> bool {
        self.paused_until.is_some_and(|until| until > now)
    }

    /// The moment, or the end of the pause if that is later.
    pub(super) fn not_before(&self, moment: Instant) -> Instant {
        self.paused_until.map_or(moment, |until| until.max(moment))
    }
}
