//! Parts that several layouts share.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Owner;
use crate::stats::{Age, Reading, ScopeStats};
use crate::twilio::taskrouter::{Cumulative, Realtime};

/// Realtime statistics in system A's names.
pub(crate) fn queue_map_realtime(realtime: &Realtime, oldest: Option<Age>) -> Value {
    let activity = |(name, workers)| json!({ "friendly_name": name, "workers": workers });
    let mut shown = json!({
        "activityStatistics": realtime.workers_by_activity().into_iter().map(activity).collect::<Vec<_>>(),
        "oldestTask": realtime.longest_task_waiting_age,
        "tasksByPriority": realtime.tasks_by_priority,
        "tasksByStatus": realtime.tasks_by_status,
        "availableWorkers": realtime.total_available_workers.unwrap_or_default(),
        "eligibleWorkers": realtime.total_eligible_workers.unwrap_or_default(),
        "totalTasks": realtime.total_tasks,
    });
    if let Some(oldest) = oldest {
        shown["oldestTaskSince"] = instant(oldest.since);
    }
    shown
}

/// Cumulative statistics in system A's names.
pub(crate) fn queue_map_cumulative(cumulative: &Cumulative) -> Value {
    json!({
        "rCreated": cumulative.reservations_created,
        "rRej": cumulative.reservations_rejected,
        "rAccepted": cumulative.reservations_accepted,
        "rTimedOut": cumulative.reservations_timed_out,
        "rCancel": cumulative.reservations_canceled,
        "rRescind": cumulative.reservations_rescinded,
        "tCompl": cumulative.tasks_completed,
        "tMoved": cumulative.tasks_moved,
        "tEnter": cumulative.tasks_entered,
        "tCanc": cumulative.tasks_canceled,
        "tDel": cumulative.tasks_deleted,
        "waitUntilCancel": cumulative.wait_duration_until_canceled,
        "waitUntilAccept": cumulative.wait_duration_until_accepted,
        "splitByWaitTime": cumulative.split_by_wait_time,
        "startTime": cumulative.start_time,
        "endTime": cumulative.end_time,
        "avgTaskAcceptanceTime": cumulative.short_acceptance_time(),
    })
}

/// Statistics as Twilio's combined resource shows them; `path` is the resource's path below the Workspace.
pub(crate) fn raw(stats: &ScopeStats, owner: &Owner, path: &str) -> Map<String, Value> {
    let mut raw = Map::new();
    raw.insert("account_sid".into(), json!(owner.account));
    raw.insert("workspace_sid".into(), json!(owner.workspace));
    raw.insert("url".into(), Value::String(format!("{}{path}/Statistics", owner.url)));
    if let Some(realtime) = &stats.realtime.value {
        raw.insert("realtime".into(), json!(realtime));
    }
    if let Some(cumulative) = &stats.cumulative.value {
        raw.insert("cumulative".into(), json!(cumulative));
    }
    raw
}

/// Says when the realtime values are from, since when the oldest Task waits, and why values are stale, if they are.
pub(crate) fn provenance(shown: &mut Map<String, Value>, whole: &ScopeStats) {
    if let Some(as_of) = whole.realtime.as_of {
        shown.insert("asOf".into(), instant(as_of));
        shown.insert("readBy".into(), read_by(whole.realtime.by_event));
    }
    if let Some(oldest) = whole.oldest {
        shown.insert("oldestTaskSince".into(), instant(oldest.since));
    }
    let (realtime, cumulative) = (stale(&whole.realtime), stale(&whole.cumulative));
    for (name, message) in [("realTimeStatsMessage", realtime), ("cumulativeStatsMessage", cumulative)] {
        if let Some(message) = message {
            shown.insert(name.into(), message);
        }
    }
}

pub(crate) fn read_by(event: bool) -> Value {
    Value::from(if event { "event" } else { "timer" })
}

pub(crate) fn stale<T>(reading: &Reading<T>) -> Option<Value> {
    reading.stale.as_ref().map(|stale| Value::String(stale.reason.to_string()))
}

/// ISO 8601 in UTC, milliseconds.
pub(crate) fn instant(moment: Timestamp) -> Value {
    Value::String(moment.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the emulator and Twilio send them: 4 scopes of 36 decimals, most of them whole, are in an item of `queueStats`.
    #[test]
    fn whole_numbers_take_no_more_room_than_twilio_gives_them() {
        let cumulative: Cumulative = serde_json::from_value(json!({
            "avg_task_acceptance_time": 34, "start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-01T10:00:00Z",
            "reservations_accepted": 1, "reservations_canceled": 2, "reservations_created": 3,
            "reservations_rejected": 4, "reservations_rescinded": 5, "reservations_timed_out": 6, "tasks_canceled": 7,
            "wait_duration_until_accepted": {"avg": 34.5, "min": 1, "max": 311.0, "total": "3536"},
        }))
        .unwrap();
        let shown = queue_map_cumulative(&cumulative);
        assert_eq!(shown["avgTaskAcceptanceTime"].to_string(), "34");
        assert_eq!(shown["waitUntilAccept"].to_string(), r#"{"avg":34.5,"max":311,"min":1,"total":3536}"#);
    }
}
