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

    proptest! {
        #[test]
        fn never_gives_more_than_its_rate_allows(waits in prop::collection::vec(0..300_u64, 1..200)) {
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
