//! Keeps the writes to one Sync object within its budget. Pure.
//!
//! Twilio ("Sync Limits") allows 20 writes a second to an object over a window of 10 s, counted for a whole Map with all
//! its items; fewer from payloads of 1 KiB on, and 2 a second from 10 KiB. The curve in between is not published: we take
//! a straight line. Nor does Twilio say how it counts the window. So no ten seconds, wherever they begin, ever hold more
//! than 180 small writes: that is within a sliding window of 200, within fixed windows of 200, and within a bucket of 200
//! that refills by 20 a second.
//!
//! While the window has room, writes go at once. Only writes that no event names are spread out, since what they took at
//! once would be missing for the next ten seconds.

use std::collections::VecDeque;
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
/// The window over which Twilio counts writes.
const WINDOW: Duration = Duration::from_secs(10);
/// Small writes in a window: 90 % of Twilio's 200, for requests under way when it begins or ends.
const BUDGET: f64 = 180.0;
/// The least part of the window that is left to changes that an event names.
const RESERVE: f64 = 45.0;
/// Kept free for them beyond what their pace takes of a window: they come in bursts.
const RESERVE_FOR_BURSTS: f64 = 30.0;
/// How long their fastest pace counts, before it counts a little less.
const PEAK_LASTS: Duration = Duration::from_secs(5);
/// What events named in less time than this shows no pace.
const SHORTEST_PACE: Duration = Duration::from_secs(1);
/// When events have named nothing for this long, they pause, and what they took counts less: side effects that they left
/// behind would otherwise wait for a whole window.
const EVENTS_PAUSE: Duration = Duration::from_secs(1);
/// The share of the budget left to writes that no event names. It sets only their rate; `reserve` sets the room kept free.
const SHARE_OF_OTHERS: f64 = 1.0 - RESERVE / BUDGET;
/// Other writes go at once while no more of the window is spent, in small writes. From then on they are spread evenly over
/// it: what is spent in one moment comes back in one moment, and until then what events name would have to wait.
const EASY: f64 = 36.0;
/// What other writes may spend at once beyond that, in small writes.
const BURST_OF_OTHERS: f64 = 10.0;
/// What may be spent at once after a restart, in small writes: the window may be ours from before.
const AT_START: f64 = 60.0;
/// The part of `AT_START` that is reserved for changes that an event names.
const NAMED_AT_START: f64 = 20.0;
/// Steps in which what may have been spent before the start runs out.
const STEPS: u32 = 20;
/// A 429 that names no delay pauses the object for this long.
const UNNAMED_PAUSE: Duration = Duration::from_secs(1);
/// The smallest window that is learnt from 429s.
const LEAST_BUDGET: f64 = BUDGET / 20.0;
/// What the budget regains after each window without a 429.
const RECOVERY: f64 = BUDGET / 20.0;

#[derive(Debug)]
pub(super) struct Pacer {
    /// Spent in the last ten seconds, by when it counts from: a write from its end, since it may have arrived just before.
    spent: VecDeque<(Instant, f64)>,
    /// Requests under way; they stay in the window until it has passed after their end.
    under_way: f64,
    /// What events named in the window, by when it was taken, and the most that a window would lately have held at their pace.
    named: VecDeque<(Instant, f64)>,
    peak: (Instant, f64),
    /// Spreads writes that no event names.
    others: Bucket,
    /// What the first filling may spend at once, until the first window has passed, so that a small Map is filled at once.
    credit: f64,
    begun_at: Instant,
    /// How much of a window Twilio has been seen to allow.
    budget: f64,
    /// When that was learnt, or when it last grew again.
    learnt_at: Instant,
    /// Whether a write has landed since Twilio last said that there are too many.
    landed: bool,
    paused_until: Option<Instant>,
}

/// Why a target is to be written; what matters more comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// An event names it, and its content changed.
    Named,
    /// It changed as a side effect, such as a Worker's availability at all its TaskQueues, or was found by a timer.
    SideEffect,
    /// It has not been written since the start.
    Filling,
    /// Only an age in it moved on.
    Aged,
}

impl Urgency {
    pub(super) const ALL: [Self; 4] = [Self::Named, Self::SideEffect, Self::Filling, Self::Aged];
    /// Those of a changed value; [`Self::Aged`] comes after them.
    pub(super) const CHANGES: [Self; 3] = [Self::Named, Self::SideEffect, Self::Filling];

    pub(super) fn index(self) -> usize {
        self as usize
    }

    pub(super) fn is_named(self) -> bool {
        self == Self::Named
    }

    /// What it is called in `/metrics`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Named => "event",
            Self::SideEffect => "side_effect",
            Self::Filling => "first_filling",
            Self::Aged => "age",
        }
    }
}

impl Pacer {
    /// Of an object that a process before this one may have written until now.
    pub(super) fn new(now: Instant) -> Self {
        Self::with(AT_START, now)
    }

    /// Of an object that another replica may have written until `then`, at most as fast as this one would: however often
    /// replicas take turns, together they spend no more than one.
    pub(super) fn spent(then: Instant) -> Self {
        Self::with(0.0, then)
    }

    /// The rest of the window is taken to have been spent evenly.
    fn with(left: f64, then: Instant) -> Self {
        let step = (BUDGET - left) / f64::from(STEPS);
        let at = |n: u32| then.checked_sub(WINDOW.mul_f64(f64::from(n) / f64::from(STEPS))).unwrap_or(then);
        Self {
            spent: (0..STEPS).rev().map(|n| (at(n), step)).collect(),
            under_way: 0.0,
            named: VecDeque::new(),
            peak: (then, 0.0),
            others: Bucket::new(BURST_OF_OTHERS, rate_of_others(BUDGET), left, then),
            credit: (left - NAMED_AT_START).max(0.0),
            begun_at: then,
            budget: BUDGET,
            learnt_at: then,
            landed: true,
            paused_until: None,
        }
    }

    /// Takes the budget for one write of this size, which is then under way until [`ended`](Self::ended).
    pub(super) fn take(&mut self, bytes: usize, urgency: Urgency, now: Instant) -> bool {
        self.forget(now);
        if self.ready_at(bytes, urgency, now) > now {
            return false;
        }
        if urgency.is_named() {
            self.named.push_back((now, cost(bytes)));
            self.note_peak(now);
        } else {
            if self.has_credit(bytes, urgency, now) {
                self.credit -= cost(bytes);
            } else if !self.is_easy(bytes, now) {
                self.others.spend(cost(bytes), now);
            }
        }
        self.under_way += cost(bytes);
        true
    }

    /// When to try [`take`](Self::take) again, if nothing is taken before that. An estimate: for writes that no event
    /// names it uses the present reserve, which changes with time. `take` itself decides, so an early moment only means
    /// another wait.
    pub(super) fn ready_at(&self, bytes: usize, urgency: Urgency, now: Instant) -> Instant {
        let at_once = urgency.is_named() || self.has_credit(bytes, urgency, now);
        let budget = if at_once { self.budget } else { self.budget - self.reserve(now) };
        // A small window still takes one large write.
        let room = (budget - cost(bytes)).max(0.0);
        let mut ready = self.paused_until.map_or(now, |until| until.max(now));
        if !at_once && !self.is_easy(bytes, now) {
            ready = ready.max(self.others.ready_at(cost(bytes), 0.0, now));
        }
        let held = || self.spent.iter().filter(|(at, _)| *at + WINDOW > now);
        let mut over = held().map(|(_, cost)| cost).sum::<f64>() + self.under_way - room;
        for (at, cost) in held() {
            if over <= WHISKER {
                break;
            }
            over -= cost;
            ready = ready.max(*at + WINDOW);
        }
        // Requests under way keep their room until long after they end; that they have ended wakes the waiting writes.
        if over > WHISKER { ready.max(now + WINDOW) } else { ready }
    }

    /// A write of this size ended, after this many requests; none where there was nothing to write any more.
    pub(super) fn ended(&mut self, requests: u32, bytes: usize, now: Instant) {
        self.under_way = (self.under_way - cost(bytes)).max(0.0);
        let spent = cost(bytes) * f64::from(requests);
        if requests == 0 {
            return;
        }
        match self.spent.back_mut() {
            // Those of one moment share an entry.
            Some((at, sum)) if *at == now => *sum += spent,
            _ => self.spent.push_back((now, spent)),
        }
        self.forget(now);
    }

    /// The share of the budget that is left, from 0 to 1.
    pub(super) fn headroom(&self, now: Instant) -> f64 {
        (1.0 - self.used(now) / self.budget).clamp(0.0, 1.0)
    }

    /// Writes of this size that the budget comes to, a second.
    pub(super) fn writes_a_second(&self, bytes: usize) -> f64 {
        writes_a_second(bytes) * self.budget / BUDGET
    }

    pub(super) fn landed(&mut self, now: Instant) {
        self.landed = true;
        let windows = now.saturating_duration_since(self.learnt_at).as_secs() / WINDOW.as_secs();
        if self.budget < BUDGET && windows > 0 {
            let windows = u32::try_from(windows).unwrap_or(u32::MAX);
            self.learn((self.budget + f64::from(windows) * RECOVERY).min(BUDGET), now);
        }
    }

    /// Twilio said that this object is written too often: the window is smaller than what is in it now, be it that others
    /// write the object too.
    pub(super) fn throttled(&mut self, retry_after: Option<Duration>, now: Instant) {
        // Writes in flight together are refused together; they are one piece of news. So is a time in which everything is
        // refused: that we write too much can be said only of a time at which something lands.
        if std::mem::take(&mut self.landed) {
            let learnt = 0.9 * self.used(now);
            self.learn(learnt.clamp(0.5 * self.budget, 0.9 * self.budget).max(LEAST_BUDGET), now);
        }
        let pause = now + retry_after.unwrap_or(UNNAMED_PAUSE);
        self.paused_until = self.paused_until.max(Some(pause));
    }

    fn learn(&mut self, budget: f64, now: Instant) {
        self.budget = budget;
        self.learnt_at = now;
        self.others.set_rate(rate_of_others(budget), now);
    }

    fn used(&self, now: Instant) -> f64 {
        let held = self.spent.iter().filter(|(at, _)| *at + WINDOW > now);
        held.map(|(_, cost)| cost).sum::<f64>() + self.under_way
    }

    /// What other writes leave of the window to those that events name: what is missing to as much as these take of one at
    /// their fastest pace lately, and some more; less once they pause.
    fn reserve(&self, now: Instant) -> f64 {
        let (at, peak) = self.peak;
        let old = now.saturating_duration_since(at).as_secs_f64() / PEAK_LASTS.as_secs_f64();
        let newest = self.named.back().map_or(self.begun_at, |(at, _)| *at);
        let quiet = now.saturating_duration_since(newest).as_secs_f64() / EVENTS_PAUSE.as_secs_f64();
        let lately = peak * (2.0 - old).clamp(0.0, 1.0) * (2.0 - quiet).clamp(0.0, 1.0);
        let to_come = lately + RESERVE_FOR_BURSTS - self.named_in_window(now);
        to_come.max(RESERVE) * self.budget / BUDGET
    }

    fn named_in_window(&self, now: Instant) -> f64 {
        self.named.iter().filter(|(at, _)| *at + WINDOW > now).map(|(_, cost)| cost).sum()
    }

    /// What events named in the window; where they began within it, as much as the whole window would hold at their pace.
    fn named_a_window(&self, now: Instant) -> f64 {
        let Some((first, _)) = self.named.iter().find(|(at, _)| *at + WINDOW > now) else { return 0.0 };
        let span = now.saturating_duration_since(*first).max(SHORTEST_PACE).min(WINDOW);
        (self.named_in_window(now) * WINDOW.as_secs_f64() / span.as_secs_f64()).min(BUDGET)
    }

    fn note_peak(&mut self, now: Instant) {
        let in_window = self.named_a_window(now);
        let (at, peak) = self.peak;
        if in_window >= peak || now.saturating_duration_since(at) >= PEAK_LASTS {
            self.peak = (now, in_window);
        }
    }

    fn has_credit(&self, bytes: usize, urgency: Urgency, now: Instant) -> bool {
        urgency == Urgency::Filling && self.credit >= cost(bytes) && now < self.begun_at + WINDOW
    }

    fn is_easy(&self, bytes: usize, now: Instant) -> bool {
        self.used(now) + cost(bytes) <= EASY * self.budget / BUDGET
    }

    fn forget(&mut self, now: Instant) {
        while self.spent.front().is_some_and(|(at, _)| *at + WINDOW <= now) {
            self.spent.pop_front();
        }
        while self.named.front().is_some_and(|(at, _)| *at + WINDOW <= now) {
            self.named.pop_front();
        }
        if self.named.is_empty() {
            self.named = VecDeque::new();
        }
        if self.spent.is_empty() {
            // Thousands of objects are written once and then rest.
            self.spent = VecDeque::new();
        }
    }
}

/// Writes that no event names, in small writes a second.
fn rate_of_others(budget: f64) -> f64 {
    budget * SHARE_OF_OTHERS / WINDOW.as_secs_f64()
}

/// Less than this is nothing, as sums of costs are rounded.
const WHISKER: f64 = 1e-6;

/// Writes of this size that a whole budget comes to, a second.
pub(super) fn writes_a_second(bytes: usize) -> f64 {
    BUDGET / WINDOW.as_secs_f64() / cost(bytes)
}

pub(super) fn cost(bytes: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "payloads end at 16 KiB")]
    let share = ((bytes as f64 - SMALL) / (LARGE - SMALL)).clamp(0.0, 1.0);
    RATE / (RATE + (RATE_OF_LARGE - RATE) * share)
}

#[cfg(test)]
#[path = "pacer_tests.rs"]
mod tests;
