//! Twilio's limits on Sync (<https://www.twilio.com/docs/sync/limits>): per object, with a burst window of ten seconds.
//!
//! An object is a whole Document or a whole Map: all items of a Map share one budget. Writes of up to 1 KiB get 20/s,
//! writes from 10 KiB on get 2/s; the curve between is not published and taken as a straight line. A larger write
//! costs more of the same budget, so a mix of sizes is limited as well.
//!
//! How the burst window is counted is not published either. `Limits::burst` chooses a reading, for writes and all other
//! operations alike: a token bucket with sustained rate `r` and capacity `10·r`, or at most `10·r` in any ten seconds.

use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

use crate::error::ApiError;
use crate::limits::{Buckets, Windows};
use crate::settings::{Burst, Limits};
use crate::sid::Sid;

const BURST: Duration = Duration::from_secs(10);
const FULL_RATE_UP_TO: f64 = 1024.0;
const LOWEST_RATE_FROM: f64 = 10_240.0;
/// The least share of the rate: 2/s of 20/s.
const LOWEST_SHARE: f64 = 0.1;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cost {
    Read,
    Write(usize),
    Create,
    StreamMessage,
    Permission,
}

#[derive(Debug, Default)]
pub(crate) struct SyncLimits {
    reads: Budgets<Sid>,
    writes: Budgets<Sid>,
    creates: Budgets<()>,
    messages: Budgets<Sid>,
    permissions: Budgets<Sid>,
}

/// Budgets of one kind, in both readings. Only the chosen one is charged, so another reading starts with full budgets.
#[derive(Debug)]
struct Budgets<K> {
    buckets: Buckets<K>,
    windows: Windows<K>,
}

impl<K: Hash + Eq> Default for Budgets<K> {
    fn default() -> Self {
        Self { buckets: Buckets::new(BURST.as_secs_f64()), windows: Windows::new(BURST) }
    }
}

impl<K: Hash + Eq> Budgets<K> {
    fn take(&mut self, burst: Burst, key: K, rate: Option<f64>, cost: f64, now: Instant) -> Result<f64, f64> {
        match burst {
            Burst::Bucket => self.buckets.take(key, rate, cost, now),
            Burst::Window => self.windows.take(key, rate, cost, now),
        }
    }
}

/// The share of the full rate that a payload of this size gets.
pub(crate) fn share(bytes: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "payloads are a few KiB")]
    let bytes = bytes as f64;
    let along = ((bytes - FULL_RATE_UP_TO) / (LOWEST_RATE_FROM - FULL_RATE_UP_TO)).clamp(0.0, 1.0);
    1.0 - along * (1.0 - LOWEST_SHARE)
}

impl SyncLimits {
    /// Charges an operation to an object (to the service for creations); 429/54009 if that is too much.
    pub(crate) fn charge(
        &mut self,
        object: Sid,
        cost: Cost,
        limits: &Limits,
        now: Instant,
    ) -> Result<(), ApiError> {
        let burst = limits.burst;
        let charged = match cost {
            Cost::Read => self.reads.take(burst, object, limits.sync_reads, 1.0, now),
            Cost::Write(bytes) => {
                self.writes.take(burst, object, limits.sync_writes, 1.0 / share(bytes), now)
            }
            Cost::Create => self.creates.take(burst, (), limits.sync_creates, 1.0, now),
            Cost::StreamMessage => self.messages.take(burst, object, limits.stream_messages, 1.0, now),
            Cost::Permission => self.permissions.take(burst, object, limits.permissions, 1.0, now),
        };
        charged.map(drop).map_err(|_| ApiError::too_fast(54009, "Rate limit exceeded"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sid::Kind;

    const MAP: Sid = Sid::fixed(Kind::Map, 1);

    #[test]
    fn the_readings_differ_in_the_second_half_of_the_window() {
        let written = |burst| {
            let (mut limits, start) = (SyncLimits::default(), Instant::now());
            let rules = Limits { burst, ..Limits::default() };
            let mut write =
                |ms| limits.charge(MAP, Cost::Write(100), &rules, start + Duration::from_millis(ms)).is_ok();
            (0..10_000).filter(|ms| write(*ms)).count()
        };
        assert_eq!(written(Burst::Window), 200);
        assert_eq!(written(Burst::Bucket), 399, "200 at once and 20 a second");
    }

    fn burst(bytes: usize) -> usize {
        let (mut limits, now) = (SyncLimits::default(), Instant::now());
        let mut write = || limits.charge(MAP, Cost::Write(bytes), &Limits::default(), now).is_ok();
        std::iter::repeat_with(&mut write).take_while(|ok| *ok).count()
    }

    #[test]
    fn larger_payloads_get_less() {
        assert_eq!([burst(100), burst(1024), burst(10_240), burst(16_384)], [200, 200, 20, 20]);
        assert_eq!(burst(5632), 110, "half-way between: 11/s");
    }

    #[test]
    fn sustains_two_large_writes_a_second() {
        let (mut limits, start) = (SyncLimits::default(), Instant::now());
        let mut write =
            |at: Duration| limits.charge(MAP, Cost::Write(12_000), &Limits::default(), start + at).is_ok();
        while write(Duration::ZERO) {}
        let passed = (1..=1000).filter(|n| write(Duration::from_millis(n * 10))).count();
        assert_eq!(passed, 20);
    }

    #[test]
    fn reads_and_writes_are_separate() {
        let (mut limits, now) = (SyncLimits::default(), Instant::now());
        while limits.charge(MAP, Cost::Write(1), &Limits::default(), now).is_ok() {}
        assert!(limits.charge(MAP, Cost::Read, &Limits::default(), now).is_ok());
        assert!(limits.charge(MAP, Cost::Write(1), &Limits::off(), now).is_ok());
    }
}
