//! Whether Sync shows what is true in the centre: every queue, every channel, every number. The tests wait for it, the
//! benchmarks take the time until it holds; both include this file.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use twilio_emulator::{Emulator, Truth};

/// Seconds by which an age may differ: it was read a moment ago, and moves on.
const AGE_TOLERANCE: f64 = 30.0;
const SPLITS: [u32; 3] = [30, 60, 120];

/// Compares all of it once; these are the channels that the service was told to show. An error says what differs.
pub(crate) fn compare(emulator: &Emulator, channels: &[&str]) -> Result<(), String> {
    let since = start_of_utc_day_at(emulator.clock().now());
    let (truth, sync) = (emulator.truth(), emulator.sync());
    let items = sync.map_items("queueStats").ok_or("there is no Map queueStats")?;
    let names: BTreeMap<String, String> =
        emulator.world().queues().into_iter().map(|q| (q.sid, q.friendly_name)).collect();
    if items.keys().ne(names.keys()) {
        return Err(format!("items {:?} for queues {:?}", items.keys(), names.keys()));
    }
    for (sid, name) in &names {
        let item = &items[sid];
        same("friendlyName", &item["friendlyName"], &json!(name))?;
        compare_item_since(&truth, channels, sid, item, since)
            .map_err(|difference| format!("{name} {difference}"))?;
    }
    let document = sync.document("dashboard-data").ok_or("there is no Document dashboard-data")?;
    let statistics = &document["workspace_statistics"];
    let true_workspace = truth.workspace(None, since, &SPLITS);
    same_raw("realtime", &statistics["realtime"], &true_workspace.realtime)?;
    same_raw("cumulative", &statistics["cumulative"], &true_workspace.cumulative)?;
    sync.document("dashboard-definitions").ok_or("there is no Document dashboard-definitions")?;
    Ok(())
}

/// Compares the item of one queue, counting since the day began.
pub(crate) fn compare_item(truth: &Truth, channels: &[&str], sid: &str, item: &Value) -> Result<(), String> {
    compare_item_since(truth, channels, sid, item, start_of_utc_day())
}

/// Compares the item of one queue, counting since this moment.
pub(crate) fn compare_item_since(
    truth: &Truth,
    channels: &[&str],
    sid: &str,
    item: &Value,
    since: Timestamp,
) -> Result<(), String> {
    same("sid", &item["sid"], &json!(sid))?;
    for channel in std::iter::once(None).chain(channels.iter().copied().map(Some)) {
        compare_realtime(truth, channel, sid, item)?;
        let suffix = channel.unwrap_or("all");
        let cumulative = truth.queue(sid, channel, since, &SPLITS).cumulative;
        same_cumulative(suffix, &item[format!("cumulativeStats_{suffix}")], &cumulative)?;
    }
    Ok(())
}

/// Compares the realtime values of one queue on one channel, or over all.
pub(crate) fn compare_realtime(
    truth: &Truth,
    channel: Option<&str>,
    sid: &str,
    item: &Value,
) -> Result<(), String> {
    let suffix = channel.unwrap_or("all");
    let realtime = truth.queue(sid, channel, start_of_utc_day(), &SPLITS).realtime;
    same_realtime(suffix, &item[format!("realTimeStats_{suffix}")], &realtime)
}

fn same_realtime(at: &str, shown: &Value, truth: &Value) -> Result<(), String> {
    let activities: Vec<Value> = truth["activity_statistics"]
        .as_array()
        .ok_or("no activities")?
        .iter()
        .map(|a| json!({"friendly_name": a["friendly_name"], "workers": a["workers"]}))
        .collect();
    same(&format!("{at} activityStatistics"), &shown["activityStatistics"], &json!(activities))?;
    for (ours, theirs) in [
        ("tasksByPriority", "tasks_by_priority"),
        ("tasksByStatus", "tasks_by_status"),
        ("availableWorkers", "total_available_workers"),
        ("eligibleWorkers", "total_eligible_workers"),
        ("totalTasks", "total_tasks"),
    ] {
        same(&format!("{at} {ours}"), &shown[ours], &truth[theirs])?;
    }
    same_age(&format!("{at} oldestTask"), &shown["oldestTask"], &truth["longest_task_waiting_age"])
}

fn same_cumulative(at: &str, shown: &Value, truth: &Value) -> Result<(), String> {
    for (ours, theirs) in [
        ("rCreated", "reservations_created"),
        ("rRej", "reservations_rejected"),
        ("rAccepted", "reservations_accepted"),
        ("rTimedOut", "reservations_timed_out"),
        ("rCancel", "reservations_canceled"),
        ("rRescind", "reservations_rescinded"),
        ("tCompl", "tasks_completed"),
        ("tMoved", "tasks_moved"),
        ("tEnter", "tasks_entered"),
        ("tCanc", "tasks_canceled"),
        ("tDel", "tasks_deleted"),
        ("waitUntilCancel", "wait_duration_until_canceled"),
        ("waitUntilAccept", "wait_duration_until_accepted"),
        ("splitByWaitTime", "split_by_wait_time"),
        ("startTime", "start_time"),
        ("avgTaskAcceptanceTime", "avg_task_acceptance_time"),
    ] {
        same(&format!("{at} {ours}"), &shown[ours], &truth[theirs])?;
    }
    Ok(())
}

/// The raw resource: every field that the truth has, ages and the window's end aside.
fn same_raw(at: &str, shown: &Value, truth: &Value) -> Result<(), String> {
    for (name, value) in truth.as_object().ok_or("no truth")? {
        match name.as_str() {
            "longest_task_waiting_age" => same_age(at, &shown[name], value)?,
            "end_time" => {}
            _ => same(&format!("{at} {name}"), &shown[name], value)?,
        }
    }
    Ok(())
}

fn same(at: &str, shown: &Value, truth: &Value) -> Result<(), String> {
    if normal(shown) == normal(truth) {
        Ok(())
    } else {
        Err(format!("{at}: {shown} is shown, {truth} is true"))
    }
}

/// 1 and 1.0 are one number.
fn normal(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.iter().map(normal).collect(),
        Value::Object(fields) => fields.iter().map(|(name, field)| (name.clone(), normal(field))).collect(),
        other => other.clone(),
    }
}

fn same_age(at: &str, shown: &Value, truth: &Value) -> Result<(), String> {
    let (shown, truth) = (shown.as_f64().ok_or("no age")?, truth.as_f64().ok_or("no age")?);
    // None waiting must show as none: only a real age may be a little behind.
    let both_or_none = (shown == 0.0) == (truth == 0.0) || (shown - truth).abs() <= AGE_TOLERANCE;
    if both_or_none && (shown - truth).abs() <= AGE_TOLERANCE {
        Ok(())
    } else {
        Err(format!("{at}: age {shown} is shown, {truth} is true"))
    }
}

pub(crate) fn start_of_utc_day() -> Timestamp {
    start_of_utc_day_at(Timestamp::now())
}

fn start_of_utc_day_at(now: Timestamp) -> Timestamp {
    let second = now.as_second();
    Timestamp::from_second(second - second.rem_euclid(86_400)).unwrap()
}
