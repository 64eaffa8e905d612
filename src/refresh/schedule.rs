//! What is due when. Pure: the clock is passed in, the worker around it waits and reads.
//!
//! Every [`Key`] has a timer of its own and, where an event touched it, an earlier moment. A key that is being read
//! because of an event and is touched again is read exactly once more right afterwards. Events are debounced by key: a few
//! reads go at once, and from then on one in each spacing. A read for an event does not wait for a sweep of the timers, or a list read for other
//! keys, that is under way. A key whose read failed comes back with
//! a growing delay, whatever events say meanwhile, so that a service in trouble is not hammered.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use super::key::{Key, Offers, PARTS, Part};
use super::settle::Settle;
use crate::bucket::Bucket;
use crate::config::RefreshConfig;
use crate::event::{Invalidation, Queues, Trace};
use crate::sid::TaskQueueSid;
use crate::stats::{Moved, Needs, Scope};
use crate::twilio::retry::Backoff;
use crate::twilio::taskrouter::MOST_IN_BULK;

/// Calls for events that may start at once, and each second from then on. Events that come faster share their calls.
const CALLS_IN_A_ROW: f64 = 30.0;
const CALLS_PER_SECOND: f64 = 60.0;
/// Reads of one key for events that may start at once before they are spaced out.
const READS_IN_A_ROW: u32 = 3;
/// Bulk calls a second that settling reads may take: half of what Twilio allows.
const LOOKS_PER_SECOND: f64 = 2.5;
/// An event that names a TaskQueue arrives within this time of its change; a change that shows earlier is no late one of an
/// event before it.
const EVENT_UNDER_WAY: Duration = Duration::from_secs(1);
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
    /// What it is called where reads are counted.
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
    slots: BTreeMap<Key, Slot>,
    settle: Settle,
    /// Late changes that may still turn out to be those of an event under way.
    suspects: BTreeMap<Key, Suspect>,
    launches: Bucket,
    looks: Bucket,
    /// When what touched every TaskQueue is read; all of one second share that.
    broad_at: Option<Instant>,
    singles: Bucket,
    /// As long as no slot changes. There are eight of them a TaskQueue, and this is asked several times for each answer.
    earliest: Cell<Option<Earliest>>,
}

/// When the next key of each kind is due.
#[derive(Debug, Clone, Copy, Default)]
struct Earliest {
    event: Option<Instant>,
    /// To look after one again.
    look: Option<Instant>,
    /// With a late change that a look has shown.
    related: Option<Instant>,
    timer: Option<Instant>,
}

/// A change that a settling read showed, and that looks late.
#[derive(Debug, Clone, Copy)]
struct Suspect {
    touched: Instant,
    started: Instant,
    since: Instant,
}

#[derive(Debug, Clone)]
struct Slot {
    timer_due: Instant,
    touch_due: Option<Instant>,
    /// Due because of an event, and not to look after one again: those looks fall on a grid, and are few anyway.
    spaced: bool,
    /// Due because of an event that names it.
    named: bool,
    touched: Touched,
    /// The events that made it stale and may not show yet.
    event: Option<Trace>,
    reading_touched: bool,
    reading_timer: bool,
    /// Until when the reads that started for events are paid for, at one in each spacing.
    paid_until: Option<Instant>,
    /// The begin of the last read that ended, well or not.
    last_ended: Option<Instant>,
    /// The begin of the last read that brought an answer: one that failed has shown nothing.
    last_shown: Option<Instant>,
    failures: u32,
    not_before: Option<Instant>,
    /// Twilio named that moment: asking earlier would be in vain, whatever else can be read by then.
    asked_to_wait: bool,
}

/// When the last events touched a key, or when it is looked at again after them. Those of one kind do not hide the other's: an
/// event at one TaskQueue is often followed at once by one that touches all, such as that its Worker is busy now, and is
/// still looked after in small steps.
#[derive(Debug, Clone, Copy, Default)]
struct Touched {
    one: Option<Instant>,
    all: Option<Instant>,
}

impl Schedule {
    /// Everything is due at once.
    pub fn new(rhythm: RefreshConfig, needs: Needs, channels: &[String], now: Instant) -> Self {
        let mut schedule = Self {
            rhythm,
            needs,
            channels: channels.to_vec(),
            slots: BTreeMap::new(),
            settle: Settle::new(rhythm.settle_step, rhythm.settle_window, now),
            suspects: BTreeMap::new(),
            launches: Bucket::new(CALLS_IN_A_ROW, CALLS_PER_SECOND, CALLS_IN_A_ROW, now),
            looks: Bucket::new(1.0, LOOKS_PER_SECOND, 1.0, now),
            broad_at: None,
            singles: Bucket::new(SINGLES_PER_SECOND, SINGLES_PER_SECOND, SINGLES_PER_SECOND, now),
            earliest: Cell::default(),
        };
        let workspace = PARTS.map(Key::Workspace).into_iter().filter(|_| needs.workspace);
        let others =
            [(Key::Directory, needs.queues), (Key::LastHour, needs.last_hour), (Key::Tasks, needs.tasks)];
        let others = others.into_iter().filter_map(|(key, needed)| needed.then_some(key));
        schedule.slots().extend(workspace.chain(others).map(|key| (key, Slot::due(now))));
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
        self.slots().retain(|key, _| there(key));
        self.suspects.retain(|key, _| there(key));
        let channels = self.channels.len();
        for queue in queues {
            for scope in Scope::each(channels) {
                for part in PARTS {
                    self.slots().entry(Key::Queue(*queue, scope, part)).or_insert_with(|| Slot::due(now));
                }
            }
        }
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
        let lags = self.settle.expects_lag(now);
        // Events of Workers alone explain no change of Tasks.
        let explains = |key: &Key| match (key, &touch.queues) {
            (Key::Queue(queue, ..), Queues::Some(named)) => named.contains(queue),
            (Key::Queue(..), Queues::None) => false,
            (_, Queues::All) => touch.counters,
            _ => touch.workspace,
        };
        self.suspects.retain(|key, _| !explains(key));
        let event = touch.event.map(|event| if broad { event.of_all() } else { event });
        let mark = |slot: &mut Slot| {
            slot.touch(now, broad_at, spacing);
            // What was read since an event came shows it, unless statistics lag; else the first of many events would seem
            // to wait for ever.
            let waits = slot.event.filter(|event| lags || slot.last_shown < Some(event.newest_at));
            slot.event = Trace::join(waits, event);
        };
        self.earliest.take();
        if let Queues::All = touch.queues {
            for (key, slot) in &mut self.slots {
                let hit = |scope: &Scope, part: &Part| {
                    scopes.contains(scope) && (*part == Part::Realtime || touch.counters)
                };
                if matches!(key, Key::Queue(_, scope, part) if hit(scope, part)) {
                    mark(slot);
                }
            }
        }
        // Events come in numbers, and most name their TaskQueue: those must not cost a walk through all.
        let named = if let Queues::Some(queues) = &touch.queues { &queues[..] } else { &[] };
        let of_named = named.iter().flat_map(|queue| {
            let parts = &parts;
            scopes.iter().flat_map(|scope| parts.clone().map(|part| Key::Queue(*queue, *scope, part)))
        });
        for key in others.chain(workspace).chain(of_named) {
            if let Some(slot) = self.slots.get_mut(&key) {
                mark(slot);
            }
        }
        // A TaskQueue that we have not heard of: the directory is behind.
        if let Queues::Some(queues) = &touch.queues {
            let known = |queue: &TaskQueueSid| {
                self.slots.contains_key(&Key::Queue(*queue, Scope::ALL, Part::Realtime))
            };
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
        if let Some(slot) = self.slots().get_mut(&key) {
            slot.touch_due = Some(slot.earliest_touch(now, spacing));
            slot.spaced = true;
        }
    }

    /// Makes all cumulative statistics due, because a new day began. What was refused may have been refused for the day
    /// before, as while a clock is wrong, and is asked again as well.
    pub fn begin_day(&mut self, now: Instant) {
        for (key, slot) in self.slots() {
            // A combined answer that was refused would have brought realtime statistics as well.
            let refused = slot.failures > 0;
            let counts = matches!(key, Key::Workspace(Part::Cumulative) | Key::Queue(_, _, Part::Cumulative));
            if counts || refused {
                slot.timer_due = now;
                slot.not_before = None;
            }
        }
    }

    /// The next moment at which something is due and may start.
    pub fn next_due(&self, now: Instant) -> Option<Instant> {
        let Earliest { event, look, related, timer } = self.earliest();
        let event = event.map(|due| due.max(self.launches.ready_at(1.0, 0.0, now)));
        let look = look.map(|due| due.max(self.looks.ready_at(1.0, 0.0, now)));
        let suspect = self.suspects.values().map(|suspect| suspect.since + EVENT_UNDER_WAY).min();
        let timer = timer.map(|due| due.max(self.singles.ready_at(1.0, 0.0, now)));
        [event, look, related, suspect, timer].into_iter().flatten().min()
    }

    /// What is due because of an event, as far as the budgets for that and for settling reads allow.
    pub fn due_touched(&mut self, now: Instant) -> BTreeSet<Key> {
        self.confirm_lags(now);
        let Earliest { event, look, related, .. } = self.earliest();
        if [event, look, related].into_iter().flatten().all(|earliest| earliest > now) {
            return BTreeSet::new();
        }
        let mut due: BTreeSet<Key> = self.due(Slot::next_touched, now);
        let spaced = |key: &Key| self.slots.get(key).is_some_and(|slot| slot.spaced);
        if due.iter().any(spaced) && !self.launches.take(1.0, 0.0, now) {
            due.retain(|key| !spaced(key));
        }
        let since = |key: &Key| self.slots.get(key).and_then(|slot| slot.touch_due);
        let looks = due.iter().copied().filter(|key| !spaced(key) && self.settles(*key));
        let mut looks: Vec<Key> = looks.collect();
        looks.sort_by_key(since);
        let mut allowed = 0;
        while allowed < looks.len() && self.looks.take(1.0, 0.0, now) {
            allowed += MOST_IN_BULK;
        }
        for later in looks.iter().skip(allowed) {
            due.remove(later);
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

    /// Late changes that no event has explained meanwhile were late indeed.
    fn confirm_lags(&mut self, now: Instant) {
        let confirmed = |suspect: &Suspect| suspect.since + EVENT_UNDER_WAY <= now;
        let late: Vec<(Key, Suspect)> =
            self.suspects.iter().filter(|(_, s)| confirmed(s)).map(|(key, s)| (*key, *s)).collect();
        for (key, suspect) in late {
            self.suspects.remove(&key);
            let knew = self.settle.expects_lag(now);
            self.settle.learn(suspect.touched, suspect.started);
            if !knew {
                self.touch_related(key, now);
                self.look_sooner(now);
            }
        }
    }

    pub fn due_by_timer(&self, now: Instant) -> BTreeSet<Key> {
        if self.earliest().timer.is_none_or(|earliest| earliest > now) {
            return BTreeSet::new();
        }
        self.due(Slot::next_timer, now)
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
        self.earliest.take();
        let spacing = self.rhythm.spacing;
        for key in keys {
            if let Some(slot) = self.slots.get_mut(key) {
                match cause {
                    Cause::Touched => {
                        slot.reading_touched = true;
                        slot.paid_until = Some(slot.paid_until.map_or(now, |paid| paid.max(now)) + spacing);
                    }
                    Cause::Timer => slot.reading_timer = true,
                }
                // A sweep under way takes along what was touched before it began.
                if slot.touch_due.is_some_and(|due| due <= now) {
                    slot.touch_due = None;
                    slot.named = false;
                }
                slot.timer_due = now + self.rhythm.interval(*key);
            }
        }
    }

    /// A read of one key, begun at `started`, brought an answer. `moved` says what of realtime values changed.
    pub fn succeeded(&mut self, key: Key, cause: Cause, started: Instant, moved: impl Into<Moved>) {
        let (settles, moved) = (self.settles(key), moved.into());
        self.earliest.take();
        let Some(slot) = self.slots.get_mut(&key) else { return };
        let shown_before = slot.last_shown;
        slot.ended(cause, started);
        slot.last_shown = shown_before.max(Some(started));
        slot.not_before = None;
        if std::mem::take(&mut slot.failures) > 0 {
            self.try_failing(started);
        }
        let shows_within = self.settle.shows_within(started);
        let Some(slot) = self.slots.get_mut(&key) else { return };
        let touched = slot.touched;
        if !settles || touched.each().next().is_none() {
            slot.shown(started);
            return;
        }
        let spacing = self.rhythm.spacing;
        let knew = self.settle.expects_lag(started);
        // Late is what an earlier read should have shown. Reads may begin late for reasons of our own.
        let missed = |touched: &Instant| shown_before.is_some_and(|shown| shown >= *touched);
        let is_late = |touched: &Instant| missed(touched) && self.settle.is_late(*touched, started, spacing);
        let late = match moved {
            Moved::Nothing => false,
            Moved::Workers => knew && touched.each().any(|event| is_late(&event)),
            Moved::Tasks => {
                touched.one.iter().any(is_late) || knew && touched.each().any(|event| is_late(&event))
            }
        };
        // A lag is learnt from an event that names the TaskQueue, or each change would look late to an event before it; and
        // only if none arrives in the next moment that explains the change.
        if let Some(touched) = touched.one.filter(|_| late && moved == Moved::Tasks) {
            self.suspects.insert(key, Suspect { touched, started, since: started });
        }
        let looks = touched.looks(&self.settle, started);
        slot.look_again(looks);
        slot.touched = Touched {
            one: touched.one.filter(|_| looks.one.is_some()),
            all: touched.all.filter(|_| looks.all.is_some()),
        };
        if moved > Moved::Nothing || looks.each().next().is_none() {
            slot.shown(started);
        } else if let Some(past) = started.checked_sub(shows_within) {
            slot.shown(past);
        }
        if touched.one.is_some() && looks.one.is_none() && !late && !self.suspects.contains_key(&key) {
            self.settle.rested();
        }
        if late && knew {
            self.touch_related(key, started);
        }
    }

    /// What could not be read can be read again, so an outage is over: the others need not wait until their turns come.
    fn try_failing(&mut self, now: Instant) {
        for slot in self.slots().values_mut().filter(|slot| slot.failures > 0 && !slot.asked_to_wait) {
            slot.not_before = None;
            slot.timer_due = slot.timer_due.min(now);
            slot.touch_due = slot.touch_due.map(|due| due.min(now));
        }
    }

    /// A lag has shown: what was to be looked after once or twice is looked after in small steps from now on.
    fn look_sooner(&mut self, now: Instant) {
        let keys: Vec<Key> = self.slots.keys().copied().filter(|key| self.settles(*key)).collect();
        self.earliest.take();
        for key in keys {
            let Some(slot) = self.slots.get_mut(&key) else { continue };
            slot.look_again(slot.touched.looks(&self.settle, now));
        }
    }

    /// A read of one key, begun at `started`, failed for good.
    pub fn failed(&mut self, key: Key, cause: Cause, started: Instant, now: Instant, wait: Option<Duration>) {
        let jitter = fastrand::f64();
        let Some(slot) = self.slots().get_mut(&key) else { return };
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
        for slot in self.slots().values_mut().filter(|slot| slot.failures > 0) {
            slot.not_before = None;
        }
    }

    /// A way of reading one key is not offered by the account: another way is due at once.
    pub fn refused(&mut self, key: Key, cause: Cause, now: Instant) {
        let Some(slot) = self.slots().get_mut(&key) else { return };
        match cause {
            Cause::Touched => {
                slot.reading_touched = false;
                slot.touch_due = Some(now);
                slot.spaced = true;
            }
            Cause::Timer => {
                slot.reading_timer = false;
                slot.timer_due = now;
            }
        }
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

    pub fn queues(&self) -> Vec<TaskQueueSid> {
        let queue = |key: &Key| match key {
            Key::Queue(queue, scope, Part::Realtime) if *scope == Scope::ALL => Some(*queue),
            _ => None,
        };
        self.slots.keys().filter_map(queue).collect()
    }

    /// A settling read showed a late change: what else the event touched lagged as well.
    fn touch_related(&mut self, key: Key, started: Instant) {
        let spacing = self.rhythm.spacing;
        let event = self.slots.get(&key).and_then(|slot| slot.event);
        for (other, slot) in self.slots() {
            let related = match (key, *other) {
                (Key::Queue(queue, _, _), Key::Queue(other, ..)) => queue == other,
                (_, Key::Workspace(_)) => true,
                _ => false,
            };
            if related && *other != key {
                slot.touch_due = Some(slot.earliest_touch(started, spacing));
                slot.spaced = false;
                slot.event = Trace::join(slot.event, event);
            }
        }
    }

    /// Which keys are looked at again after an event: one cheap one a TaskQueue, which tells for all its others.
    fn settles(&self, key: Key) -> bool {
        match key {
            Key::Queue(_, scope, Part::Realtime) => scope == Scope::ALL,
            Key::Workspace(Part::Realtime) => !self.needs.queues,
            _ => false,
        }
    }

    fn slots(&mut self) -> &mut BTreeMap<Key, Slot> {
        self.earliest.take();
        &mut self.slots
    }

    fn earliest(&self) -> Earliest {
        if let Some(earliest) = self.earliest.get() {
            return earliest;
        }
        let mut earliest = Earliest::default();
        let lower = |least: &mut Option<Instant>, moment: Option<Instant>| {
            *least = least.iter().copied().chain(moment).min();
        };
        for (key, slot) in &self.slots {
            let touched = match slot.spaced {
                true => &mut earliest.event,
                false if self.settles(*key) => &mut earliest.look,
                false => &mut earliest.related,
            };
            lower(touched, slot.next_touched());
            lower(&mut earliest.timer, slot.next_timer());
        }
        self.earliest.set(Some(earliest));
        earliest
    }

    fn due(&self, moment: impl Fn(&Slot) -> Option<Instant>, now: Instant) -> BTreeSet<Key> {
        let due = |slot: &Slot| moment(slot).is_some_and(|due| due <= now);
        self.slots.iter().filter(|(_, slot)| due(slot)).map(|(key, _)| *key).collect()
    }
}

impl Slot {
    fn due(now: Instant) -> Self {
        Self {
            timer_due: now,
            touch_due: None,
            spaced: false,
            named: false,
            touched: Touched::default(),
            event: None,
            reading_touched: false,
            reading_timer: false,
            paid_until: None,
            last_ended: None,
            last_shown: None,
            failures: 0,
            not_before: None,
            asked_to_wait: false,
        }
    }

    /// An event touched it; one that touched every TaskQueue is read at the moment `broad_at`.
    fn touch(&mut self, now: Instant, broad_at: Option<Instant>, spacing: Duration) {
        let due = match broad_at {
            Some(at) => {
                self.touched.all = Some(now);
                at
            }
            None => {
                self.touched.one = Some(now);
                self.named = true;
                self.earliest_touch(now, spacing)
            }
        };
        self.touch_due = Some(self.touch_due.map_or(due, |already| already.min(due)));
        self.spaced = true;
    }

    fn look_again(&mut self, looks: Touched) {
        let again = looks.each().min();
        if again.is_some() && self.touch_due.is_none() {
            self.spaced = false;
        }
        self.touch_due = self.touch_due.into_iter().chain(again).min();
    }

    /// A read begun at `started` shows whatever came in before it.
    fn shown(&mut self, started: Instant) {
        self.event = self.event.and_then(|event| event.since(started));
    }

    fn earliest_touch(&self, now: Instant, spacing: Duration) -> Instant {
        let in_a_row = spacing * (READS_IN_A_ROW - 1);
        self.paid_until.and_then(|paid| paid.checked_sub(in_a_row)).map_or(now, |free| free.max(now))
    }

    fn next_touched(&self) -> Option<Instant> {
        let due = self.touch_due.filter(|_| !self.reading_touched)?;
        Some(due.max(self.not_before.unwrap_or(due)))
    }

    fn next_timer(&self) -> Option<Instant> {
        let idle = !self.reading_touched && !self.reading_timer;
        idle.then(|| self.timer_due.max(self.not_before.unwrap_or(self.timer_due)))
    }

    fn ended(&mut self, cause: Cause, started: Instant) {
        match cause {
            Cause::Touched => self.reading_touched = false,
            Cause::Timer => self.reading_timer = false,
        }
        self.last_ended = self.last_ended.max(Some(started));
    }
}

impl Touched {
    /// When to look again after each kind, for a read begun at `started`.
    fn looks(self, settle: &Settle, started: Instant) -> Self {
        let next = |touched: Option<Instant>, broad| settle.next(touched?, started, broad);
        Self { one: next(self.one, false), all: next(self.all, true) }
    }

    fn each(self) -> impl Iterator<Item = Instant> {
        self.one.into_iter().chain(self.all)
    }
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
