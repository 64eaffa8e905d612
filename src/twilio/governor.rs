//! Keeps us below Twilio's limits: asked before each call, told about each answer.
//!
//! One governor an API. It pauses all calls after a 429 (bulk calls alone after a bulk call's, whose limit is its own
//! and may be shared with another service of the account), spreads out those of an endpoint whose answers say that
//! little of its allowance is left, and spaces the endpoints whose limit Twilio publishes. It is pure: the clock is
//! passed in, the client does the waiting.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

/// Bulk real-time statistics: 5 requests a second (Twilio, "TaskQueue Statistics").
pub(super) const BULK_PER_WINDOW: usize = 5;
/// Counted from a call's answer to the next call in its place: whatever delays either on its way, a second lies between
/// their arrivals. A little more, because clocks differ.
const BULK_WINDOW: Duration = Duration::from_millis(1_020);
/// While all places are taken by calls under way, it is unknown when one will be free.
const BULK_AGAIN: Duration = Duration::from_millis(25);
/// From this share of the allowance downwards calls are spread out.
const SCARCE: f64 = 0.2;
/// Spacing between calls of an endpoint when nothing is left of its allowance.
const WIDEST_SPACING: Duration = Duration::from_secs(1);
/// Twilio limits concurrent requests of the whole account; third parties say at 100, Twilio names no number. From
/// here on we leave room for the account's other clients.
pub(super) const BUSY_ACCOUNT: u32 = 80;
/// Spacing between calls while the account is busy.
const BUSY_SPACING: Duration = Duration::from_millis(100);
/// A 429 pauses all calls of the API for this long, and twice as long when the next try is refused too, if it names no
/// longer delay.
const UNNAMED_PAUSE: Duration = Duration::from_millis(500);
/// The longest of these pauses; short enough that all is well within seconds of the storm's end.
const LONGEST_UNNAMED_PAUSE: Duration = Duration::from_secs(2);
/// While one call tries whether calls are taken again, the others ask for its outcome this often.
const PROBE_AGAIN: Duration = Duration::from_millis(50);
/// The longest pause that one answer can cause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The state of one API's limits, as far as its answers tell.
#[derive(Debug, Default)]
pub struct Governor {
    all: Pause,
    bulk: Pause,
    /// The account has many requests under way.
    busy: bool,
    last_call: Option<Instant>,
    /// Endpoints of whose allowance little is left: each has one of its own (Twilio: "allowed requests for that method").
    scarce: BTreeMap<Box<str>, Scarce>,
    bulk_under_way: usize,
    /// When the last ones were answered.
    bulk_ended: VecDeque<Instant>,
}

/// Calls rest after a 429.
#[derive(Debug, Default)]
struct Pause {
    until: Option<Instant>,
    /// Pauses in a row with nothing but refusals between them.
    refusals: u32,
    /// After a refusal one call goes first; this one is under way.
    probing: bool,
}

#[derive(Debug, Default)]
struct Scarce {
    spacing: Duration,
    last_call: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// Bulk real-time statistics, with their published limit.
    Bulk,
    /// A list of statistics, whose entries can be read in other ways as well.
    List,
    Other,
}

/// What an answer said about limits.
#[derive(Debug, Clone, Copy, Default)]
pub struct Observed {
    /// Whether it was a 429.
    pub throttled: bool,
    /// `Retry-After`.
    pub retry_after: Option<Duration>,
    /// `X-Rate-Limit-Limit`, where it is a number (its form is not documented).
    pub limit: Option<u32>,
    /// `X-Rate-Limit-Remaining`.
    pub remaining: Option<u32>,
    /// `Twilio-Concurrent-Requests`: how many requests of the account are under way.
    pub concurrent: Option<u32>,
}

impl Governor {
    /// For an API that another process has called until this moment: their last bulk calls may fill the window.
    pub fn after_another(now: Instant) -> Self {
        Self { bulk_ended: VecDeque::from([now; BULK_PER_WINDOW]), ..Self::default() }
    }

    /// Takes a place for a call of an endpoint with this name, or says when to ask again.
    pub fn admit(&mut self, endpoint: Endpoint, name: &str, now: Instant) -> Result<(), Instant> {
        let busy = self.last_call.filter(|_| self.busy).map(|last| last + BUSY_SPACING);
        let scarce = self.scarce.get(name).and_then(|scarce| Some(scarce.last_call? + scarce.spacing));
        let bulk = endpoint == Endpoint::Bulk;
        let window = bulk.then(|| self.bulk_free_at(now)).flatten();
        let bulk_pause = self.bulk.until.filter(|_| bulk);
        let earliest = [self.all.until, bulk_pause, busy, scarce, window].into_iter().flatten().max();
        if let Some(earliest) = earliest.filter(|earliest| *earliest > now) {
            return Err(earliest);
        }
        if self.all.is_probed() || bulk && self.bulk.is_probed() {
            return Err(now + PROBE_AGAIN);
        }
        self.all.probe();
        if bulk {
            self.bulk.probe();
        }
        self.last_call = Some(now);
        if let Some(scarce) = self.scarce.get_mut(name) {
            scarce.last_call = Some(now);
        }
        if endpoint == Endpoint::Bulk {
            self.bulk_under_way += 1;
        }
        Ok(())
    }

    /// A call that was admitted was answered, or has failed.
    pub fn ended(&mut self, endpoint: Endpoint, now: Instant) {
        self.all.probing = false;
        if endpoint == Endpoint::Bulk {
            self.bulk.probing = false;
            self.bulk_under_way = self.bulk_under_way.saturating_sub(1);
            self.bulk_ended.push_back(now);
            if self.bulk_ended.len() > BULK_PER_WINDOW {
                self.bulk_ended.pop_front();
            }
        }
    }

    fn bulk_free_at(&self, now: Instant) -> Option<Instant> {
        let held = self.bulk_ended.iter().filter(|ended| **ended + BULK_WINDOW > now);
        let taken = self.bulk_under_way + held.clone().count();
        (taken >= BULK_PER_WINDOW).then(|| {
            held.min().map_or(now + BULK_AGAIN, |first| (*first + BULK_WINDOW).min(now + BULK_WINDOW))
        })
    }

    pub fn observe(&mut self, endpoint: Endpoint, name: &str, observed: Observed, now: Instant) {
        let bulk = endpoint == Endpoint::Bulk;
        if observed.throttled {
            let pause = if bulk { &mut self.bulk } else { &mut self.all };
            pause.refused(observed.retry_after, now);
        } else {
            self.all.refusals = 0;
            if bulk {
                self.bulk.refusals = 0;
            }
        }
        self.busy = observed.concurrent.is_some_and(|count| count >= BUSY_ACCOUNT);
        let spacing = match (observed.remaining, observed.limit) {
            // Its five places show as an allowance too, and nothing left of that is what using it comes to.
            _ if bulk => Duration::ZERO,
            (Some(remaining), Some(limit)) if limit > 0 => {
                let share = f64::from(remaining) / f64::from(limit);
                WIDEST_SPACING.mul_f64((1.0 - share / SCARCE).clamp(0.0, 1.0))
            }
            _ => Duration::ZERO,
        };
        if spacing.is_zero() {
            self.scarce.remove(name);
        } else {
            self.scarce.entry(name.into()).or_default().spacing = spacing;
        }
    }
}

impl Pause {
    fn is_probed(&self) -> bool {
        self.refusals > 0 && self.probing
    }

    fn probe(&mut self) {
        self.probing = self.refusals > 0;
    }

    fn refused(&mut self, retry_after: Option<Duration>, now: Instant) {
        // Calls under way together are refused together; they are one piece of news. Where one of them was taken in
        // between, what it forgot is news again.
        if self.refusals == 0 || self.until.is_none_or(|until| until <= now) {
            self.refusals = self.refusals.saturating_add(1);
        }
        let doubled = UNNAMED_PAUSE.saturating_mul(1 << (self.refusals - 1).min(8));
        let asked = retry_after.unwrap_or_default().min(LONGEST_PAUSE);
        self.until = self.until.max(Some(now + doubled.min(LONGEST_UNNAMED_PAUSE).max(asked)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: &str = "GET /v1/Workspaces/{}/Statistics";

    #[test]
    fn a_new_leader_waits_until_the_window_is_over() {
        let now = Instant::now();
        let mut governor = Governor::after_another(now);
        assert_eq!(wait(&mut governor, Endpoint::Other, now), Duration::ZERO);
        assert_eq!(wait(&mut governor, Endpoint::Bulk, now), BULK_WINDOW);
        let later = now + BULK_WINDOW;
        for _ in 0..BULK_PER_WINDOW {
            assert_eq!(wait(&mut governor, Endpoint::Bulk, later), Duration::ZERO);
        }
        assert_ne!(wait(&mut governor, Endpoint::Bulk, later), Duration::ZERO);
    }

    fn wait(governor: &mut Governor, endpoint: Endpoint, now: Instant) -> Duration {
        governor.admit(endpoint, ANY, now).err().map_or(Duration::ZERO, |until| until - now)
    }

    #[test]
    fn never_more_than_five_bulk_calls_in_any_second() {
        let mut governor = Governor::default();
        let start = Instant::now();
        let mut now = start;
        let mut admitted = Vec::new();
        while now < start + Duration::from_secs(20) {
            match governor.admit(Endpoint::Bulk, ANY, now) {
                Ok(()) => {
                    admitted.push(now);
                    now += Duration::from_millis(10);
                    governor.ended(Endpoint::Bulk, now);
                }
                Err(until) => now = until,
            }
        }
        assert!(admitted.windows(6).all(|six| six[5] - six[0] > Duration::from_secs(1)));
        assert!(admitted.len() > 80, "and uses what is allowed: {}", admitted.len());
        assert_eq!(wait(&mut governor, Endpoint::Other, now), Duration::ZERO, "others are not held up");
    }

    #[test]
    fn a_bulk_call_keeps_its_place_until_a_second_after_its_answer() {
        let mut governor = Governor::default();
        let mut now = Instant::now();
        (0..BULK_PER_WINDOW).for_each(|_| assert!(governor.admit(Endpoint::Bulk, ANY, now).is_ok()));
        // However long they are on their way, they may only just have arrived.
        now += Duration::from_secs(5);
        assert!(governor.admit(Endpoint::Bulk, ANY, now).is_err());
        governor.ended(Endpoint::Bulk, now);
        assert_eq!(wait(&mut governor, Endpoint::Bulk, now), BULK_WINDOW);
        assert!(governor.admit(Endpoint::Bulk, ANY, now + BULK_WINDOW).is_ok());
    }

    #[test]
    fn a_429_pauses_everything_for_as_long_as_asked() {
        let mut governor = Governor::default();
        let now = Instant::now();
        let throttled = Observed { throttled: true, ..Observed::default() };
        governor.observe(Endpoint::Other, ANY, throttled, now);
        assert_eq!(wait(&mut governor, Endpoint::Other, now), UNNAMED_PAUSE);
        let asked = Observed { retry_after: Some(Duration::from_secs(7)), ..throttled };
        governor.observe(Endpoint::Other, ANY, asked, now);
        governor.observe(Endpoint::Other, ANY, throttled, now);
        assert_eq!(wait(&mut governor, Endpoint::Other, now), Duration::from_secs(7));
    }

    #[test]
    fn a_429_on_a_bulk_call_pauses_bulk_calls_alone() {
        let mut governor = Governor::default();
        let now = Instant::now();
        let throttled = Observed { throttled: true, ..Observed::default() };
        governor.observe(Endpoint::Bulk, "POST b", throttled, now);
        assert_eq!(wait(&mut governor, Endpoint::Other, now), Duration::ZERO);
        assert_eq!(wait(&mut governor, Endpoint::List, now), Duration::ZERO);
        assert_eq!(governor.admit(Endpoint::Bulk, "POST b", now), Err(now + UNNAMED_PAUSE));
        let over = now + UNNAMED_PAUSE;
        assert_eq!(governor.admit(Endpoint::Bulk, "POST b", over), Ok(()), "one tries");
        assert_eq!(governor.admit(Endpoint::Bulk, "POST b", over), Err(over + PROBE_AGAIN));
        assert_eq!(wait(&mut governor, Endpoint::Other, over), Duration::ZERO, "which holds up no other");
    }

    #[test]
    fn of_calls_under_way_together_one_may_be_taken_between_two_that_are_refused() {
        let mut governor = Governor::default();
        let now = Instant::now();
        let at = |millis| now + Duration::from_millis(millis);
        let throttled = Observed { throttled: true, ..Observed::default() };
        for (millis, observed) in [(0, throttled), (10, Observed::default()), (20, throttled)] {
            governor.observe(Endpoint::Other, ANY, observed, at(millis));
        }
        assert_eq!(wait(&mut governor, Endpoint::Other, at(20)), UNNAMED_PAUSE, "as after the first");
        let over = at(20) + UNNAMED_PAUSE;
        assert_eq!(governor.admit(Endpoint::Other, ANY, over), Ok(()), "which tries whether calls are taken");
        assert_eq!(governor.admit(Endpoint::Other, ANY, over), Err(over + PROBE_AGAIN));
    }

    #[test]
    fn a_storm_of_429_is_probed_by_single_calls() {
        let mut governor = Governor::default();
        let start = Instant::now();
        let (mut now, mut calls) = (start, 0);
        while now < start + Duration::from_secs(30) {
            // Twelve ask at once; each is answered 20 ms later.
            let admitted = (0..12).filter(|_| governor.admit(Endpoint::Other, ANY, now).is_ok()).count();
            calls += admitted;
            now += Duration::from_millis(20);
            for _ in 0..admitted {
                governor.observe(
                    Endpoint::Other,
                    ANY,
                    Observed { throttled: true, ..Observed::default() },
                    now,
                );
                governor.ended(Endpoint::Other, now);
            }
        }
        assert!((12..40).contains(&calls), "{calls} in 30 s");
        now += LONGEST_UNNAMED_PAUSE;
        assert!(
            governor.admit(Endpoint::Other, ANY, now).is_ok()
                && governor.admit(Endpoint::Other, ANY, now).is_err()
        );
        governor.observe(Endpoint::Other, ANY, Observed::default(), now);
        governor.ended(Endpoint::Other, now);
        assert!((0..12).all(|_| governor.admit(Endpoint::Other, ANY, now).is_ok()), "and then all go");
    }

    #[test]
    fn slows_down_before_the_allowance_is_gone() {
        let now = Instant::now();
        let spacing = |remaining| {
            let mut governor = Governor::default();
            let observed = Observed { limit: Some(100), remaining: Some(remaining), ..Observed::default() };
            governor.observe(Endpoint::Other, ANY, observed, now);
            assert!(governor.admit(Endpoint::Other, ANY, now).is_ok());
            wait(&mut governor, Endpoint::Other, now)
        };
        assert_eq!(spacing(50), Duration::ZERO);
        assert_eq!(spacing(10), Duration::from_millis(500));
        assert_eq!(spacing(0), WIDEST_SPACING);
    }

    #[test]
    fn one_endpoints_allowance_is_nothing_to_the_others() {
        let now = Instant::now();
        let mut governor = Governor::default();
        let nothing_left = Observed { limit: Some(5), remaining: Some(0), ..Observed::default() };
        governor.observe(Endpoint::Other, "GET a", nothing_left, now);
        governor.observe(Endpoint::Bulk, "POST b", nothing_left, now);
        for _ in 0..5 {
            assert_eq!(governor.admit(Endpoint::Other, ANY, now), Ok(()));
            assert_eq!(governor.admit(Endpoint::Bulk, "POST b", now), Ok(()), "bulk calls have a window");
        }
        assert_eq!(governor.admit(Endpoint::Other, "GET a", now), Ok(()));
        assert_eq!(governor.admit(Endpoint::Other, "GET a", now), Err(now + WIDEST_SPACING));
        let enough = Observed { remaining: Some(5), ..nothing_left };
        governor.observe(Endpoint::Other, "GET a", enough, now);
        assert_eq!(governor.admit(Endpoint::Other, "GET a", now), Ok(()));
    }

    #[test]
    fn leaves_room_in_a_busy_account() {
        let mut governor = Governor::default();
        let now = Instant::now();
        governor.observe(Endpoint::Other, ANY, Observed { concurrent: Some(90), ..Observed::default() }, now);
        assert!(governor.admit(Endpoint::Other, ANY, now).is_ok());
        assert_eq!(wait(&mut governor, Endpoint::Other, now), BUSY_SPACING);
    }
}
