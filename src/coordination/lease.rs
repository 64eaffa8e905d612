//! The permission to read and write, which expires by itself.
//!
//! A process alone holds it for ever. Of several replicas the leader holds a [`Lease`] for its term and has to extend
//! it again and again. Its clock runs on while the machine sleeps or the process is stopped, and is checked right
//! before each request is sent: so a process that hung and wakes up finds its lease expired before it does anything. A
//! lease that has ended never holds again; a new term is a new lease.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A moment of the machine's clock since its start, time asleep included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

impl Moment {
    pub fn now() -> Self {
        let time = clock_gettime(ClockId::Boottime);
        // Neither is negative, and five centuries fit.
        Self(time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs())
    }

    /// `wait` later.
    #[must_use]
    pub fn plus(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// In whole milliseconds of that clock.
    pub fn millis(self) -> u64 {
        self.0 / 1_000_000
    }

    pub fn is_past(self) -> bool {
        self <= Self::now()
    }

    /// How long it is until then; zero where it has passed.
    pub fn from_now(self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(Self::now().0))
    }
}

/// Whether its holder may read and write. Cheap to clone; clones are the same lease.
#[derive(Debug, Clone)]
pub struct Lease(Arc<LeaseInner>);

#[derive(Debug)]
struct LeaseInner {
    term: Option<u64>,
    /// Nanoseconds of [`Moment`]; nought once it was ended.
    until: AtomicU64,
    /// How long after its end a request that was sent before may still arrive.
    late: Duration,
}

impl Lease {
    pub fn alone() -> Self {
        Self(Arc::new(LeaseInner { term: None, until: AtomicU64::new(u64::MAX), late: Duration::MAX }))
    }

    /// Of one term. Requests are given up where Twilio does not accept them within `late`: the next leader waits as long.
    pub fn of_term(term: u64, until: Moment, late: Duration) -> Self {
        Self(Arc::new(LeaseInner { term: Some(term), until: AtomicU64::new(until.0), late }))
    }

    /// The term's number, which is greater than that of every term before; `None` where there are no terms.
    pub fn term(&self) -> Option<u64> {
        self.0.term
    }

    /// How long a request may be in flight.
    pub fn late(&self) -> Duration {
        self.0.late
    }

    pub fn holds(&self) -> bool {
        self.holds_at(Moment::now())
    }

    /// When it expires, unless it is extended.
    pub fn until(&self) -> Moment {
        Moment(self.0.until.load(Ordering::Acquire))
    }

    /// Extends it; false where it has expired already.
    pub fn prolong(&self, until: Moment) -> bool {
        self.prolong_at(Moment::now(), until)
    }

    pub fn end(&self) {
        self.0.until.store(0, Ordering::Release);
    }

    fn holds_at(&self, now: Moment) -> bool {
        now.0 < self.0.until.load(Ordering::Acquire)
    }

    fn prolong_at(&self, now: Moment, until: Moment) -> bool {
        let later = |held: u64| (now.0 < held).then(|| held.max(until.0));
        self.0.until.fetch_update(Ordering::AcqRel, Ordering::Acquire, later).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_ended_never_holds_again() {
        let start = Moment::now();
        let at = |seconds| start.plus(Duration::from_secs(seconds));
        let lease = Lease::of_term(3, at(10), Duration::ZERO);
        assert!(lease.holds_at(at(9)) && !lease.holds_at(at(10)));
        assert!(lease.prolong_at(at(9), at(20)) && lease.holds_at(at(19)));
        assert!(
            lease.prolong_at(at(9), at(15)) && lease.holds_at(at(19)),
            "never shortened by a late answer"
        );
        assert!(!lease.prolong_at(at(20), at(30)) && !lease.holds_at(at(21)), "a process that hung too long");
        let ended = Lease::of_term(4, at(3600), Duration::ZERO);
        assert!(ended.holds());
        ended.end();
        assert!(!ended.holds() && !ended.prolong(at(7200)) && !ended.holds());
        assert!(Lease::alone().holds());
    }
}
