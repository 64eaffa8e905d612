//! Items that are written after the others of their Map, because their readers then look at those.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use super::{Entry, Held, Outbox};
use crate::layout::{Object, Target};
use crate::publish::pacer::Urgency;

/// What is written last waits for the others of its Map this long; where the Map has more changes than Sync takes,
/// there would always be others.
pub(super) const LONGEST_HOLD: Duration = Duration::from_secs(5);

impl Outbox {
    /// These items are written after all others of their Map that wait or are under way, but for those that fail.
    pub(in crate::publish) fn write_last(&mut self, targets: BTreeSet<Target>) {
        self.last = targets;
    }

    /// Whether other items of a last one's Map are under way or have their turn before it. Those that fail are given up
    /// here: they may fail for a long time.
    pub(super) fn waits_for_others(&self, target: &Target) -> bool {
        self.objects
            .get(&target.object())
            .is_some_and(|state| state.in_flight > 0 || state.changes().any(|(_, other)| other != target))
    }

    /// The same, also of those that fail.
    pub(super) fn has_others(&self, target: &Target) -> bool {
        let object = target.object();
        let failing = || {
            let of_map = self.later.iter().filter(|(_, other)| other.object() == object && other != target);
            of_map.filter_map(|(_, other)| self.entries.get(other)).any(Entry::is_unwritten)
        };
        // One of those under way is the target itself.
        let in_flight = self.objects.get(&object).map_or(0, |state| state.in_flight);
        let state = self.objects.get(&object);
        let ready = state.is_some_and(|state| state.changes().any(|(_, other)| other != target));
        in_flight > 1 || ready || failing()
    }

    /// Until when a last item waits for the others of its Map.
    pub(super) fn held_until(&self, target: &Target, since: Instant, now: Instant) -> Option<Instant> {
        let until = since + LONGEST_HOLD;
        (self.last.contains(target) && until > now && self.waits_for_others(target)).then_some(until)
    }

    /// Lets the last item of a Map go if nothing is before it any more.
    pub(super) fn release_last(&mut self, object: &Object, now: Instant) {
        let Some(target) = self.last.iter().find(|target| target.object() == *object).cloned() else {
            return;
        };
        if self.waits_for_others(&target) {
            return;
        }
        // Asked in this order, since looking for others goes through all that waits.
        if self.owed.contains_key(&target)
            && !self.has_others(&target)
            && let Some(wanted) = self.owed.remove(&target)
        {
            let entry = self.entries.entry(target.clone()).or_default();
            if entry.waiting.is_none() && entry.in_flight.is_none() {
                entry.held = Held::Other;
                self.want(&target, wanted, None, now);
            }
        }
        let held = self.entries.get(&target).filter(|entry| entry.failures == 0 && !entry.refused);
        let waiting = held.and_then(|entry| entry.waiting.as_ref());
        let changed = waiting.filter(|waiting| waiting.urgency != Urgency::Aged);
        if let Some(at) = changed.and_then(|waiting| waiting.not_before)
            && self.later.remove(&(at, target.clone()))
        {
            self.ready_now(&target, now);
        }
    }
}

#[cfg(test)]
#[path = "last_tests.rs"]
mod tests;
