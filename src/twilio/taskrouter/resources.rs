//! TaskRouter's resources, as far as they are used.

use serde::Deserialize;

use crate::sid::{TaskQueueSid, TaskSid, WorkerSid};
use crate::twilio::number::whole_or_zero;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "WireTaskQueue")]
pub struct TaskQueue {
    pub sid: TaskQueueSid,
    /// Its name; its SID where Twilio sends none.
    pub friendly_name: Box<str>,
    /// The expression that Workers must match.
    pub target_workers: Option<Box<str>>,
    /// `FIFO` or `LIFO`.
    pub task_order: Option<Box<str>>,
    /// The Activity of a Worker with an assigned Task.
    pub assignment_activity_name: Option<Box<str>>,
}

#[derive(Deserialize)]
struct WireTaskQueue {
    sid: TaskQueueSid,
    #[serde(default)]
    friendly_name: Option<Box<str>>,
    #[serde(default)]
    target_workers: Option<Box<str>>,
    #[serde(default)]
    task_order: Option<Box<str>>,
    #[serde(default)]
    assignment_activity_name: Option<Box<str>>,
}

impl From<WireTaskQueue> for TaskQueue {
    fn from(wire: WireTaskQueue) -> Self {
        Self {
            sid: wire.sid,
            friendly_name: wire.friendly_name.unwrap_or_else(|| wire.sid.to_string().into()),
            target_workers: wire.target_workers,
            task_order: wire.task_order,
            assignment_activity_name: wire.assignment_activity_name,
        }
    }
}

/// A Workspace or Workflow, by its SID and name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Named<S> {
    pub sid: S,
    #[serde(default, deserialize_with = "or_default")]
    pub friendly_name: String,
}

#[derive(Deserialize)]
pub(super) struct TaskChannel {
    pub(super) unique_name: Box<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Workspace {
    #[serde(default, deserialize_with = "or_default")]
    pub friendly_name: String,
    #[serde(default)]
    pub event_callback_url: Option<String>,
    /// Which events go there; all of them when empty.
    #[serde(default)]
    pub events_filter: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Task {
    pub sid: TaskSid,
    /// `pending`, `reserved`, `assigned` or `wrapping`, or what it ended with; empty where Twilio sends none.
    #[serde(default, deserialize_with = "or_default")]
    pub assignment_status: Box<str>,
    #[serde(default, deserialize_with = "or_default")]
    pub attributes: Box<str>,
    #[serde(default, deserialize_with = "whole_or_zero")]
    pub priority: u64,
    /// When it was created, ISO 8601.
    #[serde(default)]
    pub date_created: Option<Box<str>>,
    /// When it changed last, ISO 8601.
    #[serde(default)]
    pub date_updated: Option<Box<str>>,
    #[serde(default)]
    pub task_queue_friendly_name: Option<Box<str>>,
    #[serde(default)]
    pub task_channel_unique_name: Option<Box<str>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Worker {
    pub sid: WorkerSid,
    #[serde(default, deserialize_with = "or_default")]
    pub friendly_name: Box<str>,
    #[serde(default)]
    pub activity_name: Option<Box<str>>,
    /// Whether that Activity takes Tasks.
    #[serde(default, deserialize_with = "or_default")]
    pub available: bool,
    #[serde(default, deserialize_with = "or_default")]
    pub attributes: Box<str>,
    /// Since when it is in its Activity, ISO 8601.
    #[serde(default)]
    pub date_status_changed: Option<Box<str>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Reservation {
    /// `pending`, `accepted`, `wrapping`, `completed`, `rejected`, …
    #[serde(default, deserialize_with = "or_default")]
    pub reservation_status: Box<str>,
    #[serde(default)]
    pub worker_name: Option<Box<str>>,
}

/// Null is as absent: Twilio's API files allow it for fields that are otherwise always there.
pub(super) fn or_default<'de, T: Default + Deserialize<'de>, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
