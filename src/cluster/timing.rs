//! Divides the time of a lease so that two leaders never overlap and a new one writes before the lease has passed.
//!
//! ```text
//! the leader renews …                                                     of 5 s
//! ├─ one tenth: renews again                                               0.5 s
//! ├──────────── six tenths: the lease expires by the leader's clock ────── 3.0 s   no read, no write is sent after this
//! ├────────────── seven tenths: the lease expires in Redis ─────────────── 3.5 s   another replica may be elected
//! ├────────────────── nine tenths: the new leader writes ───────────────── 4.5 s   it has been reading since 3.5 s
//! ```
//!
//! Between the last write that the old leader can have sent and the first of the new one lie three tenths: what was in
//! flight has been answered by then, unless Twilio takes longer than that to answer.

use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    lease: Duration,
}

impl Timing {
    pub fn of(lease: Duration) -> Self {
        Self { lease }
    }

    pub fn lease(self) -> Duration {
        self.lease
    }

    /// Between two renewals, and between two looks at who leads.
    pub fn beat(self) -> Duration {
        self.lease / 10
    }

    /// How long a leader leads after a renewal.
    pub fn own(self) -> Duration {
        self.lease * 6 / 10
    }

    /// How long Redis keeps the lease.
    pub fn kept(self) -> Duration {
        self.lease * 7 / 10
    }

    /// How long a new leader waits before its first write, unless the one before released the lease.
    pub fn overlap(self) -> Duration {
        self.lease * 2 / 10
    }

    /// How long a request may stay unacknowledged by Twilio's side before its connection is closed: until the next
    /// leader may write.
    pub fn late(self) -> Duration {
        self.kept() + self.overlap() - self.own()
    }

    /// How long a replica may hear from no leader before it marks statistics as stale.
    pub fn patience(self) -> Duration {
        self.lease * 2
    }

    /// How long Twilio may be silent before the leader asks for another one.
    pub fn twilio(self) -> Duration {
        self.lease * 3 / 10
    }

    /// The time limit of a short command: half of the leader's own time, so that a renewal over a new connection is in
    /// time where the old one has died.
    pub fn command(self) -> Duration {
        self.lease * 3 / 10
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_leader_is_over_before_a_new_one_begins() {
        let timing = Timing::of(Duration::from_secs(5));
        assert!(timing.own() + timing.beat() <= timing.kept());
        assert!(timing.kept() + timing.overlap() < Duration::from_secs(5));
        let dead = timing.beat() + timing.command();
        assert!(dead + timing.beat() < timing.own(), "a renewal over the next connection comes in time");
    }
}
