//! The emulator's clock, which a test can move and a demo can speed up.
//!
//! Dates in answers and callbacks are wall time, because clients compare them with their own clock ("since local
//! midnight"). Two things can be bent: a test may move the clock forward, so that Tasks grow old and Sync objects
//! expire without waiting; and a speed-up factor lets a driven centre live faster, so that a demo shows a busy day in
//! minutes while its dates stay true.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

/// A shared clock; all clones show the same time.
#[derive(Debug, Clone)]
pub struct Clock(Arc<ClockInner>);

#[derive(Debug)]
struct ClockInner {
    /// Wall time at `start`. Counting on from an `Instant` keeps time from ever running backwards.
    origin_ms: i64,
    start: Instant,
    ahead_ms: AtomicI64,
    /// Notified whenever the clock is moved, to wake tasks that wait for a moment.
    moved: watch::Sender<()>,
    speed: f64,
}

impl Default for Clock {
    fn default() -> Self {
        Self::new(1.0)
    }
}

impl Clock {
    /// A clock at wall time; a driven centre lives `speed` times faster.
    pub fn new(speed: f64) -> Self {
        Self::starting_at(Timestamp::now(), speed)
    }

    pub fn starting_at(start: Timestamp, speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        Self(Arc::new(ClockInner {
            origin_ms: start.as_millisecond(),
            start: Instant::now(),
            ahead_ms: AtomicI64::new(0),
            moved: watch::Sender::new(()),
            speed,
        }))
    }

    pub fn now(&self) -> Timestamp {
        timestamp(self.now_ms())
    }

    /// Now, in milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        let elapsed = i64::try_from(self.0.start.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.0.origin_ms.saturating_add(elapsed).saturating_add(self.0.ahead_ms.load(Ordering::Acquire))
    }

    /// Moves the clock forward. Ages, windows and expiries move with it; rate limits do not.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.0.ahead_ms.fetch_add(by, Ordering::AcqRel);
        self.0.moved.send_replace(());
    }

    /// Waits until this moment, in milliseconds since 1970, however the clock gets there.
    pub(crate) async fn reached(&self, at_ms: i64) {
        let mut moved = self.0.moved.subscribe();
        while let Ok(left @ 1..) = u64::try_from(at_ms.saturating_sub(self.now_ms())) {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(left)) => {}
                // The sender lives in `self`, so this cannot fail.
                _ = moved.changed() => {}
            }
        }
    }

    pub fn speed(&self) -> f64 {
        self.0.speed
    }
}

/// Milliseconds since 1970 as a timestamp; out of range (never reached by a clock) is the epoch.
pub(crate) fn timestamp(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// ISO 8601 in UTC with second precision, as TaskRouter and Sync print dates.
pub(crate) fn iso(ms: i64) -> String {
    timestamp(ms).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// ISO 8601 in UTC with milliseconds, as Event Streams and Flex print dates.
pub(crate) fn iso_ms(ms: i64) -> String {
    timestamp(ms).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// RFC 2822 in UTC, as the 2010-04-01 API prints dates.
pub(crate) fn rfc2822(ms: i64) -> String {
    timestamp(ms).strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// A span in JSON as a whole number of milliseconds.
pub(crate) mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advancing_moves_now() {
        let clock = Clock::default();
        let before = clock.now_ms();
        clock.advance(Duration::from_secs(60));
        assert!(clock.now_ms() >= before + 60_000);
    }

    #[test]
    fn a_speed_that_makes_no_sense_is_lifes() {
        for (given, speed) in [(60.0, 60.0), (-1.0, 1.0), (0.0, 1.0), (f64::NAN, 1.0)] {
            assert!((Clock::new(given).speed() - speed).abs() < f64::EPSILON);
        }
    }

    #[test]
    fn prints_dates_as_twilio_does() {
        assert_eq!(iso(1_767_225_612_345), "2026-01-01T00:00:12Z");
        assert_eq!(iso_ms(1_767_225_612_345), "2026-01-01T00:00:12.345Z");
        assert_eq!(rfc2822(1_767_225_612_345), "Thu, 01 Jan 2026 00:00:12 +0000");
    }
}
