//! When to look again after an event, because statistics may lag behind it. Pure.
//!
//! Twilio says that real-time statistics can lag by some seconds and names no bound. So what an event touched is read
//! again: twice within the window as long as no lag has shown, and in small steps once one has, for as long as the lag
//! was seen to be. All settling reads fall on one grid, so that they share bulk calls however many TaskQueues settle.

use std::time::Duration;

use tokio::time::Instant;

/// How long a lag that was seen once is expected to come again.
const LAG_MEMORY: Duration = Duration::from_secs(600);
/// After this many events in a row with no late change the lag is over.
const EVENTS_WITHOUT_LAG: u32 = 5;
/// Beyond the lag seen so far, how much longer the small steps go on.
const MARGIN: Duration = Duration::from_secs(1);
/// A lag is measured at the next read after it ended, and never believed to be longer than this.
const LONGEST_LAG: Duration = Duration::from_secs(15);

/// The memory of lags, and the steps that follow from it.
#[derive(Debug)]
pub struct Settle {
    step: Duration,
    window: Duration,
    origin: Instant,
    lag: Duration,
    lag_seen: Option<Instant>,
    without_lag: u32,
}

impl Settle {
    /// Steps of `step` for a time of `window`; a window of zero switches settling off.
    pub fn new(step: Duration, window: Duration, origin: Instant) -> Self {
        Self { step, window, origin, lag: Duration::ZERO, lag_seen: None, without_lag: 0 }
    }

    /// Takes note that a read begun at `started` showed a change late, which belongs to an event at `touched`.
    pub fn learn(&mut self, touched: Instant, started: Instant) {
        if !self.window.is_zero() {
            let behind = started.saturating_duration_since(touched);
            self.lag = self.lag.mul_f64(0.9).max(behind).min(LONGEST_LAG);
            self.lag_seen = Some(started);
            self.without_lag = 0;
        }
    }

    /// What an event touched has been looked after to the end, and no late change showed.
    pub fn rested(&mut self) {
        self.without_lag = self.without_lag.saturating_add(1);
        if self.without_lag >= EVENTS_WITHOUT_LAG {
            self.lag_seen = None;
            self.lag = Duration::ZERO;
        }
    }

    /// How long after an event its change shows at the latest, as far as one knows.
    pub fn shows_within(&self, now: Instant) -> Duration {
        self.window.max(self.expected(now) + MARGIN)
    }

    /// Whether a change that a read begun at `started` showed would be late for an event at `touched`.
    pub fn is_late(&self, touched: Instant, started: Instant, spacing: Duration) -> bool {
        let behind = started.saturating_duration_since(touched);
        // The first read after an event starts within the spacing; a change long after is another event's.
        behind > spacing && behind <= (self.window + MARGIN).max(self.expected(started) + MARGIN)
    }

    /// When to read again what an event touched at `touched` and a read begun at `started` has shown; `None` when it
    /// may rest. With `broad` every TaskQueue was touched, and reading them all in small steps would cost too much.
    pub fn next(&self, touched: Instant, started: Instant, broad: bool) -> Option<Instant> {
        if self.window.is_zero() {
            return None;
        }
        let expected = self.expected(started);
        if expected > Duration::ZERO && !broad {
            let end = touched + self.window.max(expected + MARGIN);
            // A tick less than a quarter of a step away is left out, since a read began just now. With more than that, what
            // shows right after a timer's read would wait for nearly two steps.
            return (started < end).then(|| self.on_grid(started + self.step / 4));
        }
        let looks = [self.window / 3, self.window].map(|after| self.on_grid(touched + after));
        looks.into_iter().find(|look| *look > started)
    }

    pub fn expects_lag(&self, now: Instant) -> bool {
        self.expected(now) > Duration::ZERO
    }

    fn expected(&self, now: Instant) -> Duration {
        let recent = self.lag_seen.is_some_and(|seen| now.saturating_duration_since(seen) < LAG_MEMORY);
        if recent { self.lag } else { Duration::ZERO }
    }

    /// The first moment of the grid at or after `moment`.
    fn on_grid(&self, moment: Instant) -> Instant {
        let since = moment.saturating_duration_since(self.origin).as_millis();
        let step = self.step.as_millis().max(1);
        let ticks = u64::try_from(since.div_ceil(step) * step).unwrap_or(u64::MAX);
        self.origin + Duration::from_millis(ticks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_millis(400);
    const WINDOW: Duration = Duration::from_secs(3);
    const SPACING: Duration = Duration::from_millis(250);

    fn looks(settle: &Settle, touched: Instant, broad: bool) -> Vec<Duration> {
        let mut looks = Vec::new();
        let mut at = touched;
        while let Some(next) = settle.next(touched, at, broad) {
            assert!(next > at, "time must move on");
            looks.push(next - touched);
            at = next;
        }
        looks
    }

    #[test]
    fn without_a_lag_it_looks_twice() {
        let now = Instant::now();
        let settle = Settle::new(STEP, WINDOW, now);
        assert_eq!(looks(&settle, now, false).len(), 2);
        assert!(*looks(&settle, now, false).last().unwrap() >= WINDOW);
    }

    #[test]
    fn a_lag_once_seen_is_awaited_in_small_steps_until_forgotten() {
        let now = Instant::now();
        let mut settle = Settle::new(STEP, WINDOW, now);
        assert!(!settle.is_late(now, now + Duration::from_millis(5), SPACING), "that was the first read");
        assert!(settle.is_late(now, now + Duration::from_secs(3), SPACING));
        settle.learn(now, now + Duration::from_secs(3));
        let later = now + Duration::from_secs(60);
        let seen = looks(&settle, later, false);
        assert!(seen.windows(2).all(|pair| pair[1] - pair[0] <= STEP));
        assert!(*seen.last().unwrap() >= Duration::from_secs(4), "{seen:?}");
        assert_eq!(looks(&settle, later, true).len(), 2, "but not for every queue at once");
        assert_eq!(looks(&settle, now + LAG_MEMORY * 2, false).len(), 2);
    }

    #[test]
    fn a_lag_is_over_when_several_events_have_shown_none() {
        let now = Instant::now();
        let mut settle = Settle::new(STEP, WINDOW, now);
        for _ in 0..2 {
            settle.learn(now, now + Duration::from_secs(2));
            (1..EVENTS_WITHOUT_LAG).for_each(|_| settle.rested());
            assert!(settle.expects_lag(now + Duration::from_secs(3)));
        }
        settle.rested();
        assert!(!settle.expects_lag(now + Duration::from_secs(3)));
    }

    #[test]
    fn a_change_long_after_an_event_is_no_lag() {
        let now = Instant::now();
        let settle = Settle::new(STEP, WINDOW, now);
        assert!(!settle.is_late(now, now + Duration::from_secs(30), SPACING));
    }

    #[test]
    fn all_looks_share_one_grid() {
        let now = Instant::now();
        let settle = Settle::new(STEP, WINDOW, now);
        for touched in [3, 77, 399, 401].map(|ms| now + Duration::from_millis(ms)) {
            let look = settle.next(touched, touched, false).unwrap();
            assert_eq!((look - now).as_millis() % STEP.as_millis(), 0);
        }
    }

    #[test]
    fn a_window_of_zero_switches_it_off() {
        let now = Instant::now();
        let settle = Settle::new(STEP, Duration::ZERO, now);
        assert_eq!(settle.next(now, now, false), None);
    }
}
