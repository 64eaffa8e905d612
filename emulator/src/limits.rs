//! Token buckets: so many requests per second, with some room for bursts.
//!
//! A bucket is pure: the moment is passed in. `Buckets` holds one for each limited thing and forgets those that are
//! full again, since a full bucket is the same as a new one.

use std::collections::HashMap;
use std::hash::Hash;

use tokio::time::Instant;

/// Buckets that may be held before full ones are thrown out.
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
    /// Buckets that hold so many seconds' worth of their rate.
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

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
