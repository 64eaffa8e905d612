//! How the time of a lease is divided, so that two leaders never overlap and a new one writes before the lease is over.
//!
//! ```text
//! the leader asks …                                                       of 5 s
//! ├─ every tenth: asks again                                               0.5 s
//! ├──────────── six tenths: its time is over by its own clock ──────────   3.0 s   no read, no write is sent after this
//! ├────────────── seven tenths: Redis lets the lease run out ──────────────3.5 s   another may have it
//! ├────────────────── nine tenths: the other one writes ───────────────────4.5 s   it has been reading since 3.5 s
//! ```
//!
//! Between the last write that the old leader can have sent and the first of the new one lie three tenths: what was in
//! flight has been answered by then, unless Twilio takes longer than that to answer.

use std::time::Duration;

/// The parts of a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    lease: Duration,
}

impl Timing {
    /// Of a lease of this length.
    pub fn of(lease: Duration) -> Self {
        Self { lease }
    }

    /// The whole of it.
    pub fn lease(self) -> Duration {
        self.lease
    }

    /// Between two renewals, and between two looks at who leads.
    pub fn beat(self) -> Duration {
        self.lease / 10
    }

    /// How long a leader leads from the moment at which it asked.
    pub fn own(self) -> Duration {
        self.lease * 6 / 10
    }

    /// How long Redis keeps the lease.
    pub fn kept(self) -> Duration {
        self.lease * 7 / 10
    }

    /// How long a new leader waits before its first write, where the one before did not give the lease back.
    pub fn overlap(self) -> Duration {
        self.lease * 2 / 10
    }

    /// How long a request may wait to be taken by Twilio's side before the connection is given up: until the next leader
    /// may write.
    pub fn late(self) -> Duration {
        self.kept() + self.overlap() - self.own()
    }

    /// How long nothing may be heard from the leader before what is shown is called stale.
    pub fn patience(self) -> Duration {
        self.lease * 2
    }

    /// How long Twilio may leave a leader without any answer before it asks for another to lead.
    pub fn twilio(self) -> Duration {
        self.lease * 3 / 10
    }

    /// The longest that Redis may take for a short command. Half of the leader's own time: where a connection has died, a
    /// renewal over the next one comes in time.
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
