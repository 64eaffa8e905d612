//! All keys with their moments, in the order in which they are due. Pure.
//!
//! There are eight keys a TaskQueue, and what is due next is asked after every event and answer. So each kind of moment is
//! kept in order, and no question here goes through all keys.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;

use super::key::Key;
use super::slot::Slot;

/// Why a key is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Event,
    /// To look after an event again, together with others.
    Look,
    /// To look after one again by itself.
    Close,
    /// With a late change that a look has shown.
    Related,
    Timer,
}

impl Due {
    pub(super) const TOUCHED: [Self; 4] = [Self::Event, Self::Look, Self::Close, Self::Related];
    const KINDS: usize = 5;
}

#[derive(Debug)]
pub(super) struct Slots {
    slots: BTreeMap<Key, Slot>,
    /// By [`Due`].
    due: [BTreeSet<(Instant, Key)>; Due::KINDS],
    /// Which keys are looked at again after an event.
    settles: fn(Key) -> bool,
}

/// Where a key stands in `Slots::due`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    touched: Option<(Due, Instant)>,
    timer: Option<Instant>,
}

impl Slots {
    pub(super) fn new(settles: fn(Key) -> bool) -> Self {
        Self { slots: BTreeMap::new(), due: Default::default(), settles }
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Slot> {
        self.slots.get(key)
    }

    pub(super) fn contains(&self, key: &Key) -> bool {
        self.slots.contains_key(key)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.slots.keys()
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &Slot> {
        self.slots.values()
    }

    /// Changes one key's moments; `None` where there is no such key.
    pub(super) fn change<R>(&mut self, key: Key, change: impl FnOnce(&mut Slot) -> R) -> Option<R> {
        let slot = self.slots.get_mut(&key)?;
        let before = place(key, slot, self.settles);
        let result = change(slot);
        let after = place(key, slot, self.settles);
        move_key(&mut self.due, key, before, after);
        Some(result)
    }

    /// Changes the moments of all keys.
    pub(super) fn change_all(&mut self, mut change: impl FnMut(Key, &mut Slot)) {
        for (key, slot) in &mut self.slots {
            let before = place(*key, slot, self.settles);
            change(*key, slot);
            move_key(&mut self.due, *key, before, place(*key, slot, self.settles));
        }
    }

    /// Adds keys that are due at once, unless they are there.
    pub(super) fn add(&mut self, keys: impl Iterator<Item = Key>, now: Instant) {
        for key in keys {
            if let Entry::Vacant(vacant) = self.slots.entry(key) {
                let slot = vacant.insert(Slot::due(now));
                let nowhere = Place { touched: None, timer: None };
                move_key(&mut self.due, key, nowhere, place(key, slot, self.settles));
            }
        }
    }

    /// Forgets the other keys.
    pub(super) fn retain(&mut self, keep: impl Fn(&Key) -> bool) {
        self.slots.retain(|key, _| keep(key));
        for due in &mut self.due {
            due.retain(|(_, key)| keep(key));
        }
    }

    /// When the first key is due for this reason.
    pub(super) fn first(&self, due: Due) -> Option<Instant> {
        self.due[due as usize].first().map(|(at, _)| *at)
    }

    /// The keys that are due for this reason.
    pub(super) fn due(&self, due: Due, now: Instant) -> impl Iterator<Item = Key> {
        let in_order = self.due[due as usize].iter();
        in_order.take_while(move |(at, _)| *at <= now).map(|(_, key)| *key)
    }
}

fn place(key: Key, slot: &Slot, settles: fn(Key) -> bool) -> Place {
    let why = match slot.spaced {
        true => Due::Event,
        false if slot.closely => Due::Close,
        false if settles(key) => Due::Look,
        false => Due::Related,
    };
    Place { touched: slot.next_touched().map(|at| (why, at)), timer: slot.next_timer() }
}

fn move_key(due: &mut [BTreeSet<(Instant, Key)>], key: Key, before: Place, after: Place) {
    let timer = |place: Place| place.timer.map(|at| (Due::Timer, at));
    for (before, after) in [(before.touched, after.touched), (timer(before), timer(after))] {
        if before == after {
            continue;
        }
        if let Some((why, at)) = before {
            due[why as usize].remove(&(at, key));
        }
        if let Some((why, at)) = after {
            due[why as usize].insert((at, key));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::super::key::Part;
    use super::*;
    use crate::sid::TaskQueueSid;
    use crate::stats::Scope;

    fn key(n: u8) -> Key {
        let queue: TaskQueueSid = format!("WQ{n:032x}").parse().unwrap();
        Key::Queue(queue, Scope::ALL, if n.is_multiple_of(2) { Part::Realtime } else { Part::Cumulative })
    }

    fn settles(key: Key) -> bool {
        matches!(key, Key::Queue(_, _, Part::Realtime))
    }

    proptest! {
        /// Whatever changes, each question has the answer that a walk through all keys would give.
        #[test]
        fn the_order_is_that_of_the_moments(
            changes in proptest::collection::vec((0_u8..6, 0_u64..20, any::<[bool; 4]>(), any::<bool>()), 1..60),
        ) {
            let start = Instant::now();
            let mut slots = Slots::new(settles);
            slots.add((0..5).map(key), start);
            for (n, at, [touched, spaced, closely, reading], all) in changes {
                let at = start + Duration::from_millis(at);
                let change = |slot: &mut Slot| {
                    slot.touch_due = touched.then_some(at);
                    (slot.spaced, slot.closely, slot.reading_touched) = (spaced, closely, reading);
                    slot.timer_due = at;
                };
                match (n, all) {
                    (_, true) => slots.change_all(|_, slot| change(slot)),
                    (5, false) => slots.retain(|other| *other != key(0)),
                    (n, false) => _ = slots.change(key(n), change),
                }
                for due in [Due::Event, Due::Look, Due::Close, Due::Related, Due::Timer] {
                    let moment = |(key, slot): (&Key, &Slot)| {
                        let place = place(*key, slot, settles);
                        let touched = place.touched.filter(|(why, _)| *why == due).map(|(_, at)| at);
                        let at = if due == Due::Timer { place.timer } else { touched };
                        at.map(|at| (at, *key))
                    };
                    let walked: BTreeSet<_> = slots.slots.iter().filter_map(moment).collect();
                    prop_assert_eq!(slots.first(due), walked.first().map(|(at, _)| *at));
                    let now = start + Duration::from_millis(10);
                    let keys: Vec<_> = walked.iter().filter(|(at, _)| *at <= now).map(|(_, key)| *key).collect();
                    prop_assert_eq!(slots.due(due, now).collect::<Vec<_>>(), keys);
                }
            }
        }
    }
}
