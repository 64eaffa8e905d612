//! When each read is due. Pure: the clock is passed in, the worker around it waits and reads.
//!
//! Every [`Key`] has a timer of its own and, where an event touched it, an earlier moment. A key that is being read
//! because of an event and is touched again is read exactly once more right afterwards. Events are debounced by key: a
//! few reads go at once, and from then on one in each spacing. A read for an event does not wait for a sweep of the
//! timers, or a list read for other keys, that is under way. A key whose read failed comes back with a growing delay,
//! whatever events say meanwhile, so that a service in trouble is not hammered.

mod late;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::key::{Key, Offers, PARTS, Part};
use super::lag::Lags;
use super::slot::Slot;
use super::slots::{Due, Slots};
use crate::bucket::Bucket;
use crate::config::RefreshConfig;
use crate::event::{Invalidation, Queues, Trace};
use crate::sid::TaskQueueSid;
use crate::stats::{Needs, Scope};
use crate::twilio::retry::Backoff;
use crate::twilio::taskrouter::MOST_IN_BULK;
use late::{EVENT_UNDER_WAY, Suspect};

/// Calls for events that may start at once, and each second from then on. Events that come faster share their calls.
const CALLS_IN_A_ROW: f64 = 30.0;
const CALLS_PER_SECOND: f64 = 60.0;
/// Bulk calls a second that settling reads may take: half of what Twilio allows.
const LOOKS_PER_SECOND: f64 = 2.5;
/// Looks after single TaskQueues that may start at once, and each second from then on; further ones share bulk calls. A
/// look takes a call over all channels and one for each channel that the event touched.
const CLOSE_LOOKS_IN_A_ROW: f64 = 15.0;
const CLOSE_LOOKS_PER_SECOND: f64 = 15.0;
/// An event is marked within this time of its arrival.
const MARKED: Duration = Duration::from_millis(50);
/// Least time between reads of one key for events that touch every TaskQueue: they take one list a channel each, and
/// a centre with many agents changes Activities all the time.
const BROAD_SPACING: Duration = Duration::from_secs(1);
/// Calls a second that timers may spend on single TaskQueues at most, where an account offers no other way. Such reads
/// are spread over the interval, and stretch it when there are more.
const SINGLES_PER_SECOND: f64 = 20.0;
/// A failing key is tried again at least this often, so that all is well within seconds of Twilio's return.
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(500), longest: Duration::from_secs(3) };

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// An event, a requested refresh, or a settling read.
    Touched,
    Timer,
}

impl Cause {
    /// The label of this cause where reads are counted.
    pub fn name(self) -> &'static str {
        match self {
            Self::Touched => "event",
            Self::Timer => "timer",
        }
    }
}

/// When every key was read and is to be read.
#[derive(Debug)]
pub struct Schedule {
    rhythm: RefreshConfig,
    needs: Needs,
    channels: Vec<String>,
    queues: Arc<[TaskQueueSid]>,
    slots: Slots,
    lags: Lags,
    /// Late changes that may still turn out to be those of an event under way.
    suspects: BTreeMap<Key, Suspect>,
    launches: Bucket,
    looks: Bucket,
    close_looks: Bucket,
    /// When what touched every TaskQueue is read; all of one second share that.
    broad_at: Option<Instant>,
    singles: Bucket,
}

impl Schedule {
    /// Everything is due at once.
    pub fn new(rhythm: RefreshConfig, needs: Needs, channels: &[String], now: Instant) -> Self {
        let mut schedule = Self {
            rhythm,
            needs,
            channels: channels.to_vec(),
            queues: Arc::default(),
            slots: Slots::new(if needs.queues { settles_beside_queues } else { settles_alone }),
            lags: Lags::new(rhythm.settle_step, rhythm.settle_window, now),
            suspects: BTreeMap::new(),
            launches: Bucket::new(CALLS_IN_A_ROW, CALLS_PER_SECOND, CALLS_IN_A_ROW, now),
            looks: Bucket::new(1.0, LOOKS_PER_SECOND, 1.0, now),
            close_looks: Bucket::new(CLOSE_LOOKS_IN_A_ROW, CLOSE_LOOKS_PER_SECOND, CLOSE_LOOKS_IN_A_ROW, now),
            broad_at: None,
            singles: Bucket::new(SINGLES_PER_SECOND, SINGLES_PER_SECOND, SINGLES_PER_SECOND, now),
        };
        let workspace = PARTS.map(Key::Workspace).into_iter().filter(|_| needs.workspace);
        let others =
            [(Key::Directory, needs.queues), (Key::LastHour, needs.last_hour), (Key::Tasks, needs.tasks)];
        let others = others.into_iter().filter_map(|(key, needed)| needed.then_some(key));
        schedule.slots.add(workspace.chain(others), now);
        schedule
    }

    /// Takes over the directory: new TaskQueues are due at once, those that are gone are forgotten.
    pub fn set_queues(&mut self, queues: &BTreeSet<TaskQueueSid>, now: Instant) {
        if !self.needs.queues {
            return;
        }
        let there = |key: &Key| match key {
            Key::Queue(queue, _, _) => queues.contains(queue),
            _ => true,
        };
        self.slots.retain(there);
        self.suspects.retain(|key, _| there(key));
        self.queues = queues.iter().copied().collect();
        let channels = self.channels.len();
        let keys = queues.iter().flat_map(|queue| {
            Scope::each(channels).flat_map(|scope| PARTS.map(|part| Key::Queue(*queue, scope, part)))
        });
        self.slots.add(keys, now);
    }

    /// Further TaskChannels, due at once for each of these TaskQueues.
    pub fn add_channels(
        &mut self,
        channels: impl Iterator<Item = String>,
        queues: &BTreeSet<TaskQueueSid>,
        now: Instant,
    ) {
        self.channels.extend(channels);
        self.set_queues(queues, now);
    }

    /// Marks what an event made stale.
    pub fn touch(&mut self, touch: &Invalidation, now: Instant) {
        let broad = touch.queues == Queues::All;
        let (spacing, broad_at) = (self.rhythm.spacing, broad.then(|| self.broad_at(now)));
        let parts = PARTS.into_iter().filter(|part| *part == Part::Realtime || touch.counters);
        let others = [
            (Key::Directory, touch.directory),
            (Key::LastHour, touch.workspace && touch.counters),
            (Key::Tasks, touch.tasks),
        ];
        let others = others.into_iter().filter_map(|(key, hit)| hit.then_some(key));
        let workspace = parts.clone().filter(|_| touch.workspace).map(Key::Workspace);
        let scopes = self.scopes(touch.channel.as_deref());
        let lag_expected = self.lags.expects_lag(now);
        // Events of Workers alone explain no change of Tasks.
        let explains = |key: &Key| match (key, &touch.queues) {
            (Key::Queue(queue, ..), Queues::Some(named)) => named.contains(queue),
            (Key::Queue(..), Queues::None) => false,
            (_, Queues::All) => touch.counters,
            _ => touch.workspace,
        };
        self.suspects.retain(|key, _| !explains(key));
        let event = touch.event.map(|event| if broad { event.of_all() } else { event });
        let alone = !self.needs.queues;
        let mark = |key: Key, slot: &mut Slot| {
            slot.touch(now, broad_at, spacing);
            if !broad && settles(key, alone) {
                slot.awaited.event(now);
            }
            // What was read since an event came shows it, unless statistics lag; else the first of many events would seem
            // to wait for ever.
            let shown = slot.last_shown.filter(|_| !lag_expected);
            let waits = slot.event.and_then(|event| shown.map_or(Some(event), |shown| event.since(shown)));
            slot.event = Trace::join(waits, event);
        };
        if let Queues::All = touch.queues {
            self.slots.change_all(|key, slot| {
                let hit = |scope, part| scopes.contains(&scope) && (part == Part::Realtime || touch.counters);
                if matches!(key, Key::Queue(_, scope, part) if hit(scope, part)) {
                    mark(key, slot);
                }
            });
        }
        // Events come in numbers, and most name their TaskQueue: those must not cost a walk through all.
        let named = if let Queues::Some(queues) = &touch.queues { &queues[..] } else { &[] };
        let of_named = named.iter().flat_map(|queue| {
            let parts = &parts;
            scopes.iter().flat_map(|scope| parts.clone().map(|part| Key::Queue(*queue, *scope, part)))
        });
        for key in others.chain(workspace).chain(of_named) {
            self.slots.change(key, |slot| mark(key, slot));
        }
        // A TaskQueue that we have not heard of: the directory is behind.
        if let Queues::Some(queues) = &touch.queues {
            let known =
                |queue: &TaskQueueSid| self.slots.contains(&Key::Queue(*queue, Scope::ALL, Part::Realtime));
            if !queues.iter().all(known) {
                self.touch_key(Key::Directory, now);
            }
        }
    }

    /// In which scopes something shows that happened on a channel (`None`: any).
    fn scopes(&self, channel: Option<&str>) -> Vec<Scope> {
        let Some(channel) = channel else { return Scope::each(self.channels.len()).collect() };
        let its_own = self.channels.iter().position(|name| name == channel).map(Scope::channel);
        std::iter::once(Scope::ALL).chain(its_own).collect()
    }

    /// Marks one key, for a reason other than an event.
    pub fn touch_key(&mut self, key: Key, now: Instant) {
        let spacing = self.rhythm.spacing;
        self.slots.change(key, |slot| {
            slot.touch_due = Some(slot.earliest_touch(now, spacing));
            slot.spaced = true;
        });
    }

    /// Makes all cumulative statistics due, because a new day began. What was refused may have been refused for the day
    /// before, as while a clock is wrong, and is asked again as well.
    pub fn begin_day(&mut self, now: Instant) {
        self.slots.change_all(|key, slot| {
            // A combined answer that was refused would have brought realtime statistics as well.
            let refused = slot.failures > 0;
            let counts = matches!(key, Key::Workspace(Part::Cumulative) | Key::Queue(_, _, Part::Cumulative));
            if counts || refused {
                slot.timer_due = now;
                slot.not_before = None;
            }
        });
    }

    /// The next moment at which something is due and may start.
    pub fn next_due(&self, now: Instant) -> Option<Instant> {
        let [event, look, close, related] = Due::TOUCHED.map(|why| self.slots.first(why));
        let event = event.map(|due| due.max(self.launches.ready_at(1.0, 0.0, now)));
        let look = look.map(|due| due.max(self.looks.ready_at(1.0, 0.0, now)));
        let suspect = self.suspects.values().map(|suspect| suspect.since + EVENT_UNDER_WAY).min();
        let timer = self.slots.first(Due::Timer).map(|due| due.max(self.singles.ready_at(1.0, 0.0, now)));
        [event, look, close, related, suspect, timer].into_iter().flatten().min()
    }

    /// What is due because of an event, as far as the budgets for that and for settling reads allow.
    pub fn due_touched(&mut self, now: Instant) -> BTreeSet<Key> {
        self.confirm_lags(now);
        let mut due: BTreeSet<Key> =
            Due::TOUCHED.into_iter().flat_map(|why| self.slots.due(why, now)).collect();
        if due.is_empty() {
            return due;
        }
        let spaced = |key: &Key| self.slots.get(key).is_some_and(|slot| slot.spaced);
        if due.iter().any(spaced) && !self.launches.take(1.0, 0.0, now) {
            due.retain(|key| !spaced(key));
        }
        let since = |key: &Key| self.slots.get(key).and_then(|slot| slot.touch_due);
        let looks = due.iter().copied().filter(|key| !spaced(key) && self.settles(*key));
        let mut looks: Vec<Key> = looks.collect();
        looks.sort_by_key(since);
        let closely = |key: &Key| self.slots.get(key).is_some_and(|slot| slot.closely);
        let (close, looks): (Vec<Key>, Vec<Key>) = looks.into_iter().partition(closely);
        let mut allowed = 0;
        while allowed < looks.len() && self.looks.take(1.0, 0.0, now) {
            allowed += MOST_IN_BULK;
        }
        for later in looks.iter().skip(allowed) {
            due.remove(later);
        }
        for key in close {
            if self.close_looks.take(1.0, 0.0, now) {
                due.extend(self.look_closely(key));
            } else {
                let shared = self.lags.next_shared(now);
                self.slots.change(key, |slot| (slot.touch_due, slot.closely) = (Some(shared), false));
                due.remove(&key);
            }
        }
        due
    }

    /// Reads for events take this many calls, of which [`due_touched`](Self::due_touched) has counted one.
    pub fn launched(&mut self, calls: usize, now: Instant) {
        #[expect(clippy::cast_precision_loss, reason = "there are some thousands at most")]
        self.launches.spend(calls.saturating_sub(1) as f64, now);
    }

    /// Whether a key is due because of an event that names it, and not just of one that touches everything.
    pub fn is_named(&self, key: Key) -> bool {
        self.slots.get(&key).is_some_and(|slot| slot.named)
    }

    /// When what touches every TaskQueue now is read.
    fn broad_at(&mut self, now: Instant) -> Instant {
        let spacing = self.rhythm.spacing.max(BROAD_SPACING);
        let at = match self.broad_at {
            Some(last) if last >= now => last,
            Some(last) => now.max(last + spacing),
            None => now,
        };
        self.broad_at = Some(at);
        at
    }

    pub fn due_by_timer(&self, now: Instant) -> BTreeSet<Key> {
        self.slots.due(Due::Timer, now).collect()
    }

    /// Spreads single reads over the interval: as many a second as the keys that need them take, with some to spare.
    pub fn pace_singles(&mut self, offers: Offers, now: Instant) {
        let single = |key: &Key| match key {
            Key::Queue(_, _, Part::Cumulative) => !offers.list || !offers.combined_is_complete,
            Key::Queue(_, scope, Part::Realtime) => !(offers.list || offers.bulk && *scope == Scope::ALL),
            _ => false,
        };
        let keys = self.slots.keys().filter(|key| single(key));
        let needed: f64 = keys.map(|key| 1.0 / self.rhythm.interval(*key).as_secs_f64()).sum();
        self.singles.set_rate((1.25 * needed).clamp(1.0, SINGLES_PER_SECOND), now);
    }

    /// The events that a read of this key is to show.
    pub fn event(&self, key: Key) -> Option<Trace> {
        self.slots.get(&key)?.event
    }

    /// Since when a key is due by its timer, or when it will be.
    pub fn timer_due(&self, key: Key) -> Option<Instant> {
        self.slots.get(&key).map(|slot| slot.timer_due)
    }

    /// Takes a place for one single read on behalf of a timer.
    pub fn admit_single(&mut self, now: Instant) -> bool {
        self.singles.take(1.0, 0.0, now)
    }

    /// A read of these keys begins. Those that it only covers, without that they were due, count as read by a timer.
    pub fn started(&mut self, keys: &[Key], cause: Cause, now: Instant) {
        let spacing = self.rhythm.spacing;
        for key in keys {
            self.slots.change(*key, |slot| {
                match cause {
                    Cause::Touched => {
                        slot.reading_touched = true;
                        // Looks have budgets of their own.
                        if slot.spaced && slot.touch_due.is_some_and(|due| due <= now) {
                            slot.paid_until =
                                Some(slot.paid_until.map_or(now, |paid| paid.max(now)) + spacing);
                        }
                    }
                    Cause::Timer => slot.reading_timer = true,
                }
                // A sweep under way takes along what was touched before it began.
                if slot.touch_due.is_some_and(|due| due <= now) {
                    slot.touch_due = None;
                }
                slot.named &= slot.touch_due.is_some();
                slot.last_begun = Some(now);
                slot.timer_due = now + self.rhythm.interval(*key);
            });
        }
    }

    /// What could not be read can be read again, so an outage is over: the others need not wait until their turns come.
    fn try_failing(&mut self, now: Instant) {
        self.slots.change_all(|_, slot| {
            if slot.failures > 0 && !slot.asked_to_wait {
                slot.not_before = None;
                slot.timer_due = slot.timer_due.min(now);
                slot.touch_due = slot.touch_due.map(|due| due.min(now));
            }
        });
    }

    /// A read of one key, begun at `started`, failed for good.
    pub fn failed(&mut self, key: Key, cause: Cause, started: Instant, now: Instant, wait: Option<Duration>) {
        let jitter = fastrand::f64();
        self.slots.change(key, |slot| {
            slot.ended(cause, started);
            let again = now + BACKOFF.delay(slot.failures, wait, jitter);
            slot.failures = slot.failures.saturating_add(1);
            slot.not_before = Some(again);
            slot.asked_to_wait = wait.is_some();
            match cause {
                Cause::Touched => {
                    slot.touch_due = Some(again);
                    slot.spaced = true;
                }
                Cause::Timer => slot.timer_due = again,
            }
        });
    }

    /// Whether the last read of a key failed.
    pub fn is_failing(&self, key: Key) -> bool {
        self.slots.get(&key).is_some_and(|slot| slot.failures > 0)
    }

    /// How many keys' last read failed.
    pub fn failing(&self) -> usize {
        self.slots.values().filter(|slot| slot.failures > 0).count()
    }

    /// Lets every failing key be tried at once, because it will be read in another way.
    pub fn forgive(&mut self) {
        self.slots.change_all(|_, slot| {
            if slot.failures > 0 {
                slot.not_before = None;
            }
        });
    }

    /// A read of this key ended, and another read in progress covers it.
    pub fn covered(&mut self, key: Key, cause: Cause, started: Instant) {
        self.slots.change(key, |slot| slot.ended(cause, started));
    }

    /// A way of reading one key is not offered by the account: another way is due at once.
    pub fn refused(&mut self, key: Key, cause: Cause, now: Instant) {
        self.slots.change(key, |slot| match cause {
            Cause::Touched => {
                slot.reading_touched = false;
                slot.touch_due = Some(now);
                slot.spaced = true;
            }
            Cause::Timer => {
                slot.reading_timer = false;
                slot.timer_due = now;
            }
        });
    }

    /// Whether every key was read, well or not, by a read begun at or after `since`.
    pub fn all_read_since(&self, since: Instant) -> bool {
        self.slots.values().all(|slot| slot.last_ended.is_some_and(|ended| ended >= since))
    }

    /// Whether every key was read, well or not, since the last event that touched it by then. What was touched again later
    /// counts for that later event.
    pub fn has_read_what_was_touched_by(&self, moment: Instant) -> bool {
        self.slots.values().all(|slot| {
            let mut waits = slot.touched.each().filter(|touched| *touched <= moment);
            waits.all(|touched| slot.last_ended.is_some_and(|ended| ended >= touched))
        })
    }

    pub fn queues(&self) -> Arc<[TaskQueueSid]> {
        self.queues.clone()
    }

    /// Which keys are looked at again after an event: one cheap one a TaskQueue, which tells for all its others.
    fn settles(&self, key: Key) -> bool {
        settles(key, !self.needs.queues)
    }
}

/// Which keys are looked at again; `alone`: without any TaskQueue, the Workspace's.
fn settles(key: Key, alone: bool) -> bool {
    match key {
        Key::Queue(_, scope, Part::Realtime) => scope == Scope::ALL,
        Key::Workspace(Part::Realtime) => alone,
        _ => false,
    }
}

fn settles_alone(key: Key) -> bool {
    settles(key, true)
}

fn settles_beside_queues(key: Key) -> bool {
    settles(key, false)
}

impl RefreshConfig {
    fn interval(&self, key: Key) -> Duration {
        match key {
            Key::Directory => self.directory_interval,
            Key::Workspace(Part::Realtime) | Key::Queue(_, _, Part::Realtime) | Key::Tasks => {
                self.realtime_interval
            }
            Key::Workspace(Part::Cumulative) | Key::Queue(_, _, Part::Cumulative) | Key::LastHour => {
                self.cumulative_interval
            }
        }
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
