//! All objects that the outbox writes to, and whose turn it is. Pure.
//!
//! A large centre has thousands of objects, most of which have nothing to write, and a change of one Worker may give all of
//! them something. So the objects stand in the order of their turns, and the next write is found without going through them.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;

use super::object::{NextWrite, ObjectState, Turn};
use super::pacer::{Pacer, Urgency};
use crate::layout::{Object, Target};

/// What one write takes of Sync's budgets.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Load {
    /// The payload.
    pub(super) bytes: usize,
    /// It creates a Document.
    pub(super) creates: bool,
}

#[derive(Debug, Default)]
pub(super) struct Objects {
    states: BTreeMap<Object, ObjectState>,
    /// The first waiting target of each object whose targets can be written.
    turns: BTreeSet<Turn>,
    /// Objects whose longest overdue target goes before what is more urgent.
    owing: BTreeSet<Object>,
    /// Maps that are missing in Sync.
    missing: BTreeSet<Object>,
    waiting: usize,
    /// Until when another writer may have spent the objects' budgets.
    spent_until: Option<Instant>,
    /// Creations in the whole Sync Service, which Twilio limits as it limits the writes to one object: to 20 a second (its
    /// page on error 54009).
    creations: Option<Pacer>,
}

impl Objects {
    pub(super) fn get(&self, object: &Object) -> Option<&ObjectState> {
        self.states.get(object)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &ObjectState> {
        self.states.values()
    }

    /// Those with something to write.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (Object, &ObjectState)> {
        self.turns.iter().filter_map(|(_, _, target)| {
            let object = target.object();
            let state = self.states.get(&object)?;
            Some((object, state))
        })
    }

    /// How many targets wait for their turn.
    pub(super) fn count_waiting(&self) -> usize {
        self.waiting
    }

    /// Whether no Map is known to be missing.
    pub(super) fn maps_are_there(&self) -> bool {
        self.missing.is_empty()
    }

    /// Another writer may have spent the budgets until this moment.
    pub(super) fn budgets_are_spent(&mut self, now: Instant) {
        self.spent_until = Some(now);
        self.states.values_mut().for_each(|state| state.pacer = Pacer::spent(now));
        self.creations = Some(Pacer::spent(now));
    }

    /// The budget of creations.
    pub(super) fn creations(&mut self, now: Instant) -> &mut Pacer {
        self.creations.get_or_insert_with(|| Pacer::new(now))
    }

    /// When the next Map or Document may be created. Urgency only sets which goes first: a creation comes once.
    fn creation_at(&self, now: Instant) -> Instant {
        self.creations.as_ref().map_or(now, |pacer| pacer.ready_at(0, Urgency::Named, now))
    }

    /// Changes one object, which begins to exist here if it must.
    pub(super) fn change<R>(
        &mut self,
        object: &Object,
        now: Instant,
        change: impl FnOnce(&mut ObjectState) -> R,
    ) -> R {
        let spent_until = self.spent_until;
        let new = || ObjectState::new(spent_until.map_or_else(|| Pacer::new(now), Pacer::spent));
        let result = change(self.states.entry(object.clone()).or_insert_with(new));
        self.place(object);
        result
    }

    /// A target waits for its turn.
    pub(super) fn add(&mut self, turn: Turn, now: Instant) {
        let object = turn.2.object();
        self.waiting += usize::from(self.change(&object, now, |state| state.add(turn)));
    }

    /// A target waits no longer.
    pub(super) fn remove(&mut self, turn: Turn) {
        let object = turn.2.object();
        let Some(state) = self.states.get_mut(&object) else { return };
        self.waiting -= usize::from(state.remove(turn));
        self.place(&object);
    }

    /// The first in order of those that their budgets allow now; `load` tells what the write that waits for a target takes.
    pub(super) fn next(
        &self,
        others_too: bool,
        now: Instant,
        load: impl Fn(&Target) -> Load,
    ) -> Option<NextWrite<'_>> {
        let creation_at = self.creation_at(now);
        let is_ready = |next: &NextWrite<'_>| self.ready_with(next, creation_at, now, &load) <= now;
        let owed = self.owed(others_too, now).filter(is_ready).min_by(|a, b| a.order().cmp(&b.order()));
        let in_turn = self.in_turn(others_too, now).find(is_ready);
        owed.into_iter().chain(in_turn).min_by(|a, b| a.order().cmp(&b.order()))
    }

    /// When [`next`](Self::next) should be asked again, or a Map be created.
    pub(super) fn wake_at(
        &self,
        others_too: bool,
        now: Instant,
        load: impl Fn(&Target) -> Load,
    ) -> Option<Instant> {
        let candidates = self.owed(others_too, now).chain(self.in_turn(others_too, now));
        let creation_at = self.creation_at(now);
        let ready = candidates.map(|next| self.ready_with(&next, creation_at, now, &load));
        let missing = self.missing.iter().filter_map(|map| self.states.get(map));
        let create = missing.filter(|state| !state.creating_map);
        let create = create.map(|state| state.create_at(now).max(creation_at));
        ready.chain(create).min()
    }

    /// A missing Map whose creation is due.
    pub(super) fn map_to_create(&self, now: Instant) -> Option<&Object> {
        if self.missing.is_empty() || self.creation_at(now) > now {
            return None;
        }
        self.missing.iter().find(|map| {
            let state = self.states.get(*map);
            state.is_some_and(|state| !state.creating_map && state.create_at(now) <= now)
        })
    }

    /// When the budgets allow this write.
    pub(super) fn ready_at(
        &self,
        next: &NextWrite<'_>,
        now: Instant,
        load: impl Fn(&Target) -> Load,
    ) -> Instant {
        self.ready_with(next, self.creation_at(now), now, &load)
    }

    fn ready_with(
        &self,
        next: &NextWrite<'_>,
        creation_at: Instant,
        now: Instant,
        load: &impl Fn(&Target) -> Load,
    ) -> Instant {
        let Load { bytes, creates } = load(&next.place.1);
        if creates && creation_at > now {
            // Thousands of Documents may wait for this, so it is enough to know that none can be created yet.
            return creation_at;
        }
        let state = self.states.get(&next.place.1.object());
        state.map_or(now, |state| state.pacer.ready_at(bytes, next.passes_as, now))
    }

    /// What each object that owes a turn would write next.
    fn owed(&self, others_too: bool, now: Instant) -> impl Iterator<Item = NextWrite<'_>> {
        let states = self.owing.iter().filter_map(|object| self.states.get(object));
        states.filter(|state| state.place.is_some()).filter_map(move |state| state.next(others_too, now))
    }

    /// What each other object would write next, in order.
    fn in_turn(&self, others_too: bool, now: Instant) -> impl Iterator<Item = NextWrite<'_>> {
        let turns = self.turns.iter().take_while(move |(urgency, ..)| others_too || urgency.is_named());
        let states = turns.filter_map(|(_, _, target)| self.states.get(&target.object()));
        states.filter(|state| !state.owes_a_turn()).filter_map(move |state| state.next(others_too, now))
    }

    /// Puts an object into its place, after it changed.
    fn place(&mut self, object: &Object) {
        let Some(state) = self.states.get_mut(object) else { return };
        set(&mut self.missing, object, state.map_is_missing);
        set(&mut self.owing, object, state.owes_a_turn());
        let turn = if state.map_is_missing || state.creating_map { None } else { state.turn() };
        if state.place == turn {
            return;
        }
        if let Some(before) = std::mem::replace(&mut state.place, turn.clone()) {
            self.turns.remove(&before);
        }
        self.turns.extend(turn);
    }
}

fn set(objects: &mut BTreeSet<Object>, object: &Object, holds: bool) {
    if holds {
        if !objects.contains(object) {
            objects.insert(object.clone());
        }
    } else if !objects.is_empty() {
        objects.remove(object);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::publish::pacer::Urgency;

    fn target(n: usize) -> Target {
        match n % 3 {
            0 => Target::Document(format!("d{n}").into()),
            map => Target::MapItem(format!("m{map}").into(), format!("k{n}").into()),
        }
    }

    proptest! {
        /// Whatever waits, the next write is the one that a walk through all objects would find.
        #[test]
        fn the_next_write_is_that_of_a_walk_through_all(
            steps in proptest::collection::vec((0_usize..12, 0_usize..4, 0_u64..12_000, 0_u32..14, any::<[bool; 3]>()), 1..80),
        ) {
            let (start, load) = (Instant::now(), |target: &Target| Load { bytes: 900, creates: matches!(target, Target::Document(_)) });
            let mut objects = Objects::default();
            let mut waiting = BTreeSet::new();
            for (n, urgency, at, in_a_row, [add, missing, others_too]) in steps {
                let now = start + Duration::from_millis(at);
                let turn = (Urgency::ALL[urgency], now, target(n));
                if add {
                    objects.add(turn.clone(), now);
                    waiting.insert(turn);
                } else if let Some(turn) = waiting.pop_first() {
                    objects.remove(turn);
                }
                objects.change(&target(n).object(), now, |state| {
                    state.urgent_in_a_row = in_a_row;
                    state.map_is_missing = missing && n % 3 > 0;
                    state.pacer.take(900, Urgency::Named, now);
                });
                let order = |next: &NextWrite<'_>| (next.passes_as, next.place.clone());
                let walk = || {
                    let states = objects.all().filter(|state| !state.map_is_missing);
                    let nexts = states.filter_map(|state| state.next(others_too, now));
                    nexts.map(|next| (objects.ready_at(&next, now, load), order(&next)))
                };
                let best = walk().filter(|(ready, _)| *ready <= now).map(|(_, order)| order).min();
                prop_assert_eq!(objects.next(others_too, now, load).as_ref().map(order), best);
                let create = objects.all().filter(|state| state.map_is_missing).map(|state| state.create_at(now));
                let wake = walk().map(|(ready, _)| ready).chain(create).min();
                prop_assert_eq!(objects.wake_at(others_too, now, load), wake);
                prop_assert_eq!(objects.count_waiting(), waiting.len());
            }
        }
    }
}
