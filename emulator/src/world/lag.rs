//! Statistics that run behind: a second set of figures, fed with the same changes a while later.
//!
//! Real-time statistics of TaskRouter may lag the events by seconds, so a client that asks right after a callback can
//! still be shown the old numbers. The second set exists only while a lag is set.

use std::collections::VecDeque;

use super::Inner;
use crate::state::State;
use crate::state::change::Change;
use crate::statistics::figures::Figures;

/// Changes held back at most; beyond that the oldest are shown early rather than using more memory.
const HELD_BACK: usize = 1_000_000;

/// Figures as they were, and the changes still to be shown.
#[derive(Debug)]
pub(crate) struct Lagging {
    figures: Figures,
    pending: VecDeque<(i64, Change)>,
}

impl Lagging {
    pub(crate) fn push(&mut self, at: i64, change: Change) {
        self.pending.push_back((at, change));
        if self.pending.len() > HELD_BACK
            && let Some((at, change)) = self.pending.pop_front()
        {
            self.figures.apply(at, &change);
        }
    }

    fn catch_up(&mut self, until: i64) {
        while self.pending.front().is_some_and(|(at, _)| *at <= until) {
            let Some((at, change)) = self.pending.pop_front() else { return };
            self.figures.apply(at, &change);
        }
    }
}

impl Inner {
    /// The state (which never lags) and the figures that statistics answer from.
    pub(crate) fn visible(&mut self, now: i64) -> (&State, &Figures) {
        if let Some(lagging) = &mut self.lagging {
            lagging.catch_up(now.saturating_sub(self.lag_ms));
            if self.lag_ms == 0 && lagging.pending.is_empty() {
                self.lagging = None;
            }
        }
        (&self.state, self.lagging.as_ref().map_or(&self.figures, |lagging| &lagging.figures))
    }

    pub(crate) fn set_lag(&mut self, lag_ms: i64, now: i64) {
        self.lag_ms = lag_ms;
        if lag_ms == 0 {
            self.lagging = None;
        } else if let Some(lagging) = &mut self.lagging {
            lagging.catch_up(now.saturating_sub(lag_ms));
        } else {
            self.lagging = Some(Lagging { figures: self.figures.clone(), pending: VecDeque::new() });
        }
    }
}
