//! Keeps the writes to one Sync object within its budget. Pure.
//!
//! Twilio ("Sync Limits") allows 20 writes a second to an object over a window of 10 s, counted for a whole Map with all
//! its items; fewer from payloads of 1 KiB on, and 2 a second from 10 KiB. The curve in between is not published: we
//! take a straight line. The pacer spends a little less than that, learns from a 429 that the real budget is smaller,
//! and finds its way back carefully.

use std::time::Duration;

use tokio::time::Instant;

use crate::bucket::Bucket;

/// Writes a second to one object with small payloads.
const RATE: f64 = 20.0;
/// Writes a second with payloads of [`LARGE`] and more.
const RATE_OF_LARGE: f64 = 2.0;
/// Up to here a payload is small, in bytes.
const SMALL: f64 = 1024.0;
/// From here on it is large, in bytes.
const LARGE: f64 = 10.0 * 1024.0;
/// The share of the documented rate that we spend: the edge of a window is Twilio's clock's, not ours.
const SHARE: f64 = 0.9;
/// What may be spent at once, in small writes. Half of the window's 200, since another process, or ourselves before a
/// restart, may have spent the rest.
const BURST: f64 = 100.0;
/// What there is at the start, in small writes: the window may be ours from before a restart.
const AT_START: f64 = 60.0;
/// Part of the burst that writes of mere ages leave for real changes.
const RESERVE: f64 = 25.0;
/// A 429 that names no delay pauses the object for this long.
const UNNAMED_PAUSE: Duration = Duration::from_secs(1);
/// The slowest we become.
const SLOWEST: f64 = 0.05;
/// With each write that lands the rate recovers by this much of the whole.
const RECOVERY: f64 = 0.01;

/// The budget of one object.
#[derive(Debug)]
pub(super) struct Pacer {
    bucket: Bucket,
    /// The share of the expected rate that Twilio has been seen to allow.
    allowed: f64,
    /// Whether a write has landed since Twilio last said that there are too many.
    landed: bool,
    paused_until: Option<Instant>,
}

/// How much a write matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Something changed.
    Changed,
    /// Only an age moved on; takes what the others leave.
    Aged,
}

impl Pacer {
    pub(super) fn new(now: Instant) -> Self {
        Self::with(AT_START, now)
    }

    /// Of an object that somebody else may have written until `then`, at most as fast as we would: however often those who
    /// write take turns, together they spend no more than one.
    pub(super) fn spent(then: Instant) -> Self {
        Self::with(0.0, then)
    }

    fn with(level: f64, then: Instant) -> Self {
        let bucket = Bucket::new(BURST, RATE * SHARE, level, then);
        Self { bucket, allowed: 1.0, landed: true, paused_until: None }
    }

    /// Takes the budget for one write of this size.
    pub(super) fn take(&mut self, bytes: usize, class: Class, now: Instant) -> bool {
        self.paused_until.is_none_or(|until| until <= now)
            && self.bucket.take(cost(bytes), reserve(class), now)
    }

    /// When [`take`](Self::take) will succeed.
    pub(super) fn ready_at(&self, bytes: usize, class: Class, now: Instant) -> Instant {
        let budget = self.bucket.ready_at(cost(bytes), reserve(class), now);
        budget.max(self.paused_until.unwrap_or(budget))
    }

    /// The share of the budget that is left, from 0 to 1.
    pub(super) fn headroom(&self, now: Instant) -> f64 {
        (self.bucket.level(now) / BURST).clamp(0.0, 1.0)
    }

    /// Pays for requests beyond the first that one write turned out to need.
    pub(super) fn spend(&mut self, requests: u32, bytes: usize, now: Instant) {
        self.bucket.spend(f64::from(requests) * cost(bytes), now);
    }

    /// A write landed.
    pub(super) fn landed(&mut self, now: Instant) {
        self.landed = true;
        if self.allowed < 1.0 {
            self.allow((self.allowed + RECOVERY).min(1.0), now);
        }
    }

    /// Twilio said that this object is written too often.
    pub(super) fn throttled(&mut self, retry_after: Option<Duration>, now: Instant) {
        // Writes in flight together are refused together; they are one piece of news. So is a time in which everything is
        // refused: that our rate is too high can be said only of one at which something lands.
        if std::mem::take(&mut self.landed) {
            self.allow((self.allowed * 0.5).max(SLOWEST), now);
        }
        let pause = now + retry_after.unwrap_or(UNNAMED_PAUSE);
        self.paused_until = self.paused_until.max(Some(pause));
        // Nothing is saved up during the pause, or it would end in a burst.
        self.bucket.drain(self.paused_until.unwrap_or(pause));
    }

    fn allow(&mut self, allowed: f64, now: Instant) {
        self.allowed = allowed;
        self.bucket.set_rate(RATE * SHARE * allowed, now);
    }
}

fn reserve(class: Class) -> f64 {
    match class {
        Class::Changed => 0.0,
        Class::Aged => RESERVE,
    }
}

/// What a write costs, in small writes.
fn cost(bytes: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "payloads end at 16 KiB")]
    let share = ((bytes as f64 - SMALL) / (LARGE - SMALL)).clamp(0.0, 1.0);
    RATE / (RATE + (RATE_OF_LARGE - RATE) * share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Writes that go out within `seconds` when there is always one more to write.
    fn writes(pacer: &mut Pacer, bytes: usize, class: Class, start: Instant, seconds: u64) -> u32 {
        let mut now = start;
        let mut count = 0;
        while now < start + Duration::from_secs(seconds) {
            if pacer.take(bytes, class, now) {
                count += 1;
            } else {
                let ready = pacer.ready_at(bytes, class, now);
                assert!(ready > now, "would spin");
                now = ready;
            }
        }
        count
    }

    #[test]
    fn the_budget_follows_the_payload() {
        let rate = |bytes| {
            let start = Instant::now();
            let mut pacer = Pacer::new(start);
            writes(&mut pacer, bytes, Class::Changed, start, 30);
            f64::from(writes(&mut pacer, bytes, Class::Changed, start + Duration::from_secs(30), 100)) / 100.0
        };
        assert!((17.0..=20.0).contains(&rate(500)), "{}", rate(500));
        assert!((1.7..=2.0).contains(&rate(12_000)), "{}", rate(12_000));
        assert!((9.0..=11.0).contains(&rate(5_632)), "{}", rate(5_632));
    }

    #[test]
    fn ages_leave_room_for_changes() {
        let start = Instant::now();
        let mut pacer = Pacer::new(start);
        writes(&mut pacer, 500, Class::Aged, start, 60);
        let now = start + Duration::from_secs(60);
        let mut at_once = 0;
        while pacer.take(500, Class::Changed, now) {
            at_once += 1;
        }
        assert!(at_once >= 24, "{at_once}");
    }

    #[test]
    fn a_429_slows_it_down_and_it_recovers() {
        let start = Instant::now();
        let mut pacer = Pacer::new(start);
        for _ in 0..5 {
            pacer.throttled(None, start);
        }
        assert!(!pacer.take(100, Class::Changed, start));
        assert_eq!(
            pacer.ready_at(100, Class::Changed, start),
            start + UNNAMED_PAUSE,
            "paused and then paced"
        );
        assert!((pacer.allowed - 0.5).abs() < 1e-9, "five refusals at once are one");
        pacer.throttled(Some(Duration::from_secs(9)), start);
        assert!(pacer.ready_at(100, Class::Changed, start) >= start + Duration::from_secs(9));
        for _ in 0..50 {
            pacer.landed(start);
        }
        assert!((pacer.allowed - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_storm_of_429_leaves_a_rate_to_recover_with() {
        let start = Instant::now();
        let mut pacer = Pacer::new(start);
        for second in 0..30 {
            pacer.throttled(None, start + Duration::from_secs(second));
        }
        let after = start + Duration::from_secs(30);
        assert!((pacer.allowed - 0.5).abs() < 1e-9);
        assert!(writes(&mut pacer, 500, Class::Changed, after, 4) >= 30);
        // Where some land and some are refused, the rate is what is wrong.
        for second in 40..60 {
            pacer.landed(start + Duration::from_secs(second));
            pacer.throttled(None, start + Duration::from_secs(second));
        }
        assert!((pacer.allowed - SLOWEST).abs() < 1e-9);
    }

    proptest! {
        /// Whoever takes over begins with nothing, so that turns of any length stay within the budget.
        #[test]
        fn taking_turns_spends_no_more_than_one_would(turns in prop::collection::vec(0..8_000_u64, 1..12)) {
            let start = Instant::now();
            let mut limit = Bucket::new(200.0, 20.0, 200.0, start);
            let (mut pacer, mut now) = (Pacer::new(start), start);
            for turn in turns {
                let end = now + Duration::from_millis(turn);
                while now < end {
                    if pacer.take(500, Class::Changed, now) {
                        prop_assert!(limit.take(cost(500), 0.0, now));
                    } else {
                        now = pacer.ready_at(500, Class::Changed, now);
                    }
                }
                pacer = Pacer::spent(now);
            }
        }

        /// Twilio's limit as the facts give it: rate 20 with a window of 10 s, here as a bucket of 200.
        #[test]
        fn never_over_the_documented_budget(sizes in prop::collection::vec(1..16_384_usize, 1..300)) {
            let start = Instant::now();
            let mut pacer = Pacer::new(start);
            let mut limit = Bucket::new(200.0, 20.0, 200.0, start);
            let mut now = start;
            for bytes in sizes {
                while !pacer.take(bytes, Class::Changed, now) {
                    now = pacer.ready_at(bytes, Class::Changed, now);
                }
                prop_assert!(limit.take(cost(bytes), 0.0, now));
            }
        }
    }
}
