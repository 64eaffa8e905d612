//! The part of the schedule that looks after events whose changes statistics show late.

use std::time::Duration;

use tokio::time::Instant;

use super::super::key::{Key, PARTS};
use super::super::slot::Touched;
use super::{Cause, MARKED, Schedule, settles};
use crate::event::Trace;
use crate::stats::{Moved, Scope};

/// An event that names a TaskQueue arrives within this time of its change; a change that shows earlier is no late one of an
/// event before it.
pub(super) const EVENT_UNDER_WAY: Duration = Duration::from_secs(1);

/// What the event of a late change touched was touched within this time.
const RELATED_WITHIN: Duration = Duration::from_secs(20);

/// A change that a settling read showed, and that looks late.
#[derive(Debug, Clone, Copy)]
pub(super) struct Suspect {
    pub(super) touched: Instant,
    /// The begin of the last read that did not show it.
    missed: Instant,
    started: Instant,
    pub(super) since: Instant,
}

impl Schedule {
    /// Late changes that no event has explained meanwhile were late indeed.
    pub(super) fn confirm_lags(&mut self, now: Instant) {
        let confirmed = |suspect: &Suspect| suspect.since + EVENT_UNDER_WAY <= now;
        let late: Vec<(Key, Suspect)> =
            self.suspects.iter().filter(|(_, s)| confirmed(s)).map(|(key, s)| (*key, *s)).collect();
        for (key, suspect) in late {
            self.suspects.remove(&key);
            let knew = self.lags.expects_lag(now);
            let age = |read: Instant| read.saturating_duration_since(suspect.touched);
            self.lags.learn(age(suspect.missed), age(suspect.started), suspect.started);
            if !knew {
                self.touch_related(key, now);
                self.look_sooner(now);
            }
        }
    }

    /// All that the awaited events of a TaskQueue touched, to be read at once, so that one write shows it.
    pub(super) fn look_closely(&mut self, key: Key) -> Vec<Key> {
        let oldest = self.slots.get(&key).and_then(|slot| slot.awaited.oldest());
        let Key::Queue(queue, ..) = key else { return Vec::new() };
        let scopes = Scope::each(self.channels.len());
        let keys = scopes.flat_map(|scope| PARTS.map(|part| Key::Queue(queue, scope, part)));
        let mut read = Vec::new();
        for key in keys {
            self.slots.change(key, |slot| {
                if slot.touched.one >= oldest && slot.touched.one.is_some() && !slot.reading_touched {
                    slot.named = true;
                    read.push(key);
                }
            });
        }
        read
    }

    /// A lag has shown: what was to be looked after once or twice is looked after in small steps from now on.
    pub(super) fn look_sooner(&mut self, now: Instant) {
        let (lags, alone) = (&self.lags, !self.needs.queues);
        self.slots.change_all(|key, slot| {
            if settles(key, alone) {
                slot.look_again(lags, now);
            }
        });
    }

    /// A settling read showed a late change: what else the event touched lagged as well.
    pub(super) fn touch_related(&mut self, key: Key, started: Instant) {
        let spacing = self.rhythm.spacing;
        let event = self.slots.get(&key).and_then(|slot| slot.event);
        let recent = started.checked_sub(RELATED_WITHIN);
        let queue = match key {
            Key::Queue(queue, ..) => Some(queue),
            _ => None,
        };
        let of_queue = queue.into_iter().flat_map(|queue| {
            let scopes = Scope::each(self.channels.len());
            scopes.flat_map(move |scope| PARTS.map(|part| Key::Queue(queue, scope, part)))
        });
        for other in PARTS.map(Key::Workspace).into_iter().chain(of_queue).filter(|other| *other != key) {
            let of_queue = matches!(other, Key::Queue(..));
            self.slots.change(other, |slot| {
                let related = !of_queue || slot.touched_after(recent);
                if related && !slot.is_read_since(started) {
                    slot.touch_due = Some(slot.earliest_touch(started, spacing));
                    slot.spaced = false;
                    slot.event = Trace::join(slot.event, event);
                }
            });
        }
    }

    /// A read of one key, begun at `started`, brought an answer. `moved` says what of realtime values changed.
    pub fn succeeded(&mut self, key: Key, cause: Cause, started: Instant, moved: impl Into<Moved>) {
        let (settles, moved) = (self.settles(key), moved.into());
        let read = self.slots.change(key, |slot| {
            let before = slot.last_shown;
            slot.ended(cause, started);
            slot.last_shown = before.max(Some(started));
            slot.not_before = None;
            (before, std::mem::take(&mut slot.failures) > 0)
        });
        let Some((before, had_failed)) = read else { return };
        if had_failed {
            self.try_failing(started);
        }
        let (lags, suspects, spacing) = (&mut self.lags, &mut self.suspects, self.rhythm.spacing);
        let is_late_as_known = self.slots.change(key, |slot| {
            let touched = slot.touched;
            if !settles || touched.each().next().is_none() {
                slot.shown(started);
                return false;
            }
            let knew = lags.expects_lag(started);
            let shown = slot.awaited.read(moved == Moved::Tasks, before, started, spacing, lags);
            // Late is what an earlier read should have shown. Reads may begin late for reasons of our own.
            let missed = |touched: &Instant| before.filter(|shown| shown >= touched);
            let is_late =
                |touched: &Instant| missed(touched).is_some() && lags.is_late(*touched, started, spacing);
            let late = match moved {
                Moved::Nothing => false,
                Moved::SideEffects => knew && touched.each().any(|event| is_late(&event)),
                Moved::Tasks if knew => shown.late.is_some() || touched.each().any(|event| is_late(&event)),
                Moved::Tasks => touched.one.iter().any(is_late),
            };
            // A lag is learnt from an event that names the TaskQueue, or each change would look late to an event before it; and
            // only if none arrives in the next moment that explains the change.
            let suspect = touched.one.filter(|_| late && !knew && moved == Moved::Tasks);
            if let Some((touched, missed)) = suspect.and_then(|touched| Some((touched, missed(&touched)?))) {
                suspects.insert(key, Suspect { touched, missed, started, since: started });
            }
            if let Some((missed, age)) = shown.late.filter(|_| knew) {
                lags.learn(missed, age, started);
            }
            (0..shown.without_change).for_each(|_| lags.rested());
            let look = slot.look_again(lags, started);
            slot.touched = Touched {
                one: touched.one.filter(|_| slot.awaited.oldest().is_some()),
                all: touched.all.filter(|all| lags.after_any(*all, started).is_some()),
            };
            let shows_within = lags.shows_within(started);
            if moved > Moved::Nothing || look.is_none() {
                // Of events that lag, later ones are still to come.
                let to_come = slot.awaited.oldest().filter(|_| knew).and_then(|at| at.checked_sub(MARKED));
                slot.shown(to_come.map_or(started, |at| at.min(started)));
            } else if let Some(past) = started.checked_sub(shows_within) {
                slot.shown(past);
            }
            late && knew
        });
        if is_late_as_known == Some(true) {
            self.touch_related(key, started);
        }
    }
}
