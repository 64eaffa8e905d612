//! The real-time statistics of the Workspace, of a queue, of the Workers.
//!
//! Choices where the documentation is silent: a Task waits while it is pending or reserved, and the longest wait is
//! counted from its creation; `tasks_by_priority` covers the four open statuses; `total_tasks` adds Tasks canceled
//! within the last five minutes; a Worker counts for a channel if the capacity there is not 0, and for a queue if the
//! queue's expression matches, whatever the Activity (eligible) or in an available one (available).

use std::collections::BTreeMap;

use serde::Serialize;

use super::counters::{ChannelCounters, WorkerCounters};
use super::figures::{Figures, QueueFigures};
use crate::sid::Sid;
use crate::state::State;

/// Real-time fields; those that an answer does not have are `None` and left out.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Realtime<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account_sid: Option<Sid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) workspace_sid: Option<Sid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) task_queue_sid: Option<Sid>,
    pub(crate) activity_statistics: Vec<ActivityCount<'a>>,
    pub(crate) longest_task_waiting_age: i64,
    pub(crate) longest_task_waiting_sid: Option<Sid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) longest_relative_task_age_in_queue: Option<i64>,
    /// The outer option is "has the field", the inner one its null.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) longest_relative_task_sid_in_queue: Option<Option<Sid>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tasks_by_priority: Option<BTreeMap<i64, u32>>,
    pub(crate) tasks_by_status: ByStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total_available_workers: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total_eligible_workers: Option<u32>,
    pub(crate) total_tasks: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total_workers: Option<u32>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct ActivityCount<'a> {
    pub(crate) friendly_name: &'a str,
    pub(crate) workers: u32,
    pub(crate) sid: Sid,
}

/// Open Tasks by status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct ByStatus {
    pub(crate) reserved: u32,
    pub(crate) pending: u32,
    pub(crate) assigned: u32,
    pub(crate) wrapping: u32,
    /// Within the last five minutes, like `canceled`; only in answers as they were recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) completed: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) canceled: Option<u32>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct WorkersRealtime<'a> {
    pub(crate) activity_statistics: Vec<ActivityCount<'a>>,
    pub(crate) total_workers: u32,
}

impl<'a> Realtime<'a> {
    pub(crate) fn workspace(state: &'a State, figures: &Figures, channel: Option<usize>, now: i64) -> Self {
        let cell = figures.workspace.of_channel(channel);
        let mut realtime = Self::tasks(cell, now);
        let workers = WorkersRealtime::of(state, Some(&figures.everyone), channel);
        realtime.activity_statistics = workers.activity_statistics;
        realtime.total_workers = Some(workers.total_workers);
        realtime
    }

    /// A queue, over one channel or all. A queue without figures (unknown, or not visible yet) is all zeros.
    pub(crate) fn queue(
        state: &'a State,
        figures: &Figures,
        queue: Option<&QueueFigures>,
        channel: Option<usize>,
        now: i64,
    ) -> Self {
        let cell = queue.and_then(|queue| queue.counters.of_channel(channel));
        let mut realtime = Self::tasks(cell, now);
        let workers_of_pool = queue.and_then(|queue| figures.pools.get(&queue.pool));
        let workers = WorkersRealtime::of(state, workers_of_pool, channel);
        let available =
            state.activities.iter().zip(&workers.activity_statistics).filter(|(a, _)| a.available);
        realtime.total_available_workers = Some(available.map(|(_, count)| count.workers).sum());
        realtime.total_eligible_workers = Some(workers.total_workers);
        realtime.activity_statistics = workers.activity_statistics;
        realtime
    }

    /// Adds what only the queue's own real-time answer has.
    pub(crate) fn with_relative(
        mut self,
        queue: Option<&QueueFigures>,
        channel: Option<usize>,
        now: i64,
    ) -> Self {
        let longest = queue
            .and_then(|queue| queue.counters.of_channel(channel))
            .and_then(|cell| cell.waiting_in_queue.first());
        self.longest_relative_task_age_in_queue = Some(longest.map_or(0, |(since, _)| age(*since, now)));
        self.longest_relative_task_sid_in_queue = Some(longest.map(|(_, task)| *task));
        self
    }

    /// Adds what combined answers were recorded with: the SIDs of what it belongs to, and finished Tasks by status.
    pub(crate) fn with_recorded(
        mut self,
        state: &State,
        task_queue_sid: Option<Sid>,
        cell: Option<&ChannelCounters>,
        now: i64,
    ) -> Self {
        self.account_sid = Some(state.account);
        self.workspace_sid = Some(state.sid);
        self.task_queue_sid = task_queue_sid;
        self.tasks_by_status.completed = Some(cell.map_or(0, |cell| cell.completed(now)));
        self.tasks_by_status.canceled = Some(cell.map_or(0, |cell| cell.canceled(now)));
        self
    }

    fn tasks(cell: Option<&ChannelCounters>, now: i64) -> Self {
        let longest = cell.and_then(|cell| cell.waiting.first());
        let [pending, reserved, assigned, wrapping] = cell.map(|cell| cell.by_status).unwrap_or_default();
        Self {
            account_sid: None,
            workspace_sid: None,
            task_queue_sid: None,
            activity_statistics: Vec::new(),
            longest_task_waiting_age: longest.map_or(0, |(since, _)| age(*since, now)),
            longest_task_waiting_sid: longest.map(|(_, task)| *task),
            longest_relative_task_age_in_queue: None,
            longest_relative_task_sid_in_queue: None,
            tasks_by_priority: Some(cell.map(|cell| cell.by_priority.clone()).unwrap_or_default()),
            tasks_by_status: ByStatus { pending, reserved, assigned, wrapping, ..ByStatus::default() },
            total_available_workers: None,
            total_eligible_workers: None,
            total_tasks: cell.map_or(0, |cell| cell.total(now)),
            total_workers: None,
        }
    }
}

impl<'a> WorkersRealtime<'a> {
    /// Every Activity of the Workspace, those without Workers too.
    pub(crate) fn of(
        state: &'a State,
        workers_of_pool: Option<&WorkerCounters>,
        channel: Option<usize>,
    ) -> Self {
        let count =
            |n: usize| workers_of_pool.map_or(0, |workers_of_pool| workers_of_pool.workers(channel, n));
        let line = |(n, activity): (usize, &'a crate::state::Activity)| ActivityCount {
            friendly_name: &activity.name,
            sid: activity.sid,
            workers: count(n),
        };
        let activity_statistics: Vec<_> = state.activities.iter().enumerate().map(line).collect();
        let total_workers = activity_statistics.iter().map(|count| count.workers).sum();
        Self { activity_statistics, total_workers }
    }
}

fn age(since: i64, now: i64) -> i64 {
    ((now - since) / 1000).max(0)
}
