//! Plans settling reads after an event, because statistics may lag behind it. Pure.
//!
//! Twilio says that real-time statistics can lag by some seconds and names no bound. So what an event touched is read
//! again: as long as no lag has shown, twice within the window, on one grid, so that all TaskQueues that settle share bulk
//! calls; once a lag has shown, from the moment at which it is expected to be over, in short steps that grow longer.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// How long a lag that was seen is expected to recur.
const LAG_MEMORY: Duration = Duration::from_secs(600);
/// After this many events in a row with no late change the lag is over.
const EVENTS_WITHOUT_LAG: u32 = 10;
/// Beyond the lag seen so far, how much longer the steps go on.
const MARGIN: Duration = Duration::from_secs(1);
/// A lag is measured at the next read after it ended, and never believed to be longer than this.
const LONGEST_LAG: Duration = Duration::from_secs(15);
/// Lags that are remembered, so that the shortest and the longest of them are looked after.
const LAGS_KEPT: usize = 8;
/// The shortest step between two looks after one event.
const CLOSE_STEP: Duration = Duration::from_millis(100);

/// The memory of lags, and the steps that follow from it.
#[derive(Debug)]
pub struct Lags {
    step: Duration,
    window: Duration,
    origin: Instant,
    lag: Option<Lag>,
    without_lag: u32,
}

/// A lag as it was seen.
#[derive(Debug)]
struct Lag {
    seen: Instant,
    /// How it was found, at reads that may lie far apart.
    first: Between,
    recent: VecDeque<Between>,
}

/// An event's age when a read did not show its change yet, and when one did.
#[derive(Debug, Clone, Copy)]
struct Between {
    missed: Duration,
    shown: Duration,
}

/// When to read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The moment of the read.
    pub at: Instant,
    /// Whether the read is for one TaskQueue, whose change is expected then; other reads share a grid.
    pub closely: bool,
}

impl Lag {
    fn each(&self) -> impl Iterator<Item = &Between> {
        self.recent.iter().chain(self.recent.is_empty().then_some(&self.first))
    }

    /// A quarter of them may have been shorter: a change may be taken for that of another event, and looks after all others
    /// would be in vain.
    fn shortest(&self) -> Duration {
        let mut missed: Vec<Duration> = self.each().map(|lag| lag.missed).collect();
        missed.sort_unstable();
        missed.get(missed.len() / 4).copied().unwrap_or_default()
    }

    fn longest(&self) -> Duration {
        self.each().map(|lag| lag.shown).max().unwrap_or_default()
    }
}

impl Lags {
    /// Steps of `step` for a time of `window`; a window of zero switches settling off.
    pub fn new(step: Duration, window: Duration, origin: Instant) -> Self {
        Self { step, window, origin, lag: None, without_lag: 0 }
    }

    /// Takes note that a read begun at `started` showed a change late: that of an event which was so old at the last
    /// read that did not show it, and at this one.
    pub fn learn(&mut self, missed: Duration, shown: Duration, started: Instant) {
        if self.window.is_zero() {
            return;
        }
        let between = Between { missed: missed.min(shown), shown: shown.min(LONGEST_LAG) };
        self.without_lag = 0;
        match self.lag.as_mut().filter(|lag| started.saturating_duration_since(lag.seen) < LAG_MEMORY) {
            None => self.lag = Some(Lag { seen: started, first: between, recent: VecDeque::new() }),
            Some(lag) => {
                // What the first of several looks shows may have been there for a while: the next one comes a step earlier. Not
                // at the read before it, of the event's arrival, or the looks after a few events would use up the budget of all.
                let first_look = lag.shortest() + CLOSE_STEP / 2;
                let earlier = lag.shortest().min(shown).saturating_sub(CLOSE_STEP);
                let missed = if shown <= first_look { between.missed.max(earlier) } else { between.missed };
                lag.seen = started;
                lag.recent.push_back(Between { missed, ..between });
                if lag.recent.len() > LAGS_KEPT {
                    lag.recent.pop_front();
                }
            }
        }
    }

    /// What an event touched has been looked after to the end, and no late change showed.
    pub fn rested(&mut self) {
        self.without_lag = self.without_lag.saturating_add(1);
        if self.without_lag >= EVENTS_WITHOUT_LAG {
            self.lag = None;
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

    /// When to read again the TaskQueue that an event at `touched` named and a read begun at `started` has shown;
    /// `None` when it may rest.
    pub fn after_named(&self, touched: Instant, started: Instant) -> Option<Look> {
        let Some(lag) = self.lag_at(started) else { return self.after_any(touched, started) };
        if self.window.is_zero() {
            return None;
        }
        let age = started.saturating_duration_since(touched);
        if age >= self.window.max(lag.longest() + MARGIN) {
            return None;
        }
        let shortest = lag.shortest().max(CLOSE_STEP / 2);
        let overdue = age.saturating_sub(lag.longest());
        let next = if age < shortest { shortest } else { age + CLOSE_STEP + overdue / 2 };
        Some(Look { at: touched + next, closely: true })
    }

    /// The same for what touched every TaskQueue: reading them all in small steps would cost too much.
    pub fn after_any(&self, touched: Instant, started: Instant) -> Option<Look> {
        if self.window.is_zero() {
            return None;
        }
        let looks = [self.window / 3, self.window].map(|after| self.on_grid(touched + after));
        let at = looks.into_iter().find(|look| *look > started)?;
        Some(Look { at, closely: false })
    }

    pub fn expects_lag(&self, now: Instant) -> bool {
        self.lag_at(now).is_some()
    }

    fn expected(&self, now: Instant) -> Duration {
        self.lag_at(now).map_or(Duration::ZERO, Lag::longest)
    }

    fn lag_at(&self, now: Instant) -> Option<&Lag> {
        self.lag.as_ref().filter(|lag| now.saturating_duration_since(lag.seen) < LAG_MEMORY)
    }

    /// The first moment after this one at which many TaskQueues are looked at together.
    pub fn next_shared(&self, now: Instant) -> Instant {
        // Skip a tick less than a quarter of a step away: a read has just begun. Skipping more would delay a change that
        // shows right after a timer's read by nearly two steps.
        self.on_grid(now + self.step / 4)
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

    fn looks(next: impl Fn(Instant) -> Option<Look>, touched: Instant) -> Vec<Duration> {
        let mut looks = Vec::new();
        let mut at = touched;
        while let Some(next) = next(at) {
            assert!(next.at > at, "time must move on");
            looks.push(next.at - touched);
            at = next.at;
        }
        looks
    }

    fn named(lags: &Lags, touched: Instant) -> Vec<Duration> {
        looks(|at| lags.after_named(touched, at), touched)
    }

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn without_a_lag_it_looks_twice() {
        let now = Instant::now();
        let lags = Lags::new(STEP, WINDOW, now);
        assert_eq!(named(&lags, now).len(), 2);
        assert!(*named(&lags, now).last().unwrap() >= WINDOW);
    }

    #[test]
    fn a_lag_once_seen_is_awaited_in_short_steps_until_forgotten() {
        let now = Instant::now();
        let mut lags = Lags::new(STEP, WINDOW, now);
        assert!(!lags.is_late(now, now + ms(5), SPACING), "that was the first read");
        assert!(lags.is_late(now, now + ms(3_000), SPACING));
        lags.learn(ms(2_500), ms(3_000), now + ms(3_000));
        let later = now + Duration::from_secs(60);
        let seen = named(&lags, later);
        assert_eq!(seen[..3], [ms(2_500), ms(2_600), ms(2_700)], "no look before it can show");
        assert!(*seen.last().unwrap() >= ms(4_000) && seen.len() < 12, "{seen:?}");
        let all = looks(|at| lags.after_any(later, at), later);
        assert_eq!(all.len(), 2, "but not for every queue at once");
        assert_eq!(named(&lags, now + LAG_MEMORY * 2).len(), 2);
    }

    #[test]
    fn looks_close_in_on_a_lag_that_stays_the_same() {
        let now = Instant::now();
        let mut lags = Lags::new(STEP, WINDOW, now);
        lags.learn(ms(1_000), ms(3_100), now);
        let mut event = now + Duration::from_secs(10);
        for round in 0..20 {
            // Requests take a little more or less time.
            let lag = ms([2_000, 1_985, 2_010][round % 3]);
            // The read at the event's arrival missed it.
            let mut missed = ms(5);
            let taken = named(&lags, event).into_iter().take_while(|age| {
                let shows = *age >= lag;
                missed = if shows { missed } else { *age };
                !shows
            });
            let looks = taken.count();
            let shown = named(&lags, event)[looks];
            assert!(
                round < 1 || looks <= 3 && shown < lag + CLOSE_STEP + CLOSE_STEP / 2,
                "{round}: {shown:?}"
            );
            lags.learn(missed, shown, event + shown);
            event += Duration::from_secs(10);
        }
    }

    #[test]
    fn of_lags_that_differ_the_shortest_is_looked_for() {
        let now = Instant::now();
        let mut lags = Lags::new(STEP, WINDOW, now);
        lags.learn(ms(1_000), ms(3_100), now);
        for (missed, shown) in [(1_900, 2_000), (600, 700), (2_900, 3_000)] {
            lags.learn(ms(missed), ms(shown), now);
        }
        let seen = named(&lags, now);
        assert_eq!(seen[0], ms(600));
        assert!(*seen.last().unwrap() >= ms(4_000));
    }

    #[test]
    fn a_lag_is_over_when_several_events_have_shown_none() {
        let now = Instant::now();
        let mut lags = Lags::new(STEP, WINDOW, now);
        for _ in 0..2 {
            lags.learn(ms(1_500), ms(2_000), now + ms(2_000));
            (1..EVENTS_WITHOUT_LAG).for_each(|_| lags.rested());
            assert!(lags.expects_lag(now + ms(3_000)));
        }
        lags.rested();
        assert!(!lags.expects_lag(now + ms(3_000)));
    }

    #[test]
    fn a_change_long_after_an_event_is_no_lag() {
        let now = Instant::now();
        let lags = Lags::new(STEP, WINDOW, now);
        assert!(!lags.is_late(now, now + Duration::from_secs(30), SPACING));
    }

    #[test]
    fn looks_without_a_lag_share_one_grid() {
        let now = Instant::now();
        let lags = Lags::new(STEP, WINDOW, now);
        for touched in [3, 77, 399, 401].map(|millis| now + ms(millis)) {
            let look = lags.after_named(touched, touched).unwrap();
            assert_eq!((look.at - now).as_millis() % STEP.as_millis(), 0);
        }
    }

    #[test]
    fn a_window_of_zero_switches_it_off() {
        let now = Instant::now();
        let mut lags = Lags::new(STEP, Duration::ZERO, now);
        lags.learn(ms(1_000), ms(2_000), now);
        assert_eq!(lags.after_named(now, now), None);
        assert_eq!(lags.after_any(now, now), None);
    }
}
