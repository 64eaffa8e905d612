//! Twilio's limits on Sync (<https://www.twilio.com/docs/sync/limits>): per object, with a burst window of ten seconds.
//!
//! An object is a whole Document or a whole Map: all items of a Map share one budget. Writes of up to 1 KiB get 20/s,
//! writes from 10 KiB on get 2/s; the curve between is not published and taken as a straight line. A larger write
//! simply costs more tokens of the same bucket, so a mix of sizes is limited as well: sustained rate `r` and capacity
//! `10·r` for each size.
use tokio::time::Instant;

use crate::error::ApiError;
use crate::limits::Buckets;
use crate::settings::Limits;
use crate::sid::Sid;

/// The burst window in seconds.
const BURST: f64 = 10.0;
const FULL_RATE_UP_TO: f64 = 1024.0;
const LOWEST_RATE_FROM: f64 = 10_240.0;
/// 2/s of 20/s.
const LOWEST_SHARE: f64 = 0.1;

/// What an operation is counted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cost {
    Read,
    /// With the size of the payload.
    Write(usize),
    Create,
    StreamMessage,
    Permission,
}

/// The buckets of a service.
#[derive(Debug)]
pub(crate) struct SyncLimits {
    reads: Buckets<Sid>,
    writes: Buckets<Sid>,
    creates: Buckets<()>,
    messages: Buckets<Sid>,
    permissions: Buckets<Sid>,
}

impl Default for SyncLimits {
    fn default() -> Self {
        Self {
            reads: Buckets::new(BURST),
            writes: Buckets::new(BURST),
            creates: Buckets::new(BURST),
            messages: Buckets::new(BURST),
            permissions: Buckets::new(BURST),
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
        let charged = match cost {
            Cost::Read => self.reads.take(object, limits.sync_reads, 1.0, now),
            Cost::Write(bytes) => self.writes.take(object, limits.sync_writes, 1.0 / share(bytes), now),
            Cost::Create => self.creates.take((), limits.sync_creates, 1.0, now),
            Cost::StreamMessage => self.messages.take(object, limits.stream_messages, 1.0, now),
            Cost::Permission => self.permissions.take(object, limits.permissions, 1.0, now),
        };
        charged.map(drop).map_err(|_| ApiError::too_fast(54009, "Rate limit exceeded"))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::sid::Kind;

    const MAP: Sid = Sid::fixed(Kind::Map, 1);

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
