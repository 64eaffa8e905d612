//! TaskRouter's statistics as they come over the wire.
//!
//! Fields keep Twilio's names, so that writing a value out gives the raw resource again; fields that we do not know are
//! kept for the same reason. What the published examples of combined answers lack is optional, and so is what Twilio's
//! API files call nullable; what every form of the resource has is required, so that an empty answer is an error and
//! never a row of zeros. There are four thousand of each in a Workspace of a thousand TaskQueues with three channels,
//! so they are kept small: names are shared, tables are sorted slices.

use std::sync::Arc;

use serde::de::{Deserializer, Error};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::resources::or_default;
use super::table::{Counts, Splitting, Table, counts};
use crate::sid::TaskQueueSid;
use crate::twilio::name::Name;
use crate::twilio::number::{as_short, decimal_or_none, whole, whole_or_none, whole_or_zero};

/// Real-time statistics of a Workspace or a TaskQueue, of one TaskChannel or all.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(remote = "Self")]
pub struct Realtime {
    /// Workers by Activity; mostly the same on all channels, and shared then.
    #[serde(default, deserialize_with = "or_default")]
    pub activity_statistics: Arc<[ActivityCount]>,
    /// Seconds since the creation of the Task that waits longest; 0 when none waits.
    #[serde(deserialize_with = "whole")]
    pub longest_task_waiting_age: u64,
    #[serde(default)]
    pub longest_task_waiting_sid: Option<Box<str>>,
    #[serde(default, deserialize_with = "counts")]
    pub tasks_by_priority: Counts,
    /// Tasks by `pending`, `reserved`, `assigned`, `wrapping`.
    #[serde(default, deserialize_with = "counts")]
    pub tasks_by_status: Counts,
    /// Workers that could take a Task of this TaskQueue, busy with others or not.
    #[serde(default, deserialize_with = "whole_or_none", skip_serializing_if = "Option::is_none")]
    pub total_available_workers: Option<u64>,
    /// Workers that match this TaskQueue, in any Activity.
    #[serde(default, deserialize_with = "whole_or_none", skip_serializing_if = "Option::is_none")]
    pub total_eligible_workers: Option<u64>,
    /// Tasks; Twilio counts cancelled ones for some minutes more.
    #[serde(deserialize_with = "whole")]
    pub total_tasks: u64,
    /// All Workers of the Workspace, whatever their TaskQueues; only the Workspace's own statistics have it.
    #[serde(default, deserialize_with = "whole_or_none", skip_serializing_if = "Option::is_none")]
    pub total_workers: Option<u64>,
    /// Fields that are not listed here.
    #[serde(flatten, skip_deserializing)]
    pub extra: Table<Value>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct ActivityCount {
    #[serde(default, deserialize_with = "or_default")]
    pub friendly_name: Name,
    #[serde(default, deserialize_with = "or_default")]
    pub sid: Name,
    #[serde(deserialize_with = "whole_or_zero")]
    pub workers: u64,
}

/// Cumulative statistics of a Workspace or a TaskQueue over a window of time.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(remote = "Self")]
pub struct Cumulative {
    /// Average seconds until a Task was accepted.
    #[serde(
        default,
        deserialize_with = "decimal_or_none",
        serialize_with = "as_short",
        skip_serializing_if = "Option::is_none"
    )]
    pub avg_task_acceptance_time: Option<f64>,
    /// Start of the window, ISO 8601.
    #[serde(default)]
    pub start_time: Option<Name>,
    /// End of the window, ISO 8601.
    #[serde(default)]
    pub end_time: Option<Box<str>>,
    #[serde(deserialize_with = "whole")]
    pub reservations_accepted: u64,
    #[serde(deserialize_with = "whole")]
    pub reservations_canceled: u64,
    #[serde(deserialize_with = "whole")]
    pub reservations_created: u64,
    #[serde(deserialize_with = "whole")]
    pub reservations_rejected: u64,
    #[serde(deserialize_with = "whole")]
    pub reservations_rescinded: u64,
    #[serde(deserialize_with = "whole")]
    pub reservations_timed_out: u64,
    #[serde(deserialize_with = "whole")]
    pub tasks_canceled: u64,
    /// Missing from the published examples of combined answers.
    #[serde(default, deserialize_with = "whole_or_none", skip_serializing_if = "Option::is_none")]
    pub tasks_completed: Option<u64>,
    #[serde(default, deserialize_with = "whole_or_none", skip_serializing_if = "Option::is_none")]
    pub tasks_deleted: Option<u64>,
    #[serde(default, deserialize_with = "whole_or_none", skip_serializing_if = "Option::is_none")]
    pub tasks_entered: Option<u64>,
    #[serde(default, deserialize_with = "whole_or_none", skip_serializing_if = "Option::is_none")]
    pub tasks_moved: Option<u64>,
    /// Missing from the published examples of combined answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_duration_until_accepted: Option<WaitDuration>,
    /// Missing from the published examples of combined answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_duration_until_canceled: Option<WaitDuration>,
    /// By threshold in seconds; missing from the published examples of combined answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split_by_wait_time: Option<Table<Split>>,
    /// Fields that are not listed here.
    #[serde(flatten, skip_deserializing)]
    pub extra: Table<Value>,
}

/// Seconds that Tasks waited.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct WaitDuration {
    #[serde(default, deserialize_with = "decimal_or_none", serialize_with = "as_short")]
    pub avg: Option<f64>,
    #[serde(default, deserialize_with = "decimal_or_none", serialize_with = "as_short")]
    pub min: Option<f64>,
    #[serde(default, deserialize_with = "decimal_or_none", serialize_with = "as_short")]
    pub max: Option<f64>,
    #[serde(default, deserialize_with = "decimal_or_none", serialize_with = "as_short")]
    pub total: Option<f64>,
}

/// How many waited longer than a threshold, and how many did not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
pub struct Split {
    /// Longer: `tasks_canceled` and `reservations_accepted`.
    #[serde(default, deserialize_with = "counts")]
    pub above: Counts,
    /// Not longer: the same.
    #[serde(default, deserialize_with = "counts")]
    pub below: Counts,
}

impl Cumulative {
    /// The average seconds until a Task was accepted, in the form in which the other numbers are written.
    pub fn short_acceptance_time(&self) -> Value {
        as_short(&self.avg_task_acceptance_time, serde_json::value::Serializer).unwrap_or_default()
    }

    /// Whether this has what front ends show. The combined answers' published examples are shorter than the single
    /// resource; where an account's really are, the single resource must be read too.
    pub fn is_complete(&self) -> bool {
        self.tasks_completed.is_some()
            && self.wait_duration_until_accepted.is_some()
            && self.wait_duration_until_canceled.is_some()
            && self.split_by_wait_time.is_some()
    }

    /// Takes over from an earlier reading of the same window what this one lacks.
    #[must_use]
    pub fn completed_by(mut self, earlier: &Self) -> Self {
        if self.start_time.is_none() || self.start_time != earlier.start_time {
            return self;
        }
        self.avg_task_acceptance_time = self.avg_task_acceptance_time.or(earlier.avg_task_acceptance_time);
        self.tasks_completed = self.tasks_completed.or(earlier.tasks_completed);
        self.wait_duration_until_accepted =
            self.wait_duration_until_accepted.or_else(|| earlier.wait_duration_until_accepted.clone());
        self.wait_duration_until_canceled =
            self.wait_duration_until_canceled.or_else(|| earlier.wait_duration_until_canceled.clone());
        self.split_by_wait_time = self.split_by_wait_time.or_else(|| earlier.split_by_wait_time.clone());
        self
    }

    /// Whether this says the same as an earlier reading. The window's end moves with every read and says nothing new.
    pub fn says_the_same(&mut self, earlier: &Self) -> bool {
        let end_time = std::mem::replace(&mut self.end_time, earlier.end_time.clone());
        let same = self == earlier;
        self.end_time = end_time;
        same
    }
}

impl Realtime {
    /// Workers under each name of an Activity, in Twilio's order: of two Activities with one name, together.
    pub fn workers_by_activity(&self) -> Vec<(&str, u64)> {
        let mut named: Vec<(&str, u64)> = Vec::new();
        for activity in self.activity_statistics.iter() {
            match named.iter_mut().find(|(name, _)| *name == &*activity.friendly_name) {
                Some((_, workers)) => *workers = workers.saturating_add(activity.workers),
                None => named.push((&activity.friendly_name, activity.workers)),
            }
        }
        named
    }

    /// Takes over from an earlier reading what this one's endpoint does not carry: bulk answers have fewer fields than
    /// lists and combined ones, and not every answer has every status. Without Tasks there is nothing to take over.
    #[must_use]
    pub fn completed_by(mut self, earlier: &Self) -> Self {
        let none_waits = STATUSES[..2].iter().all(|status| self.tasks_by_status.count(status) == 0);
        let no_tasks = self.total_tasks == 0;
        self.extra = self.extra.completed_by(&earlier.extra, |name, value| match value {
            Value::Number(_) if none_waits && name.starts_with(RELATIVE) => Value::from(0),
            Value::String(_) if none_waits && name.starts_with(RELATIVE) => Value::Null,
            value => value.clone(),
        });
        let known = |name: &str| STATUSES.contains(&name);
        let status = |name: &str, count: &u64| if no_tasks || known(name) { 0 } else { *count };
        self.tasks_by_status = self.tasks_by_status.completed_by(&earlier.tasks_by_status, status);
        self.total_available_workers = self.total_available_workers.or(earlier.total_available_workers);
        self.total_eligible_workers = self.total_eligible_workers.or(earlier.total_eligible_workers);
        self.total_workers = self.total_workers.or(earlier.total_workers);
        self
    }
}

/// The statuses that every answer counts, those of waiting Tasks first; one that is missing counts nothing.
const STATUSES: [&str; 4] = ["pending", "reserved", "assigned", "wrapping"];
/// How the fields begin that tell of the longest-waiting Task relative to its time in the TaskQueue.
const RELATIVE: &str = "longest_relative_";

/// What stands around statistics, or among them in some answers: whose they are is known from elsewhere.
const ENVELOPE: [&str; 4] = ["account_sid", "workspace_sid", "task_queue_sid", "url"];

/// The generated reading and writing of known fields, with the unknown ones beside them.
macro_rules! with_unknown_fields {
    ($($statistics:ident)*) => {$(
        impl<'de> Deserialize<'de> for $statistics {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $statistics::with_owner(deserializer).map(|(statistics, _)| statistics)
            }
        }

        impl Serialize for $statistics {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $statistics::serialize(self, serializer)
            }
        }

        impl WithOwner for $statistics {
            fn with_owner<'de, D: Deserializer<'de>>(inner: D) -> Result<(Self, Option<Value>), D::Error> {
                let mut unknown = Vec::new();
                // The inherent function that `serde(remote)` makes, not the trait's.
                let mut read = $statistics::deserialize(Splitting { inner, unknown: &mut unknown })?;
                let owner = unknown.iter().find(|(name, _)| **name == *"task_queue_sid");
                let owner = owner.map(|(_, sid)| sid.clone());
                unknown.retain(|(name, _)| !ENVELOPE.contains(&&**name));
                read.extra = unknown.into();
                Ok((read, owner))
            }
        }
    )*};
}

with_unknown_fields!(Realtime Cumulative);

/// Statistics that may stand among an envelope's fields, which are left out.
pub(super) trait WithOwner: Sized {
    /// The statistics, and the SID of the TaskQueue that they are of, where it stands beside them.
    fn with_owner<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(Self, Option<Value>), D::Error>;
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Statistics {
    pub realtime: Realtime,
    pub cumulative: Cumulative,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct TaskQueueStatistics {
    pub task_queue_sid: TaskQueueSid,
    pub realtime: Realtime,
    pub cumulative: Cumulative,
}

/// A resource of its own with statistics at its top level: the envelope is dropped, the statistics stay.
#[derive(Debug)]
pub(super) struct Resource<T> {
    pub(super) task_queue_sid: Option<TaskQueueSid>,
    pub(super) statistics: T,
}

impl<'de, T: WithOwner> Deserialize<'de> for Resource<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (statistics, owner) = T::with_owner(deserializer)?;
        let task_queue_sid = match owner {
            None | Some(Value::Null) => None,
            Some(sid) => Some(TaskQueueSid::deserialize(sid).map_err(D::Error::custom)?),
        };
        Ok(Self { task_queue_sid, statistics })
    }
}

#[cfg(test)]
#[path = "statistics_tests.rs"]
mod tests;
