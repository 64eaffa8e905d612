//! The Workspace as plain data: what exists now, no I/O, no rules.
//!
//! `life` is the only place that changes it; the HTTP side and the views read it. Numbers are not kept here: every
//! change is also handed to `statistics::figures`, which counts.

pub(crate) mod change;
pub(crate) mod expression;
pub(crate) mod table;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use serde::Serialize;

use crate::json::Data;
use crate::sid::Sid;
use expression::Expression;
use table::Table;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskStatus {
    Pending,
    Reserved,
    Assigned,
    Wrapping,
    Completed,
    Canceled,
}

impl TaskStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Reserved => "reserved",
            Self::Assigned => "assigned",
            Self::Wrapping => "wrapping",
            Self::Completed => "completed",
            Self::Canceled => "canceled",
        }
    }

    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Canceled)
    }

    /// Parses Twilio's name of the status.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Reserved, Self::Assigned, Self::Wrapping, Self::Completed, Self::Canceled]
            .into_iter()
            .find(|status| status.as_str() == text)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReservationStatus {
    Pending,
    Accepted,
    Rejected,
    Timeout,
    Canceled,
    Rescinded,
    Wrapping,
    Completed,
}

impl ReservationStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Timeout => "timeout",
            Self::Canceled => "canceled",
            Self::Rescinded => "rescinded",
            Self::Wrapping => "wrapping",
            Self::Completed => "completed",
        }
    }

    pub const fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Accepted | Self::Wrapping)
    }

    /// Parses Twilio's name of the status.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [
            Self::Pending,
            Self::Accepted,
            Self::Rejected,
            Self::Timeout,
            Self::Canceled,
            Self::Rescinded,
            Self::Wrapping,
            Self::Completed,
        ]
        .into_iter()
        .find(|status| status.as_str() == text)
    }
}

/// The whole Workspace. Activities, channels and workflows are few and are referred to by their position.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) account: Sid,
    pub(crate) sid: Sid,
    pub(crate) name: String,
    pub(crate) default_activity: usize,
    pub(crate) timeout_activity: usize,
    pub(crate) multi_task: bool,
    pub(crate) queue_order: String,
    pub(crate) operating_unit: Sid,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) activities: Vec<Activity>,
    pub(crate) channels: Vec<TaskChannel>,
    pub(crate) workflows: Vec<Workflow>,
    pub(crate) queues: Table<Queue>,
    pub(crate) workers: Table<Worker>,
    pub(crate) tasks: Table<Task>,
    pub(crate) reservations: Table<Reservation>,
    /// Tasks that are not over. `step` picks from these without wading through finished ones.
    pub(crate) open: BTreeSet<Sid>,
    /// Distinct queue expressions in use. Queues with the same expression share their figures about Workers.
    pub(crate) pools: HashMap<Arc<str>, Pool>,
    /// Finished Tasks in the order they ended, until they are cleaned up.
    pub(crate) finished: VecDeque<(i64, Sid)>,
}

#[derive(Debug, Clone)]
pub(crate) struct Pool {
    pub(crate) expression: Expression,
    pub(crate) queues: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct Activity {
    pub(crate) sid: Sid,
    pub(crate) name: String,
    pub(crate) available: bool,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct TaskChannel {
    pub(crate) sid: Sid,
    pub(crate) unique_name: String,
    pub(crate) name: String,
    pub(crate) optimized_routing: bool,
    pub(crate) created: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct Workflow {
    pub(crate) sid: Sid,
    pub(crate) name: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Queue {
    pub(crate) sid: Sid,
    pub(crate) name: String,
    pub(crate) expression: Arc<str>,
    pub(crate) order: &'static str,
    pub(crate) max_reserved: i64,
    pub(crate) reservation_activity: usize,
    pub(crate) assignment_activity: usize,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct Worker {
    pub(crate) sid: Sid,
    pub(crate) name: String,
    pub(crate) attributes: Data,
    pub(crate) activity: usize,
    pub(crate) activity_since: i64,
    pub(crate) channels: Vec<WorkerChannel>,
    pub(crate) version: u32,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct WorkerChannel {
    pub(crate) sid: Sid,
    pub(crate) capacity: u32,
    pub(crate) available: bool,
    pub(crate) assigned: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) sid: Sid,
    pub(crate) attributes: String,
    pub(crate) channel: usize,
    pub(crate) priority: i64,
    pub(crate) queue: Option<Sid>,
    pub(crate) workflow: usize,
    pub(crate) status: TaskStatus,
    pub(crate) reason: Option<String>,
    pub(crate) timeout: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) entered: i64,
    pub(crate) virtual_start: i64,
    pub(crate) ended: Option<i64>,
    pub(crate) version: u32,
    pub(crate) reservations: Vec<Sid>,
    /// A transfer under way: its SID and the Worker who started it.
    pub(crate) transfer: Option<(Sid, Sid)>,
}

#[derive(Debug, Clone)]
pub(crate) struct Reservation {
    pub(crate) sid: Sid,
    pub(crate) task: Sid,
    pub(crate) worker: Sid,
    pub(crate) status: ReservationStatus,
    pub(crate) version: u32,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

impl State {
    pub(crate) fn channel(&self, name_or_sid: &str) -> Option<usize> {
        self.channels.iter().position(|c| c.unique_name == name_or_sid || c.sid.to_string() == name_or_sid)
    }

    pub(crate) fn activity(&self, name_or_sid: &str) -> Option<usize> {
        self.activities.iter().position(|a| a.name == name_or_sid || a.sid.to_string() == name_or_sid)
    }

    /// Whether this Worker can be offered Tasks of this queue, in any Activity.
    pub(crate) fn is_eligible(&self, worker: &Worker, queue: &Queue) -> bool {
        self.pools.get(&queue.expression).is_some_and(|pool| pool.expression.matches(&worker.attributes))
    }

    /// Whether the Worker is in an available Activity, with room on the channel.
    pub(crate) fn is_free(&self, worker: &Worker, channel: usize) -> bool {
        let room = worker.channels.get(channel).is_some_and(|c| c.available && c.assigned < c.capacity);
        room && self.activities.get(worker.activity).is_some_and(|a| a.available)
    }
}

impl Task {
    /// Age in whole seconds; a finished Task grows no older.
    pub(crate) fn age(&self, now: i64) -> i64 {
        ((self.ended.unwrap_or(now) - self.created) / 1000).max(0)
    }
}
