//! One object of Sync as the outbox sees it: its budget, what waits for it, and which of that goes next. Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use super::pacer::{Pacer, Urgency};
use crate::layout::Target;

/// A target that waits: its urgency and since when, which set the order of writes.
pub(super) type Turn = (Urgency, Instant, Target);

/// Writes that may go to an object by urgency before the longest overdue one has its turn.
pub(super) const URGENT_IN_A_ROW: u32 = 11;

#[derive(Debug)]
pub(super) struct ObjectState {
    pub(super) pacer: Pacer,
    /// The object was audited, so an unknown target does not exist.
    pub(super) looked_at: bool,
    /// Writes by urgency since one that was overdue, while something else was overdue.
    pub(super) urgent_in_a_row: u32,
    /// Writes of its targets under way.
    pub(super) in_flight: usize,
    pub(super) map_is_missing: bool,
    pub(super) creating_map: bool,
    pub(super) create_not_before: Option<Instant>,
    pub(super) create_failures: u32,
    /// Waiting targets by since when, for each [`Urgency::index`].
    ready: [BTreeSet<(Instant, Target)>; Urgency::ALL.len()],
    /// Its place among all objects: its first waiting target, if that can be written.
    pub(super) place: Option<Turn>,
}

pub(super) struct NextWrite<'o> {
    /// The urgency that the budget charges: an overdue write sometimes counts as one that an event names.
    pub(super) passes_as: Urgency,
    pub(super) urgency: Urgency,
    pub(super) place: &'o (Instant, Target),
    /// The write goes because it is overdue, and not by its urgency.
    pub(super) is_overdue: bool,
}

/// How long something waits before it is overdue; what events name never is, as it goes first anyway.
pub(super) fn patience(urgency: Urgency) -> Duration {
    Duration::from_secs(match urgency {
        Urgency::Named => 0,
        Urgency::SideEffect => 5,
        Urgency::Filling => 20,
        Urgency::Aged => 30,
    })
}

impl NextWrite<'_> {
    pub(super) fn order(&self) -> (Urgency, &(Instant, Target)) {
        (self.passes_as, self.place)
    }
}

impl ObjectState {
    /// What is to be written next, as soon as the budget allows it.
    pub(super) fn next(&self, others_too: bool, now: Instant) -> Option<NextWrite<'_>> {
        if self.owes_a_turn()
            && let Some((urgency, place)) = self.overdue(others_too, now)
        {
            return Some(NextWrite { passes_as: Urgency::Named, urgency, place, is_overdue: true });
        }
        let allowed = Urgency::ALL.into_iter().filter(|urgency| others_too || urgency.is_named());
        let (urgency, place) = allowed.filter_map(|urgency| self.first(urgency)).next()?;
        Some(NextWrite { passes_as: urgency, urgency, place, is_overdue: false })
    }

    /// The longest overdue of what no event names.
    pub(super) fn overdue(&self, others_too: bool, now: Instant) -> Option<(Urgency, &(Instant, Target))> {
        let deadline = |urgency, place: &(Instant, Target)| place.0 + patience(urgency);
        let others = Urgency::ALL.into_iter().filter(|urgency| others_too && !urgency.is_named());
        let waiting = others.filter_map(|urgency| self.first(urgency));
        let overdue = waiting.filter(|(urgency, place)| deadline(*urgency, place) <= now);
        overdue.min_by_key(|(urgency, place)| deadline(*urgency, place))
    }

    fn first(&self, urgency: Urgency) -> Option<(Urgency, &(Instant, Target))> {
        Some((urgency, self.ready[urgency.index()].first()?))
    }

    /// The first that waits, by urgency alone.
    pub(super) fn turn(&self) -> Option<Turn> {
        let (urgency, (since, target)) = Urgency::ALL.into_iter().find_map(|urgency| self.first(urgency))?;
        Some((urgency, *since, target.clone()))
    }

    /// Whether the longest overdue target goes next, whatever is more urgent.
    pub(super) fn owes_a_turn(&self) -> bool {
        self.urgent_in_a_row >= URGENT_IN_A_ROW
    }

    /// Returns whether it was not there yet.
    pub(super) fn add(&mut self, (urgency, since, target): Turn) -> bool {
        self.ready[urgency.index()].insert((since, target))
    }

    /// Returns whether it was there.
    pub(super) fn remove(&mut self, (urgency, since, target): Turn) -> bool {
        self.ready[urgency.index()].remove(&(since, target))
    }

    /// Waiting targets whose value changed, by urgency.
    pub(super) fn changes(&self) -> impl Iterator<Item = &(Instant, Target)> {
        self.ready.iter().take(Urgency::Aged.index()).flatten()
    }

    pub(super) fn count_changes(&self) -> usize {
        self.ready.iter().take(Urgency::Aged.index()).map(BTreeSet::len).sum()
    }

    /// Since when the longest-waiting change waits.
    pub(super) fn oldest_change(&self) -> Option<Instant> {
        let changes = self.ready.iter().take(Urgency::Aged.index());
        changes.filter_map(|ready| ready.first()).map(|(since, _)| *since).min()
    }

    pub(super) fn create_at(&self, now: Instant) -> Instant {
        let ready = self.pacer.ready_at(0, Urgency::Named, now);
        ready.max(self.create_not_before.unwrap_or(ready))
    }
}

impl ObjectState {
    pub(super) fn new(pacer: Pacer) -> Self {
        Self {
            pacer,
            looked_at: false,
            urgent_in_a_row: 0,
            in_flight: 0,
            map_is_missing: false,
            creating_map: false,
            create_not_before: None,
            create_failures: 0,
            ready: Default::default(),
            place: None,
        }
    }
}
