//! How long to wait before asking again: exponential, jittered, capped, and never shorter than the server asked.

use std::time::Duration;

/// A server's `Retry-After` counts up to here; a longer one is a mistake or an outage page.
const LONGEST_SERVER_DELAY: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// The longest delay before the first retry.
    pub first: Duration,
    pub longest: Duration,
}

impl Backoff {
    /// The delay before retry number `retry` (from 0). `jitter` is a random number from 0 to 1: the delay lies between
    /// half of the exponential step and the whole, so that clients that failed together do not return together.
    pub fn delay(&self, retry: u32, server_asked: Option<Duration>, jitter: f64) -> Duration {
        let step = self.first.saturating_mul(1_u32 << retry.min(20)).min(self.longest);
        let own = step.mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0));
        own.max(server_asked.unwrap_or_default().min(LONGEST_SERVER_DELAY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn stays_within_its_window(retry in 0..1000_u32, jitter in 0.0..=1.0_f64, asked in 0..10_000_u64) {
            let backoff = Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(5) };
            let plain = backoff.delay(retry, None, jitter);
            prop_assert!(plain >= Duration::from_millis(50));
            prop_assert!(plain <= backoff.longest);
            let asked = Duration::from_secs(asked);
            let with_server = backoff.delay(retry, Some(asked), jitter);
            prop_assert!(with_server >= plain.max(asked.min(LONGEST_SERVER_DELAY)));
            prop_assert!(with_server <= LONGEST_SERVER_DELAY.max(plain));
        }

        #[test]
        fn grows_until_the_cap(retry in 0..30_u32) {
            let backoff = Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(5) };
            prop_assert!(backoff.delay(retry + 1, None, 0.5) >= backoff.delay(retry, None, 0.5));
        }
    }
}
