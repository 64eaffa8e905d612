//! The counters themselves: Tasks of a queue by channel, Workers of a pool by Activity.
//!
//! A `QueueCounters` stands for a queue (or the whole Workspace) and has one `ChannelCounters` over all channels and
//! one for each channel; a `WorkerCounters` counts Workers. Each answers its real-time questions without looking at any
//! Task or Worker.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::log::Log;
use crate::sid::Sid;
use crate::state::TaskStatus;

/// `total_tasks` still counts a canceled Task for this long (TaskRouter statistics documentation). Statuses that count
/// finished Tasks use the same time.
const FINISHED_COUNT_FOR_MS: i64 = 5 * 60 * 1000;

/// Tasks of a queue, or of the Workspace: a cell over all channels, then one for each.
#[derive(Debug, Clone)]
pub(crate) struct QueueCounters {
    cells: Vec<ChannelCounters>,
    pub(crate) log: Log,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct ChannelCounters {
    /// Tasks that are pending, reserved, assigned and wrapping.
    pub(crate) by_status: [u32; 4],
    pub(crate) by_priority: BTreeMap<i64, u32>,
    /// Pending and reserved Tasks by creation.
    pub(crate) waiting: BTreeSet<(i64, Sid)>,
    /// The same by entry into the queue.
    pub(crate) waiting_in_queue: BTreeSet<(i64, Sid)>,
    canceled: VecDeque<i64>,
    completed: VecDeque<i64>,
}

/// Workers by channel (0 is all) and Activity.
#[derive(Debug, Clone, Default)]
pub(crate) struct WorkerCounters(Vec<Vec<u32>>);

#[derive(Debug, Clone, Copy)]
pub(super) struct TaskFigures {
    pub(super) queue: Option<Sid>,
    pub(super) channel: usize,
    pub(super) priority: i64,
    pub(super) status: TaskStatus,
    pub(super) created: i64,
    pub(super) entered: i64,
    pub(super) accepted: bool,
}

impl QueueCounters {
    pub(super) fn new(capacity: usize) -> Self {
        Self { cells: vec![ChannelCounters::default()], log: Log::new(capacity) }
    }

    /// The cell of a channel, or the one over all; `None` when that channel never had a Task.
    pub(crate) fn of_channel(&self, channel: Option<usize>) -> Option<&ChannelCounters> {
        self.cells.get(channel.map_or(0, |channel| channel + 1))
    }

    pub(super) fn each(&mut self, channel: usize, change: impl Fn(&mut ChannelCounters)) {
        if self.cells.len() < channel + 2 {
            self.cells.resize_with(channel + 2, ChannelCounters::default);
        }
        change(&mut self.cells[0]);
        change(&mut self.cells[channel + 1]);
    }
}

impl ChannelCounters {
    pub(super) fn count(&mut self, task: Sid, figures: &TaskFigures, there: bool) {
        let Some(slot) = self.by_status.get_mut(figures.status as usize) else { return };
        *slot = slot.wrapping_add_signed(if there { 1 } else { -1 });
        let priority = self.by_priority.entry(figures.priority).or_default();
        *priority = priority.wrapping_add_signed(if there { 1 } else { -1 });
        if *priority == 0 {
            self.by_priority.remove(&figures.priority);
        }
        if !matches!(figures.status, TaskStatus::Pending | TaskStatus::Reserved) {
            return;
        }
        if there {
            self.waiting.insert((figures.created, task));
            self.waiting_in_queue.insert((figures.entered, task));
        } else {
            self.waiting.remove(&(figures.created, task));
            self.waiting_in_queue.remove(&(figures.entered, task));
        }
    }

    pub(super) fn cancel(&mut self, at: i64) {
        remember(&mut self.canceled, at);
    }

    pub(super) fn complete(&mut self, at: i64) {
        remember(&mut self.completed, at);
    }

    /// Tasks canceled within the last five minutes.
    pub(crate) fn canceled(&self, now: i64) -> u32 {
        recent(&self.canceled, now)
    }

    /// Tasks completed within the last five minutes.
    pub(crate) fn completed(&self, now: i64) -> u32 {
        recent(&self.completed, now)
    }

    /// Open Tasks and those canceled within the last five minutes.
    pub(crate) fn total(&self, now: i64) -> u32 {
        self.by_status.iter().sum::<u32>() + self.canceled(now)
    }
}

/// Adds the end of a Task and forgets those that no longer count.
fn remember(ends: &mut VecDeque<i64>, at: i64) {
    while ends.front().is_some_and(|first| *first < at - FINISHED_COUNT_FOR_MS) {
        ends.pop_front();
    }
    ends.push_back(at);
}

fn recent(ends: &VecDeque<i64>, now: i64) -> u32 {
    let gone = ends.partition_point(|at| *at < now - FINISHED_COUNT_FOR_MS);
    u32::try_from(ends.len() - gone).unwrap_or(u32::MAX)
}

impl WorkerCounters {
    pub(super) fn count(&mut self, channels: u64, activity: usize, there: bool) {
        let reached = (0..64).filter(|bit| channels >> bit & 1 == 1).map(|bit| bit + 1);
        for row in std::iter::once(0).chain(reached) {
            if self.0.len() <= row {
                self.0.resize_with(row + 1, Vec::new);
            }
            let row = &mut self.0[row];
            if row.len() <= activity {
                row.resize(activity + 1, 0);
            }
            row[activity] = row[activity].wrapping_add_signed(if there { 1 } else { -1 });
        }
    }

    pub(crate) fn workers(&self, channel: Option<usize>, activity: usize) -> u32 {
        let row = self.0.get(channel.map_or(0, |channel| channel + 1));
        row.and_then(|row| row.get(activity)).copied().unwrap_or(0)
    }
}
