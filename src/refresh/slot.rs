//! One key of the schedule: when it was touched and read, and when it is due. Pure.

use std::time::Duration;

use tokio::time::Instant;

use super::awaited::Awaited;
use super::lag::{Lags, Look};
use super::schedule::Cause;
use crate::event::Trace;

/// Reads of one key for events that may start at once before they are spaced out.
const READS_IN_A_ROW: u32 = 3;

#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) timer_due: Instant,
    pub(super) touch_due: Option<Instant>,
    /// Due because of an event, and not to look after one again: those looks have budgets of their own.
    pub(super) spaced: bool,
    /// Due because of an event that names it.
    pub(super) named: bool,
    /// Due to look after an event at the moment when it is expected to show, by a read of its own.
    pub(super) closely: bool,
    pub(super) touched: Touched,
    /// Events that named it and may not show yet.
    pub(super) awaited: Awaited,
    /// The events that made it stale and may not show yet.
    pub(super) event: Option<Trace>,
    pub(super) reading_touched: bool,
    pub(super) reading_timer: bool,
    /// The begin of the last read that began.
    pub(super) last_begun: Option<Instant>,
    /// Until when the reads that started for events are paid for, at one in each spacing.
    pub(super) paid_until: Option<Instant>,
    /// The begin of the last read that ended, well or not.
    pub(super) last_ended: Option<Instant>,
    /// The begin of the last read that brought an answer: one that failed has shown nothing.
    pub(super) last_shown: Option<Instant>,
    pub(super) failures: u32,
    pub(super) not_before: Option<Instant>,
    /// Twilio named that moment: asking earlier would be in vain, whatever else can be read by then.
    pub(super) asked_to_wait: bool,
}

/// When the last events touched a key. Those of one kind do not hide the other's: an event at one TaskQueue is often
/// followed at once by one that touches all, such as that its Worker is busy now, and is still looked after in small
/// steps.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Touched {
    /// An event that named this TaskQueue.
    pub(super) one: Option<Instant>,
    /// An event that touched every TaskQueue alike.
    pub(super) all: Option<Instant>,
}

impl Slot {
    pub(super) fn due(now: Instant) -> Self {
        Self {
            timer_due: now,
            touch_due: None,
            spaced: false,
            named: false,
            closely: false,
            touched: Touched::default(),
            awaited: Awaited::default(),
            event: None,
            reading_touched: false,
            reading_timer: false,
            last_begun: None,
            paid_until: None,
            last_ended: None,
            last_shown: None,
            failures: 0,
            not_before: None,
            asked_to_wait: false,
        }
    }

    /// An event touched it; one that touched every TaskQueue is read at the moment `broad_at`.
    pub(super) fn touch(&mut self, now: Instant, broad_at: Option<Instant>, spacing: Duration) {
        let due = match broad_at {
            Some(at) => {
                self.touched.all = Some(now);
                at
            }
            None => {
                self.touched.one = Some(now);
                self.named = true;
                self.earliest_touch(now, spacing)
            }
        };
        self.touch_due = Some(self.touch_due.map_or(due, |already| already.min(due)));
        self.spaced = true;
        self.closely = false;
    }

    /// Plans the nearer of the looks after what touched it, for a read begun at `started`.
    pub(super) fn look_again(&mut self, lags: &Lags, started: Instant) -> Option<Look> {
        let named = self.awaited.next(lags, started);
        let all = self.touched.all.and_then(|touched| lags.after_any(touched, started));
        let look = [named, all].into_iter().flatten().min_by_key(|look| look.at)?;
        if self.touch_due.is_none() {
            self.spaced = false;
        }
        if self.touch_due.is_none_or(|due| look.at < due) {
            self.touch_due = Some(look.at);
            self.closely = look.closely && !self.spaced;
        }
        Some(look)
    }

    /// A read begun at `started` shows whatever came in before it.
    pub(super) fn shown(&mut self, started: Instant) {
        self.event = self.event.and_then(|event| event.since(started));
    }

    pub(super) fn earliest_touch(&self, now: Instant, spacing: Duration) -> Instant {
        let in_a_row = spacing * (READS_IN_A_ROW - 1);
        self.paid_until.and_then(|paid| paid.checked_sub(in_a_row)).map_or(now, |free| free.max(now))
    }

    pub(super) fn next_touched(&self) -> Option<Instant> {
        let due = self.touch_due.filter(|_| !self.reading_touched)?;
        Some(due.max(self.not_before.unwrap_or(due)))
    }

    pub(super) fn next_timer(&self) -> Option<Instant> {
        let idle = !self.reading_touched && !self.reading_timer;
        idle.then(|| self.timer_due.max(self.not_before.unwrap_or(self.timer_due)))
    }

    pub(super) fn ended(&mut self, cause: Cause, started: Instant) {
        match cause {
            Cause::Touched => self.reading_touched = false,
            Cause::Timer => self.reading_timer = false,
        }
        self.last_ended = self.last_ended.max(Some(started));
    }

    /// Whether an event has touched it since then.
    pub(super) fn touched_after(&self, moment: Option<Instant>) -> bool {
        self.touched.each().any(|touched| Some(touched) >= moment)
    }

    /// Whether a read that began then, or later, has shown it or is under way.
    pub(super) fn is_read_since(&self, moment: Instant) -> bool {
        let under_way = self.reading_touched || self.reading_timer;
        self.last_shown >= Some(moment) || under_way && self.last_begun >= Some(moment)
    }
}

impl Touched {
    pub(super) fn each(self) -> impl Iterator<Item = Instant> {
        self.one.into_iter().chain(self.all)
    }
}
