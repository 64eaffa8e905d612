//! What is to be written, what Sync holds, and which write goes next. Pure: the worker around it waits and sends.
//!
//! Conflates changes: each target has one place, where a newer value replaces an older one that has not been sent, so a
//! backlog can't grow beyond the number of targets and nothing older than the newest is ever sent. A target is written
//! by one request at a time. What goes first depends on why it is to be written ([`Urgency`]): what an event names,
//! then what changed as a side effect, then what was not written since the start, then what only grew older; among the
//! same the longest-waiting goes first. Nothing starves: what has waited for its [`patience`](super::object::patience)
//! is overdue, and while anything is, at least every twelfth write of the object is the longest overdue one.

mod entry;
mod last;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::object::NextWrite;
use super::objects::Objects;
use super::outage::{Outage, PROBES};
use super::pacer::Urgency;
use super::wanted::{Found, Wanted, Write, WriteOutcome};
use crate::event::Trace;
use crate::layout::{Fingerprint, Object, Target};
use crate::twilio::retry::Backoff;
use entry::{Entry, Held, InFlight, Waiting, load_of};

/// Sync accepts about 20 concurrent updates.
const MOST_IN_FLIGHT: usize = crate::twilio::MOST_SYNC_WRITES_IN_FLIGHT;
/// Of which writes that no event names take no more than this.
const MOST_OTHERS_IN_FLIGHT: usize = 15;

/// An object is at its limit where a change has waited for longer than this, and for its budget.
const AT_LIMIT_AFTER: Duration = Duration::from_secs(3);
/// Between tries of one failing target, or of one Map that can't be created; the budgets of objects are apart from it.
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(200), longest: Duration::from_secs(3) };
/// A value that Sync refused for its content is tried again after this time, or when it changes.
const REFUSED_AGAIN: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Outbox {
    entries: HashMap<Target, Entry>,
    objects: Objects,
    /// Targets to try again, by when.
    later: BTreeSet<(Instant, Target)>,
    in_flight: usize,
    others_in_flight: usize,
    outage: Outage,
    /// Items whose readers then look at the others of their Map: each is written after those.
    last: BTreeSet<Target>,
    /// Of these, what was written although others of its Map were not yet; it is written once more after them.
    owed: HashMap<Target, Wanted>,
    /// The least time between two writes of an item in which only an age moved; `None` where ages are not written.
    ages: Option<Duration>,
}

#[derive(Debug, Default)]
pub(super) struct Backlog {
    pub(super) in_flight: usize,
    /// Targets that wait for their turn.
    pub(super) waiting: usize,
    /// Targets with a change that is not written.
    pub(super) unwritten: usize,
    /// Since when the oldest of these changes is known, by [`Urgency::index`].
    pub(super) oldest: [Option<Instant>; Urgency::ALL.len()],
    /// The least share of its budget that is left to any object.
    pub(super) headroom: f64,
    /// The share of the places for writes under way that is free.
    pub(super) places: f64,
}

/// The object that has more to write than Sync takes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct AtLimit {
    pub(super) object: Object,
    pub(super) waiting: usize,
    /// Since when the oldest of their changes is known.
    pub(super) oldest: Instant,
    /// Writes of their size that Sync takes a second.
    pub(super) writes_a_second: f64,
}

impl Default for Outbox {
    fn default() -> Self {
        Self::new(Some(Duration::ZERO))
    }
}

impl Outbox {
    /// Writes an item in which only an age moved once per `ages`; never if that is `None`.
    pub(super) fn new(ages: Option<Duration>) -> Self {
        Self {
            entries: HashMap::new(),
            objects: Objects::default(),
            later: BTreeSet::new(),
            in_flight: 0,
            others_in_flight: 0,
            outage: Outage::default(),
            last: BTreeSet::new(),
            owed: HashMap::new(),
            ages,
        }
    }

    /// Another writer may have spent the objects' budgets until this moment.
    pub(super) fn budgets_are_spent(&mut self, now: Instant) {
        self.objects.budgets_are_spent(now);
    }

    /// Wants something of a target from now on, because of these events; what was wanted and not sent yet is forgotten.
    pub(super) fn want(&mut self, target: &Target, wanted: Wanted, event: Option<Trace>, now: Instant) {
        let looked_at = self.objects.get(&target.object()).is_some_and(|state| state.looked_at);
        let entry = self.entries.entry(target.clone()).or_insert_with(|| Entry {
            held: if looked_at { Held::Nothing } else { Held::Unknown },
            ..Entry::default()
        });
        let reference = match &entry.in_flight {
            Some(flight) => flight.wanted.fingerprint(),
            None => entry.held.fingerprint(),
        };
        let urgency = match (&wanted, reference) {
            (Wanted::Value { fingerprint, .. }, Some(held))
                if *fingerprint == held || self.ages.is_none() && fingerprint.content == held.content =>
            {
                // Sync holds it, or will in a moment; an older wish is void.
                entry.event = None;
                entry.filled = true;
                Self::forget(&mut self.objects, &mut self.later, target, entry);
                self.release_last(&target.object(), now);
                return;
            }
            (Wanted::Value { fingerprint, .. }, Some(held)) if fingerprint.content == held.content => {
                Urgency::Aged
            }
            (Wanted::Gone, _) if entry.held == Held::Nothing && entry.in_flight.is_none() => {
                Self::forget(&mut self.objects, &mut self.later, target, entry);
                self.entries.remove(target);
                return;
            }
            _ if event.is_some_and(Trace::is_named) => Urgency::Named,
            (Wanted::Value { .. }, _) if !entry.filled => Urgency::Filling,
            _ => Urgency::SideEffect,
        };
        let aged = urgency == Urgency::Aged;
        // A change that already waits keeps its turn; an age-only change is ordered by the target's last write.
        let earlier = entry.waiting.as_ref().filter(|waiting| (waiting.urgency == Urgency::Aged) == aged);
        let (urgency, since) = match earlier {
            Some(waiting) if waiting.urgency <= urgency => (waiting.urgency, waiting.since),
            _ if aged => (urgency, entry.last_landed.unwrap_or(now)),
            _ => (urgency, now),
        };
        // What waits after a failure goes on waiting, whatever is newer; what only grew older waits for its interval.
        let failed = |waiting: &&Waiting| waiting.urgency != Urgency::Aged || entry.failures > 0;
        let again = entry.waiting.as_ref().filter(failed).and_then(|waiting| waiting.not_before);
        let interval = entry.last_landed.zip(self.ages).filter(|_| aged);
        let not_before = again.max(interval.map(|(landed, interval)| landed + interval));
        Self::forget(&mut self.objects, &mut self.later, target, entry);
        entry.waiting = Some(Waiting { wanted, urgency, since, not_before });
        entry.event = Trace::join(entry.event, event);
        self.queue(target, now);
    }

    /// Notes which events a waiting value is to show.
    pub(super) fn explain(&mut self, target: &Target, event: Trace) {
        let entry = self.entries.get_mut(target).filter(|entry| entry.waiting.is_some());
        if let Some(entry) = entry {
            entry.event = Trace::join(entry.event, Some(event));
        }
    }

    /// The next write that may go out now.
    pub(super) fn take(&mut self, now: Instant) -> Option<Write> {
        self.wake_later(now);
        if self.in_flight >= self.most_in_flight() || self.outage.is_paused(now) {
            return None;
        }
        if let Some(write) = self.take_map_creation(now) {
            return Some(write);
        }
        let others_too = self.others_in_flight < MOST_OTHERS_IN_FLIGHT;
        let next = self.objects.next(others_too, now, |target| load_of(&self.entries, target))?;
        let NextWrite { passes_as, urgency, place, is_overdue } = next;
        let (since, target) = place.clone();
        let entry = self.entries.get_mut(&target)?;
        let creates = entry.load(&target).creates;
        let waiting = entry.waiting.take()?;
        if creates {
            self.objects.creations(now).take(0, Urgency::Named, now);
        }
        self.objects.remove((urgency, since, target.clone()));
        self.objects.change(&target.object(), now, |state| {
            state.pacer.take(waiting.wanted.size(), passes_as, now);
            let behind = !is_overdue && state.overdue(true, now).is_some();
            state.urgent_in_a_row = if behind { state.urgent_in_a_row.saturating_add(1) } else { 0 };
            state.in_flight += 1;
        });
        self.in_flight += 1;
        self.others_in_flight += usize::from(!urgency.is_named());
        entry.in_flight = Some(InFlight { wanted: waiting.wanted.clone(), urgency, since, creates });
        let there = !matches!(entry.held, Held::Nothing);
        let event = entry.event.take();
        if self.last.contains(&target) && self.has_others(&target) {
            self.owed.insert(target.clone(), waiting.wanted.clone());
        } else {
            self.owed.remove(&target);
        }
        Some(Write::Target { target, wanted: waiting.wanted, there, since, event })
    }

    /// A value that was to be laid out when its turn came has been: this is what is being written.
    pub(super) fn laid_out(&mut self, target: &Target, fingerprint: Fingerprint) {
        let flight = self.entries.get_mut(target).and_then(|entry| entry.in_flight.as_mut());
        if let Some(InFlight { wanted: Wanted::Value { fingerprint: wanted, .. }, .. }) = flight {
            *wanted = fingerprint;
        }
    }

    /// How many values wait for their turn.
    pub(super) fn count_waiting(&self) -> usize {
        self.objects.count_waiting() + self.later.len()
    }

    /// When [`take`](Self::take) should be asked again; `None` when only an end of a write or a new wish can help.
    pub(super) fn wake_at(&self, now: Instant) -> Option<Instant> {
        let later = self.later.first().map(|(at, _)| *at);
        let full = self.in_flight >= self.most_in_flight();
        let others_too = self.others_in_flight < MOST_OTHERS_IN_FLIGHT;
        let load = |target: &Target| load_of(&self.entries, target);
        let ready = if full { None } else { self.objects.wake_at(others_too, now, load) };
        let earliest = ready.map(|at| self.outage.not_before(at));
        earliest.into_iter().chain(later).min()
    }

    /// Creating a Map ended. `there`: it is there now, made by us or by another writer.
    pub(super) fn map_created(&mut self, map: &Arc<str>, there: bool, wait: Option<Duration>, now: Instant) {
        self.in_flight -= 1;
        self.objects.creations(now).ended(1, 0, now);
        self.objects.change(&Object::Map(map.clone()), now, |state| {
            state.creating_map = false;
            state.pacer.ended(1, 0, now);
            state.map_is_missing = !there;
            if there {
                state.create_failures = 0;
            } else {
                let delay = BACKOFF.delay(state.create_failures, wait, fastrand::f64());
                state.create_failures = state.create_failures.saturating_add(1);
                state.create_not_before = Some(now + delay);
            }
        });
        if there {
            self.outage.ended();
        }
    }

    pub(super) fn ended(&mut self, target: &Target, outcome: WriteOutcome, now: Instant) {
        let Some(flight) = self.entries.get_mut(target).and_then(|entry| entry.in_flight.take()) else {
            return;
        };
        self.in_flight -= 1;
        self.others_in_flight -= usize::from(!flight.urgency.is_named());
        let requests = match &outcome {
            WriteOutcome::Landed { requests, .. } => *requests,
            // An update and a creation found that the Map is missing.
            WriteOutcome::NoMap => 2,
            WriteOutcome::Void => 0,
            WriteOutcome::NoDocument
            | WriteOutcome::Throttled(_)
            | WriteOutcome::Failed(_)
            | WriteOutcome::Refused => 1,
        };
        let object = target.object();
        if flight.creates {
            let creations = self.objects.creations(now);
            creations.ended(requests, 0, now);
            match &outcome {
                WriteOutcome::Landed { .. } => creations.landed(now),
                WriteOutcome::Throttled(wait) => creations.throttled(*wait, now),
                _ => {}
            }
        }
        self.objects.change(&object, now, |state| {
            state.in_flight = state.in_flight.saturating_sub(1);
            state.pacer.ended(requests, flight.wanted.size(), now);
            match &outcome {
                WriteOutcome::Landed { .. } => state.pacer.landed(now),
                WriteOutcome::NoMap => state.map_is_missing = true,
                WriteOutcome::Throttled(wait) if !flight.creates => state.pacer.throttled(*wait, now),
                _ => {}
            }
        });
        let mut again = None;
        match outcome {
            WriteOutcome::Landed { revision, .. } => {
                if self.outage.is_on() {
                    self.try_failing(now);
                }
                self.outage.ended();
                let entry = self.entries.entry(target.clone()).or_default();
                entry.failures = 0;
                entry.refused = false;
                entry.filled = true;
                entry.last_landed = Some(now);
                entry.held = match &flight.wanted {
                    Wanted::Value { fingerprint, .. } => Held::Value(*fingerprint, revision),
                    Wanted::Seed { .. } => Held::Other,
                    Wanted::Gone => Held::Nothing,
                };
                if let Some(waiting) = &mut entry.waiting {
                    let interval = self.ages.filter(|_| waiting.urgency == Urgency::Aged);
                    waiting.not_before = interval.map(|interval| now + interval);
                }
            }
            WriteOutcome::NoMap | WriteOutcome::NoDocument => {
                self.outage.ended();
                let entry = self.entries.entry(target.clone()).or_default();
                entry.held = Held::Nothing;
                again = Some(None);
            }
            WriteOutcome::Throttled(_) => again = Some(None),
            WriteOutcome::Failed(wait) => {
                // The write may have landed and only its answer was lost.
                self.entries.entry(target.clone()).or_default().held = Held::Other;
                self.outage.failed(target, now, wait);
                again = Some(Some(self.backoff(target, wait, now)));
            }
            WriteOutcome::Void => {}
            // Something newer may be right; the same value rests.
            WriteOutcome::Refused => {
                let entry = self.entries.entry(target.clone()).or_default();
                entry.refused = true;
                if entry.waiting.is_none() {
                    again = Some(Some(now + REFUSED_AGAIN));
                }
            }
        }
        if let Some(not_before) = again {
            self.put_back(target, flight, not_before);
        }
        self.queue(target, now);
        self.release_last(&object, now);
    }

    /// Whether what was found of a target may be older than a write of it.
    pub(super) fn knows_better(&self, target: &Target, found: &Found) -> bool {
        self.entries.get(target).is_some_and(|entry| {
            entry.in_flight.is_some() || entry.last_landed.is_some_and(|at| at >= found.looked_at)
        })
    }

    /// Compares what was found in an object with what we know and want there: anything of ours that is missing or was
    /// changed by another writer is wanted again, because of these events.
    pub(super) fn audit(
        &mut self,
        object: &Object,
        found: &Found,
        wanted_now: &HashMap<Target, Wanted>,
        events: impl Fn(&Target) -> Option<Trace>,
        now: Instant,
    ) {
        self.objects.change(object, now, |state| {
            state.looked_at = true;
            if let Object::Map(_) = object {
                state.map_is_missing = !found.map_is_there && !state.creating_map;
            }
        });
        let known = self.entries.keys().filter(|target| target.object() == *object).cloned();
        let found_or_wanted = found.targets.keys().chain(wanted_now.keys()).cloned();
        let targets: BTreeSet<Target> = known.chain(found_or_wanted).collect();
        for target in targets {
            if self.knows_better(&target, found) {
                // The next audit will tell.
                continue;
            }
            let entry = self.entries.entry(target.clone()).or_default();
            let there = found.targets.get(&target);
            entry.held = match there {
                None => Held::Nothing,
                Some((revision, fingerprint)) => Held::Value(*fingerprint, Some(revision.clone())),
            };
            match wanted_now.get(&target) {
                Some(Wanted::Seed { .. }) if there.is_some() => entry.held = Held::Other,
                Some(wanted) => self.want(&target, wanted.clone(), events(&target), now),
                None => {}
            }
        }
    }

    /// Targets with a change under way or waiting, except those that Sync refuses whatever we try.
    pub(super) fn unwritten(&self) -> BTreeSet<Target> {
        let unwritten = self.entries.iter().filter(|(_, entry)| entry.is_unwritten());
        unwritten.map(|(target, _)| target.clone()).collect()
    }

    pub(super) fn backlog(&self, now: Instant) -> Backlog {
        let mut backlog = Backlog {
            in_flight: self.in_flight,
            waiting: self.count_waiting(),
            headroom: self.objects.all().map(|state| state.pacer.headroom(now)).fold(1.0, f64::min),
            #[expect(clippy::cast_precision_loss, reason = "there are 20 at most")]
            places: 1.0 - self.in_flight as f64 / MOST_IN_FLIGHT as f64,
            ..Backlog::default()
        };
        for entry in self.entries.values().filter(|entry| entry.is_unwritten()) {
            backlog.unwritten += 1;
            for (urgency, since) in entry.unwritten_since() {
                let oldest = &mut backlog.oldest[urgency.index()];
                *oldest = oldest.iter().copied().chain([since]).min();
            }
        }
        backlog
    }

    /// The object that has more changes to write than Sync takes, if any has: the one whose change has waited longest for
    /// its budget.
    pub(super) fn at_limit(&self, now: Instant) -> Option<AtLimit> {
        if self.outage.is_on() {
            return None;
        }
        let is_late = |oldest: &Instant| now.saturating_duration_since(*oldest) >= AT_LIMIT_AFTER;
        let load = |target: &Target| load_of(&self.entries, target);
        // A Document that waits to be created waits for another budget than its own.
        let behind = self.objects.waiting().filter_map(|(object, state)| {
            let oldest = state.oldest_change().filter(is_late)?;
            let next = state.next(true, now).filter(|next| !load(&next.place.1).creates)?;
            Some((oldest, object, state, next))
        });
        let (oldest, object, state, next) = behind.min_by_key(|(oldest, ..)| *oldest)?;
        if self.objects.ready_at(&next, now, load) <= now {
            return None;
        }
        let waiting = state.count_changes();
        let writes_a_second = state.pacer.writes_a_second(load(&next.place.1).bytes);
        Some(AtLimit { object, waiting, oldest, writes_a_second })
    }

    pub(super) fn count_unwritten(&self) -> usize {
        self.entries.values().filter(|entry| entry.is_unwritten()).count()
    }

    /// Whether nothing waits and nothing is under way.
    pub(super) fn is_empty(&self) -> bool {
        self.in_flight == 0
            && self.entries.values().all(|entry| entry.waiting.is_none())
            && self.maps_are_there()
    }

    /// MapItems that are known to stand in Sync.
    pub(super) fn items(&self) -> Vec<Target> {
        let item = |target: &Target| matches!(target, Target::MapItem(..));
        let held = |entry: &Entry| !matches!(entry.held, Held::Nothing | Held::Unknown);
        self.entries.iter().filter(|(t, e)| item(t) && held(e)).map(|(target, _)| target.clone()).collect()
    }

    /// Whether no Map is known to be missing.
    pub(super) fn maps_are_there(&self) -> bool {
        self.objects.maps_are_there()
    }

    /// When a target was last brought to what was wanted.
    pub(super) fn last_landed(&self, target: &Target) -> Option<Instant> {
        self.entries.get(target)?.last_landed
    }

    fn take_map_creation(&mut self, now: Instant) -> Option<Write> {
        let object = self.objects.map_to_create(now)?.clone();
        let Object::Map(map) = &object else { return None };
        self.objects.creations(now).take(0, Urgency::Named, now);
        self.objects.change(&object, now, |state| {
            state.pacer.take(0, Urgency::Named, now);
            state.creating_map = true;
        });
        self.in_flight += 1;
        Some(Write::CreateMap(map.clone()))
    }

    fn forget(
        objects: &mut Objects,
        later: &mut BTreeSet<(Instant, Target)>,
        target: &Target,
        entry: &mut Entry,
    ) {
        let Some(waiting) = entry.waiting.take() else { return };
        objects.remove((waiting.urgency, waiting.since, target.clone()));
        if let Some(at) = waiting.not_before {
            later.remove(&(at, target.clone()));
        }
    }

    /// Puts a waiting target where it will be found, unless a write of it is under way.
    fn queue(&mut self, target: &Target, now: Instant) {
        let Some(entry) = self.entries.get(target) else { return };
        let Some(waiting) = entry.waiting.clone() else {
            if entry.in_flight.is_none() && entry.held == Held::Nothing {
                // Gone, as wanted: nothing to remember.
                self.entries.remove(target);
            }
            return;
        };
        if entry.in_flight.is_some() {
            return;
        }
        let held_until = self.held_until(target, waiting.since, now);
        match waiting.not_before.max(held_until).filter(|at| *at > now) {
            Some(at) => {
                if let Some(waiting) = self.entries.get_mut(target).and_then(|entry| entry.waiting.as_mut()) {
                    waiting.not_before = Some(at);
                }
                self.later.insert((at, target.clone()));
            }
            None => self.objects.add((waiting.urgency, waiting.since, target.clone()), now),
        }
    }

    fn wake_later(&mut self, now: Instant) {
        while let Some((at, _)) = self.later.first() {
            if *at > now {
                return;
            }
            if let Some((_, target)) = self.later.pop_first() {
                self.ready_now(&target, now);
            }
        }
    }

    /// Sync is back: what failed while it was away need not wait until its turn comes; budgets hold all the same.
    fn try_failing(&mut self, now: Instant) {
        let failed: Vec<_> =
            self.later.iter().filter(|(_, target)| !self.is_refused(target)).cloned().collect();
        for place in failed {
            self.later.remove(&place);
            self.ready_now(&place.1, now);
        }
    }

    fn is_refused(&self, target: &Target) -> bool {
        self.entries.get(target).is_some_and(|entry| entry.refused)
    }

    /// What waited for a moment waits only for its budget from now on.
    fn ready_now(&mut self, target: &Target, now: Instant) {
        if let Some(waiting) = self.entries.get_mut(target).and_then(|entry| entry.waiting.as_mut()) {
            waiting.not_before = None;
        }
        self.queue(target, now);
    }

    /// What could not be written waits again, unless something newer does; that may have to wait all the same.
    fn put_back(&mut self, target: &Target, flight: InFlight, not_before: Option<Instant>) {
        let entry = self.entries.entry(target.clone()).or_default();
        let InFlight { wanted, urgency, since, .. } = flight;
        match &mut entry.waiting {
            None => entry.waiting = Some(Waiting { wanted, urgency, since, not_before }),
            Some(waiting) => {
                // What is newer includes what failed, so it inherits its turn.
                waiting.urgency = waiting.urgency.min(urgency);
                waiting.since = waiting.since.min(since);
                waiting.not_before = not_before;
            }
        }
    }

    fn backoff(&mut self, target: &Target, wait: Option<Duration>, now: Instant) -> Instant {
        let entry = self.entries.entry(target.clone()).or_default();
        let delay = BACKOFF.delay(entry.failures, wait, fastrand::f64());
        entry.failures = entry.failures.saturating_add(1);
        now + delay
    }

    fn most_in_flight(&self) -> usize {
        if self.outage.is_on() { PROBES } else { MOST_IN_FLIGHT }
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "outbox/creations_tests.rs"]
mod creations_tests;
