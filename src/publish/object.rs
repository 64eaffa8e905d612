//! One object of Sync as the outbox sees it: its budget, what waits for it, and which of that goes next. Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use super::pacer::{Pacer, Urgency};
use crate::layout::Target;

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
    pub(super) ready: [BTreeSet<(Instant, Target)>; Urgency::ALL.len()],
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
        if self.urgent_in_a_row >= URGENT_IN_A_ROW
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

    pub(super) fn is_active(&self) -> bool {
        self.map_is_missing || self.ready.iter().any(|ready| !ready.is_empty())
    }

    pub(super) fn waiting(&self) -> usize {
        self.ready.iter().map(BTreeSet::len).sum()
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
        }
    }
}
