//! Events that named a TaskQueue and whose changes its statistics may not show yet. Pure.

use std::time::Duration;

use tokio::time::Instant;

use super::lag::{Lags, Look};

/// Events this near to each other are looked after together.
const TOGETHER: Duration = Duration::from_millis(50);
/// Groups of events of one TaskQueue that are looked after at once; the next one joins the last.
const MOST: usize = 8;

/// Groups of events, oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Awaited(Vec<Group>);

#[derive(Debug, Clone, Copy)]
struct Group {
    first: Instant,
    last: Instant,
    /// The begin of the read that showed a change that may be theirs.
    showed: Option<Instant>,
}

/// What a read revealed about awaited events.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Shown {
    /// A change showed late: the event's age at the last read that did not show it, and at the one that did.
    pub(super) late: Option<(Duration, Duration)>,
    /// Groups whose settling reads ended without any change.
    pub(super) without_change: u32,
}

impl Awaited {
    /// Adds an event that arrived.
    pub(super) fn event(&mut self, now: Instant) {
        let is_full = self.0.len() >= MOST;
        match self.0.last_mut() {
            Some(group) if is_full || now <= group.last + TOGETHER => group.last = now,
            _ => self.0.push(Group { first: now, last: now, showed: None }),
        }
    }

    /// A read begun at `started`, the last before it at `before`, told whether Tasks `moved`. The change is taken for
    /// the oldest event's, unless a newer event explains it: one that arrived within `spacing` of the read.
    pub(super) fn read(
        &mut self,
        moved: bool,
        before: Option<Instant>,
        started: Instant,
        spacing: Duration,
        lags: &Lags,
    ) -> Shown {
        let age = |event: Instant| started.saturating_duration_since(event);
        let is_explained = self.0.last().is_some_and(|group| age(group.last) <= spacing);
        let mut shown = Shown::default();
        let oldest = self.0.iter_mut().find(|group| age(group.first) > spacing);
        if moved
            && let Some(group) = oldest
            && group.showed.is_none()
        {
            group.showed = Some(started);
            if !is_explained {
                let missed =
                    before.map_or(Duration::ZERO, |before| before.saturating_duration_since(group.first));
                shown.late = Some((missed, age(group.first)));
            }
        }
        self.0.retain(|group| {
            let over = lags.after_named(group.last, started).is_none();
            if over && group.showed.is_none() {
                shown.without_change += 1;
            }
            // Events are taken together, and may show one after the other: one more look after the first change.
            let complete = group.showed.is_some_and(|showed| showed + TOGETHER <= started);
            !(over || complete)
        });
        shown
    }

    /// The next look after any of them, for a read begun at `started`.
    pub(super) fn next(&self, lags: &Lags, started: Instant) -> Option<Look> {
        self.0.iter().filter_map(|group| lags.after_named(group.last, started)).min_by_key(|look| look.at)
    }

    pub(super) fn oldest(&self) -> Option<Instant> {
        self.0.first().map(|group| group.first)
    }
}
