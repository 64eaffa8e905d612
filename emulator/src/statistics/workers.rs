//! What Workers did within a window: reservations, and time spent in each Activity.
//!
//! A spell in an Activity counts with the part of it that lies in the window; the present spell lasts until now.

use serde::Serialize;

use super::figures::{Figures, WorkerFigures};
use super::log::{Sums, Waits, Window};
use crate::clock::iso;
use crate::sid::Sid;
use crate::state::State;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct WorkersCumulative<'a> {
    pub(crate) reservations_created: u32,
    pub(crate) reservations_accepted: u32,
    pub(crate) reservations_rejected: u32,
    pub(crate) reservations_timed_out: u32,
    pub(crate) reservations_canceled: u32,
    pub(crate) reservations_rescinded: u32,
    pub(crate) activity_durations: Vec<ActivityDuration<'a>>,
    pub(crate) start_time: String,
    pub(crate) end_time: String,
}

/// Seconds in one Activity: mean, shortest and longest spell, and all spells together.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ActivityDuration<'a> {
    pub(crate) sid: Sid,
    pub(crate) friendly_name: &'a str,
    pub(crate) avg: u64,
    pub(crate) min: u64,
    pub(crate) max: u64,
    pub(crate) total: u64,
}

impl<'a> WorkersCumulative<'a> {
    pub(crate) fn of(
        state: &'a State,
        figures: &Figures,
        workers: impl Iterator<Item = Sid>,
        window: Window,
        channel: Option<usize>,
    ) -> Self {
        let mut sums = Sums::default();
        let mut spent = vec![Waits::default(); state.activities.len()];
        for worker in workers.filter_map(|sid| figures.workers.get(&sid)) {
            sums.reservations(&worker.log.sums(window, channel, &[]));
            for (activity, seconds) in spells(worker, window) {
                if let Some(waits) = spent.get_mut(activity) {
                    waits.add(seconds);
                }
            }
        }
        let line = |(activity, waits): (&'a crate::state::Activity, &Waits)| ActivityDuration {
            sid: activity.sid,
            friendly_name: &activity.name,
            avg: waits.total / waits.count.max(1),
            min: waits.min,
            max: waits.max,
            total: waits.total,
        };
        Self {
            reservations_created: sums.created,
            reservations_accepted: sums.accepted,
            reservations_rejected: sums.rejected,
            reservations_timed_out: sums.timed_out,
            reservations_canceled: sums.canceled,
            reservations_rescinded: sums.rescinded,
            activity_durations: state.activities.iter().zip(&spent).map(line).collect(),
            start_time: iso(window.start),
            end_time: iso(window.end),
        }
    }
}

fn spells(worker: &WorkerFigures, window: Window) -> impl Iterator<Item = (usize, u64)> {
    let present = (worker.activity, worker.since, window.end.max(worker.since));
    worker.spells.iter().copied().chain(std::iter::once(present)).filter_map(move |(activity, start, end)| {
        let (start, end) = (start.max(window.start), end.min(window.end));
        (start < end).then(|| (activity, u64::try_from((end - start) / 1000).unwrap_or(0)))
    })
}
