//! A token bucket, with the clock passed in: a burst, then a rate.

use std::time::Duration;

use tokio::time::Instant;

/// Tolerance: without it, rounding would wake a waiter just too early, again and again.
const TOLERANCE: f64 = 1e-6;

#[derive(Debug, Clone)]
pub struct Bucket {
    capacity: f64,
    per_second: f64,
    level: f64,
    at: Instant,
}

impl Bucket {
    /// A bucket that holds `level` of its `capacity`.
    pub fn new(capacity: f64, per_second: f64, level: f64, now: Instant) -> Self {
        Self { capacity, per_second, level: level.min(capacity), at: now }
    }

    pub fn level(&self, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        (self.level + passed * self.per_second).min(self.capacity)
    }

    /// Takes `cost`, if the level stays at or above `reserve`.
    pub fn take(&mut self, cost: f64, reserve: f64, now: Instant) -> bool {
        self.refill(now);
        let enough = self.level + TOLERANCE >= cost + reserve;
        if enough {
            self.level -= cost;
        }
        enough
    }

    /// Takes `cost` even where that leaves a debt, for what has been spent already.
    pub fn spend(&mut self, cost: f64, now: Instant) {
        self.refill(now);
        self.level -= cost;
    }

    /// When [`take`](Self::take) will succeed.
    pub fn ready_at(&self, cost: f64, reserve: f64, now: Instant) -> Instant {
        let missing = cost.min(self.capacity - reserve) + reserve - self.level(now);
        if missing <= TOLERANCE { now } else { now + Duration::from_secs_f64(missing / self.per_second) }
    }

    pub fn set_rate(&mut self, per_second: f64, now: Instant) {
        self.refill(now);
        self.per_second = per_second;
    }

    pub fn drain(&mut self, now: Instant) {
        self.refill(now);
        self.level = self.level.min(0.0);
    }

    fn refill(&mut self, now: Instant) {
        self.level = self.level(now);
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn gives_its_burst_at_once_and_then_one_for_each_of_its_rate() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut bucket = Bucket::new(5.0, 10.0, 9.0, start);
        assert_eq!((0..9).filter(|_| bucket.take(1.0, 0.0, start)).count(), 5, "no more than it holds");
        assert!(!bucket.take(1.0, 0.0, at(99)) && bucket.take(1.0, 0.0, at(100)));
        assert!(!bucket.take(1.0, 2.0, at(399)) && bucket.take(1.0, 2.0, at(400)), "it leaves the reserve");
        assert!((bucket.level(at(10_000)) - 5.0).abs() < TOLERANCE);
    }

    #[test]
    fn says_when_and_never_of_more_than_it_holds() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut bucket = Bucket::new(5.0, 10.0, 5.0, start);
        assert_eq!(bucket.ready_at(5.0, 0.0, start), start);
        assert_eq!(bucket.ready_at(9.0, 2.0, start), start, "full is all that can be waited for");
        bucket.spend(7.0, start);
        assert_eq!(bucket.ready_at(1.0, 2.0, start), at(500));
        bucket.set_rate(5.0, at(100));
        assert_eq!(
            bucket.ready_at(1.0, 0.0, at(100)),
            at(500),
            "a debt of one is left, and the rate is half"
        );
        bucket.drain(at(100));
        assert_eq!(bucket.ready_at(1.0, 0.0, at(100)), at(500), "a debt stays");
        bucket.drain(at(2_000));
        assert_eq!(bucket.ready_at(1.0, 0.0, at(2_000)), at(2_200), "and all else goes");
    }

    proptest! {
        #[test]
        fn never_gives_more_than_its_rate_allows(waits in prop::collection::vec(0..120_u64, 1..200)) {
            let start = Instant::now();
            let mut bucket = Bucket::new(5.0, 10.0, 5.0, start);
            let mut now = start;
            let mut taken = 0.0;
            for wait in waits {
                now += Duration::from_millis(wait);
                if bucket.take(1.0, 0.0, now) {
                    taken += 1.0;
                }
                prop_assert!(taken <= 5.0 + 10.0 * (now - start).as_secs_f64() + 1e-3);
            }
        }

        #[test]
        fn is_ready_when_it_says(cost in 0.1..4.0_f64, reserve in 0.0..1.0_f64, level in -3.0..5.0_f64) {
            let now = Instant::now();
            let mut bucket = Bucket::new(5.0, 10.0, level, now);
            let at = bucket.ready_at(cost, reserve, now);
            prop_assert!(bucket.take(cost, reserve, at));
        }
    }
}
