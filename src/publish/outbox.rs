//! What is to be written, what Sync holds, and which write goes next. Pure: the worker around it waits and sends.
//!
//! Each target has one place: a newer value replaces an older one that has not been sent, so a backlog can't grow beyond
//! the number of targets and nothing older than the newest is ever sent. A target is written by one request at a time.
//! Changes go before ages; within a class the longest-waiting goes first.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::outage::{Outage, PROBES};
use super::pacer::{Class, Pacer};
use super::wanted::{Found, Outcome, Wanted, Write};
use crate::event::Trace;
use crate::layout::{Fingerprint, Object, Target};
use crate::twilio::retry::Backoff;
use crate::twilio::sync::Revision;

/// Sync accepts about 20 concurrent updates.
const MOST_IN_FLIGHT: usize = crate::twilio::MOST_SYNC_WRITES_IN_FLIGHT;
/// Of which writes of mere ages take no more than this.
const MOST_AGED_IN_FLIGHT: usize = 15;
/// One target's retries.
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(200), longest: Duration::from_secs(3) };
/// A value that Sync refused for what it is comes up again after this time, or when it changes.
const REFUSED_AGAIN: Duration = Duration::from_secs(60);

/// The state of all targets.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    entries: HashMap<Target, Entry>,
    objects: BTreeMap<Object, ObjectState>,
    /// Targets to try again, by when.
    later: BTreeSet<(Instant, Target)>,
    in_flight: usize,
    aged_in_flight: usize,
    outage: Outage,
    /// Until when somebody else may have spent the objects' budgets.
    spent_until: Option<Instant>,
}

/// How far behind the writes are.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// Writes under way.
    pub(super) in_flight: usize,
    /// Targets that wait for their turn.
    pub(super) waiting: usize,
    /// Targets with a change that is not written.
    pub(super) unwritten: usize,
    /// Since when the oldest of these changes is known.
    pub(super) oldest: Option<Instant>,
    /// The least share of its budget that is left to any object.
    pub(super) headroom: f64,
    /// The share of the places for writes under way that is free.
    pub(super) places: f64,
}

#[derive(Debug)]
struct ObjectState {
    pacer: Pacer,
    map_is_missing: bool,
    creating_map: bool,
    create_not_before: Option<Instant>,
    create_failures: u32,
    /// Waiting targets by class and since when.
    ready: BTreeSet<(Class, Instant, Target)>,
}

#[derive(Debug, Default)]
struct Entry {
    waiting: Option<Waiting>,
    in_flight: Option<InFlight>,
    /// The events that what waits is to show.
    event: Option<Trace>,
    /// What Sync holds, as far as we know.
    held: Held,
    last_landed: Option<Instant>,
    failures: u32,
    /// The last write was refused for what it is.
    refused: bool,
}

#[derive(Debug, Clone)]
struct Waiting {
    wanted: Wanted,
    class: Class,
    since: Instant,
    not_before: Option<Instant>,
}

#[derive(Debug)]
struct InFlight {
    wanted: Wanted,
    class: Class,
    since: Instant,
}

#[derive(Debug, Default, PartialEq)]
enum Held {
    /// Not looked at yet.
    #[default]
    Unknown,
    /// Nothing.
    Nothing,
    /// Something that we did not write, or not last.
    Other,
    /// This.
    Value(Fingerprint, Option<Revision>),
}

impl Outbox {
    /// Somebody else may have spent the objects' budgets until this moment.
    pub(super) fn budgets_are_spent(&mut self, now: Instant) {
        self.spent_until = Some(now);
        self.objects.values_mut().for_each(|state| state.pacer = Pacer::spent(now));
    }

    /// Wants something of a target from now on; what was wanted and not sent yet is forgotten.
    pub(super) fn want(&mut self, target: &Target, wanted: Wanted, now: Instant) {
        let entry = self.entries.entry(target.clone()).or_default();
        let reference = match &entry.in_flight {
            Some(flight) => flight.wanted.fingerprint(),
            None => entry.held.fingerprint(),
        };
        let class = match (&wanted, reference) {
            (Wanted::Value { fingerprint, .. }, Some(held)) if *fingerprint == held => {
                // Sync holds it, or will in a moment; an older wish is void.
                entry.event = None;
                Self::forget(&mut self.objects, &mut self.later, target, entry);
                return;
            }
            (Wanted::Value { fingerprint, .. }, Some(held)) if fingerprint.content == held.content => {
                Class::Aged
            }
            (Wanted::Gone, _) if entry.held == Held::Nothing && entry.in_flight.is_none() => {
                Self::forget(&mut self.objects, &mut self.later, target, entry);
                self.entries.remove(target);
                return;
            }
            _ => Class::Changed,
        };
        // A change that waits already keeps its turn; a mere age goes by when the target was written last.
        let earlier = entry.waiting.as_ref().filter(|waiting| waiting.class == class);
        let since = match (earlier, class) {
            (Some(waiting), _) => waiting.since,
            (None, Class::Changed) => now,
            (None, Class::Aged) => entry.last_landed.unwrap_or(now),
        };
        let not_before = entry.waiting.as_ref().and_then(|waiting| waiting.not_before);
        Self::forget(&mut self.objects, &mut self.later, target, entry);
        entry.waiting = Some(Waiting { wanted, class, since, not_before });
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
        let aged_too = self.aged_in_flight < MOST_AGED_IN_FLIGHT;
        let mut best: Option<(Class, Instant, Target)> = None;
        for state in self.objects.values().filter(|state| !state.map_is_missing && !state.creating_map) {
            let Some(first) = state.ready.first() else { continue };
            let better = best.as_ref().is_none_or(|best| first < best);
            let allowed = first.0 == Class::Changed || aged_too;
            let size = self.entries.get(&first.2).map_or(0, Entry::size);
            if better && allowed && state.pacer.ready_at(size, first.0, now) <= now {
                best = Some(first.clone());
            }
        }
        let (class, since, target) = best?;
        let state = self.objects.get_mut(&target.object())?;
        let entry = self.entries.get_mut(&target)?;
        let waiting = entry.waiting.take()?;
        state.ready.remove(&(class, since, target.clone()));
        state.pacer.take(waiting.wanted.size(), class, now);
        self.in_flight += 1;
        self.aged_in_flight += usize::from(class == Class::Aged);
        entry.in_flight = Some(InFlight { wanted: waiting.wanted.clone(), class, since });
        let there = !matches!(entry.held, Held::Nothing);
        let event = entry.event.take();
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
        self.objects.values().map(|state| state.ready.len()).sum::<usize>() + self.later.len()
    }

    /// When [`take`](Self::take) should be asked again; `None` when only an end of a write or a new wish can help.
    pub(super) fn wake_at(&self, now: Instant) -> Option<Instant> {
        let later = self.later.first().map(|(at, _)| *at);
        let full = self.in_flight >= self.most_in_flight();
        let aged_full = self.aged_in_flight >= MOST_AGED_IN_FLIGHT;
        let objects = self.objects.values().filter(|_| !full);
        let ready = objects.filter_map(|state| {
            if state.creating_map {
                return None;
            }
            if state.map_is_missing {
                return Some(state.create_at(now));
            }
            let (class, _, target) = state.ready.first()?;
            let size = self.entries.get(target).map_or(0, Entry::size);
            (!aged_full || *class == Class::Changed).then(|| state.pacer.ready_at(size, *class, now))
        });
        let earliest = ready.min().map(|at| self.outage.not_before(at));
        earliest.into_iter().chain(later).min()
    }

    /// Creating a Map ended. `there`: it is there now, made by us or by somebody else.
    pub(super) fn map_created(&mut self, map: &Arc<str>, there: bool, wait: Option<Duration>, now: Instant) {
        self.in_flight -= 1;
        let state = self.object(Object::Map(map.clone()), now);
        state.creating_map = false;
        state.map_is_missing = !there;
        if there {
            state.create_failures = 0;
            self.outage.ended();
        } else {
            let delay = BACKOFF.delay(state.create_failures, wait, fastrand::f64());
            state.create_failures = state.create_failures.saturating_add(1);
            state.create_not_before = Some(now + delay);
        }
    }

    /// A write of a target ended.
    pub(super) fn ended(&mut self, target: &Target, outcome: Outcome, now: Instant) {
        let Some(flight) = self.entries.get_mut(target).and_then(|entry| entry.in_flight.take()) else {
            return;
        };
        self.in_flight -= 1;
        self.aged_in_flight -= usize::from(flight.class == Class::Aged);
        let bytes = flight.wanted.size();
        let mut again = None;
        match outcome {
            Outcome::Landed { revision, requests } => {
                if self.outage.is_on() {
                    self.try_failing(now);
                }
                self.outage.ended();
                let pacer = &mut self.object(target.object(), now).pacer;
                pacer.spend(requests.saturating_sub(1), bytes, now);
                pacer.landed(now);
                let entry = self.entries.entry(target.clone()).or_default();
                entry.failures = 0;
                entry.refused = false;
                entry.last_landed = Some(now);
                entry.held = match &flight.wanted {
                    Wanted::Value { fingerprint, .. } => Held::Value(*fingerprint, revision),
                    Wanted::Seed { .. } => Held::Other,
                    Wanted::Gone => Held::Nothing,
                };
                if let Some(waiting) = &mut entry.waiting {
                    waiting.not_before = None;
                }
            }
            Outcome::NoMap => {
                self.outage.ended();
                self.object(target.object(), now).map_is_missing = true;
                let entry = self.entries.entry(target.clone()).or_default();
                entry.held = Held::Nothing;
                again = Some(None);
            }
            Outcome::Throttled(wait) => {
                self.object(target.object(), now).pacer.throttled(wait, now);
                again = Some(None);
            }
            Outcome::Failed(wait) => {
                // The write may have landed and only its answer was lost.
                self.entries.entry(target.clone()).or_default().held = Held::Other;
                self.outage.failed(target, now, wait);
                again = Some(Some(self.backoff(target, wait, now)));
            }
            Outcome::Void => {}
            // Something newer may be right; the same value rests.
            Outcome::Refused => {
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
    }

    /// Whether what was found of a target may be older than a write of it.
    pub(super) fn knows_better(&self, target: &Target, found: &Found) -> bool {
        self.entries.get(target).is_some_and(|entry| {
            entry.in_flight.is_some() || entry.last_landed.is_some_and(|at| at >= found.looked_at)
        })
    }

    /// Compares what was found in an object with what we know and want there: anything of ours that is missing or was
    /// changed by somebody else is wanted again.
    pub(super) fn audit(
        &mut self,
        object: &Object,
        found: &Found,
        wanted_now: &HashMap<Target, Wanted>,
        now: Instant,
    ) {
        if let Object::Map(_) = object {
            let state = self.object(object.clone(), now);
            state.map_is_missing = !found.map_is_there && !state.creating_map;
        }
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
                Some(wanted) => self.want(&target, wanted.clone(), now),
                None => {}
            }
        }
    }

    /// Targets with a change under way or waiting, except those that Sync refuses whatever we try.
    pub(super) fn unwritten(&self) -> BTreeSet<Target> {
        let unwritten = self.entries.iter().filter(|(_, entry)| entry.is_unwritten());
        unwritten.map(|(target, _)| target.clone()).collect()
    }

    /// How far behind the writes are.
    pub(super) fn backlog(&self, now: Instant) -> Backlog {
        let mut backlog = Backlog {
            in_flight: self.in_flight,
            waiting: self.count_waiting(),
            headroom: self.objects.values().map(|state| state.pacer.headroom(now)).fold(1.0, f64::min),
            #[expect(clippy::cast_precision_loss, reason = "there are 20 at most")]
            places: 1.0 - self.in_flight as f64 / MOST_IN_FLIGHT as f64,
            ..Backlog::default()
        };
        for entry in self.entries.values().filter(|entry| entry.is_unwritten()) {
            backlog.unwritten += 1;
            let since = entry.unwritten_since();
            backlog.oldest = backlog.oldest.into_iter().chain(since).min();
        }
        backlog
    }

    /// How many those are.
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
        self.objects.values().all(|state| !state.map_is_missing)
    }

    /// When a target was last brought to what was wanted.
    pub(super) fn last_landed(&self, target: &Target) -> Option<Instant> {
        self.entries.get(target)?.last_landed
    }

    fn take_map_creation(&mut self, now: Instant) -> Option<Write> {
        let due =
            |state: &ObjectState| state.map_is_missing && !state.creating_map && state.create_at(now) <= now;
        let (object, state) = self.objects.iter_mut().find(|(_, state)| due(state))?;
        let Object::Map(map) = object else { return None };
        state.pacer.take(0, Class::Changed, now);
        state.creating_map = true;
        self.in_flight += 1;
        Some(Write::CreateMap(map.clone()))
    }

    fn object(&mut self, object: Object, now: Instant) -> &mut ObjectState {
        let spent_until = self.spent_until;
        self.objects.entry(object).or_insert_with(|| ObjectState {
            pacer: spent_until.map_or_else(|| Pacer::new(now), Pacer::spent),
            map_is_missing: false,
            creating_map: false,
            create_not_before: None,
            create_failures: 0,
            ready: BTreeSet::new(),
        })
    }

    /// Takes a target out of all queues.
    fn forget(
        objects: &mut BTreeMap<Object, ObjectState>,
        later: &mut BTreeSet<(Instant, Target)>,
        target: &Target,
        entry: &mut Entry,
    ) {
        let Some(waiting) = entry.waiting.take() else { return };
        if let Some(state) = objects.get_mut(&target.object()) {
            state.ready.remove(&(waiting.class, waiting.since, target.clone()));
        }
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
        match waiting.not_before.filter(|at| *at > now) {
            Some(at) => {
                self.later.insert((at, target.clone()));
            }
            None => {
                let ready = &mut self.object(target.object(), now).ready;
                ready.insert((waiting.class, waiting.since, target.clone()));
            }
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
        let InFlight { wanted, class, since } = flight;
        match &mut entry.waiting {
            None => entry.waiting = Some(Waiting { wanted, class, since, not_before }),
            Some(waiting) => {
                // What is newer includes what failed, so it inherits its turn.
                waiting.class = waiting.class.min(class);
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

impl ObjectState {
    fn create_at(&self, now: Instant) -> Instant {
        let ready = self.pacer.ready_at(0, Class::Changed, now);
        ready.max(self.create_not_before.unwrap_or(ready))
    }
}

impl Entry {
    fn is_unwritten(&self) -> bool {
        let waiting = self.waiting.as_ref().is_some_and(|waiting| waiting.class == Class::Changed);
        let flying = self.in_flight.as_ref().is_some_and(|flight| flight.class == Class::Changed);
        (waiting || flying) && !self.refused
    }

    /// When the oldest change of this target that is not written came up.
    fn unwritten_since(&self) -> Option<Instant> {
        let waiting = self.waiting.as_ref().filter(|waiting| waiting.class == Class::Changed);
        let flying = self.in_flight.as_ref().filter(|flight| flight.class == Class::Changed);
        waiting.map(|waiting| waiting.since).into_iter().chain(flying.map(|flight| flight.since)).min()
    }

    fn size(&self) -> usize {
        self.waiting.as_ref().map_or(0, |waiting| waiting.wanted.size())
    }
}

impl Held {
    fn fingerprint(&self) -> Option<Fingerprint> {
        match self {
            Self::Value(fingerprint, _) => Some(*fingerprint),
            Self::Unknown | Self::Nothing | Self::Other => None,
        }
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
