//! Rate limits in two readings of "N a second, with a burst window": a token bucket, and a sliding window.
//!
//! Both are pure: the moment is passed in. `Buckets` and `Windows` hold one for each limited thing and forget those that
//! are full (or empty) again, since such a one is the same as a new one.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

/// Buckets or windows that may be held before unused ones are thrown out.
const SWEEP_AT: usize = 4096;

/// Tokens left, and when that was so.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    level: f64,
    at: Instant,
}

/// Buckets by key, all of one rate and capacity.
#[derive(Debug, Clone)]
pub(crate) struct Buckets<K> {
    buckets: HashMap<K, Bucket>,
    /// Seconds' worth of tokens that a bucket holds.
    burst: f64,
}

impl<K: Hash + Eq> Buckets<K> {
    /// Token buckets with a burst of this many seconds of their rate.
    pub(crate) fn new(burst: f64) -> Self {
        Self { buckets: HashMap::new(), burst }
    }

    /// Takes `cost` tokens from a bucket that refills at `rate` per second: `Ok` with what is left, or `Err` with the
    /// seconds until it would work. Without a rate there is no limit.
    pub(crate) fn take(&mut self, key: K, rate: Option<f64>, cost: f64, now: Instant) -> Result<f64, f64> {
        let Some(rate) = rate else { return Ok(f64::INFINITY) };
        let capacity = (rate * self.burst).max(1.0);
        if self.buckets.len() >= SWEEP_AT {
            self.buckets.retain(|_, bucket| bucket.at_level(rate, capacity, now) < capacity);
        }
        let bucket = self.buckets.entry(key).or_insert(Bucket { level: capacity, at: now });
        bucket.level = bucket.at_level(rate, capacity, now);
        bucket.at = now;
        // A single request that costs more than the bucket holds must get through when it is full.
        let cost = cost.min(capacity);
        if bucket.level + 1e-9 < cost {
            return Err((cost - bucket.level) / rate);
        }
        bucket.level -= cost;
        Ok(bucket.level)
    }
}

impl Bucket {
    fn at_level(&self, rate: f64, capacity: f64, now: Instant) -> f64 {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        (self.level + elapsed * rate).min(capacity)
    }
}

/// Sliding windows by key: at most `rate` times the window's length in any such stretch of time.
#[derive(Debug, Clone)]
pub(crate) struct Windows<K> {
    windows: HashMap<K, SpentWindow>,
    length: Duration,
}

/// What was spent within the last `length`, oldest first. Every entry costs 1 or more, so there are at most as many as
/// the window allows.
#[derive(Debug, Clone, Default)]
struct SpentWindow {
    spent: VecDeque<(Instant, f64)>,
    sum: f64,
}

impl<K: Hash + Eq> Windows<K> {
    pub(crate) fn new(length: Duration) -> Self {
        Self { windows: HashMap::new(), length }
    }

    /// Spends `cost` (1 or more): `Ok` with what is left in the window, or `Err` with the seconds until it would work.
    /// A refused request spends nothing. Without a rate there is no limit.
    pub(crate) fn take(&mut self, key: K, rate: Option<f64>, cost: f64, now: Instant) -> Result<f64, f64> {
        let Some(rate) = rate else { return Ok(f64::INFINITY) };
        let capacity = (rate * self.length.as_secs_f64()).max(1.0);
        let length = self.length;
        if self.windows.len() >= SWEEP_AT {
            self.windows.retain(|_, window| {
                window.forget(length, now);
                !window.spent.is_empty()
            });
        }
        let window = self.windows.entry(key).or_default();
        window.forget(length, now);
        // A single request that costs more than the window allows must get through when it is empty.
        let cost = cost.clamp(1.0, capacity);
        if window.sum + cost > capacity + 1e-9 {
            return Err(window.wait(window.sum + cost - capacity, length, now));
        }
        window.spent.push_back((now, cost));
        window.sum += cost;
        Ok(capacity - window.sum)
    }
}

impl SpentWindow {
    fn forget(&mut self, length: Duration, now: Instant) {
        while let Some((at, cost)) = self.spent.front().copied()
            && now.saturating_duration_since(at) >= length
        {
            self.spent.pop_front();
            // Sums of fractions drift; an empty window has spent nothing.
            self.sum = if self.spent.is_empty() { 0.0 } else { self.sum - cost };
        }
    }

    /// Seconds until this much has left the window.
    fn wait(&self, mut surplus: f64, length: Duration, now: Instant) -> f64 {
        let mut last = now;
        for (at, cost) in &self.spent {
            last = *at;
            surplus -= cost;
            if surplus <= 1e-9 {
                break;
            }
        }
        (last + length).saturating_duration_since(now).as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_allows_its_sum_in_any_stretch_of_its_length() {
        let start = Instant::now();
        let mut windows = Windows::new(Duration::from_secs(10));
        let mut take = |after_ms: u64, cost: f64| {
            windows.take("map", Some(20.0), cost, start + Duration::from_millis(after_ms)).is_ok()
        };
        assert!((0..150).all(|_| take(0, 1.0)));
        assert!((0..50).all(|_| take(6_000, 1.0)));
        assert!(!take(6_000, 1.0) && !take(9_999, 1.0), "200 were spent within ten seconds");
        // A bucket would have refilled 200 by now.
        let spent = std::iter::repeat_with(|| take(10_000, 2.0)).take_while(|ok| *ok).count();
        assert_eq!(spent, 75, "only what was spent at the start has left the window");
        assert!(!take(15_999, 1.0) && take(16_000, 1.0));
    }

    #[test]
    fn a_window_says_how_long_to_wait() {
        let start = Instant::now();
        let mut windows = Windows::new(Duration::from_secs(10));
        for after in [0, 1, 2] {
            assert!(windows.take("map", Some(1.0), 3.0, start + Duration::from_secs(after)).is_ok());
        }
        let wait = windows.take("map", Some(1.0), 5.0, start + Duration::from_secs(3)).unwrap_err();
        assert!((wait - 8.0).abs() < 1e-6, "{wait}: the first two have to leave");
        assert!(windows.take("other", Some(1.0), 99.0, start).is_ok(), "alone, it gets through");
    }

    #[test]
    fn allows_a_burst_and_then_the_rate() {
        let start = Instant::now();
        let mut buckets = Buckets::new(10.0);
        let mut taken = 0;
        while buckets.take("map", Some(20.0), 1.0, start).is_ok() {
            taken += 1;
        }
        assert_eq!(taken, 200);
        let later = start + Duration::from_millis(100);
        assert!(buckets.take("map", Some(20.0), 1.0, later).is_ok());
        assert!(buckets.take("map", Some(20.0), 1.0, later).is_ok());
        let wait = buckets.take("map", Some(20.0), 1.0, later).unwrap_err();
        assert!((wait - 0.05).abs() < 1e-6, "{wait}");
    }

    #[test]
    fn objects_do_not_share_and_no_rate_is_no_limit() {
        let now = Instant::now();
        let mut buckets = Buckets::new(1.0);
        assert!(buckets.take("a", Some(1.0), 1.0, now).is_ok());
        assert!(buckets.take("a", Some(1.0), 1.0, now).is_err());
        assert!(buckets.take("b", Some(1.0), 1.0, now).is_ok());
        assert!((0..1000).all(|_| buckets.take("a", None, 1.0, now).is_ok()));
    }

    #[test]
    fn a_refused_request_costs_nothing() {
        let start = Instant::now();
        let mut buckets = Buckets::new(1.0);
        assert!(buckets.take("a", Some(2.0), 2.0, start).is_ok());
        for _ in 0..100 {
            assert!(buckets.take("a", Some(2.0), 1.0, start).is_err());
        }
        assert!(buckets.take("a", Some(2.0), 1.0, start + Duration::from_millis(500)).is_ok());
    }
}
