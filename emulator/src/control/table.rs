//! The centre as plain text for a terminal: the true numbers beside those in Sync.

use std::fmt::Write as _;

use serde_json::Value;

use super::ControlAnswer;
use crate::parts::Core;
use crate::rest::reply::Reply;
use crate::rest::request::Request;

/// The Map of the realtime-stats plugin, unless `?map=` names another one of its form.
const MAP: &str = "queueStats";

/// One row for each TaskQueue: pending and reserved Tasks, assigned and wrapping ones, and the longest wait.
pub(super) fn show(core: &Core, request: &Request) -> ControlAnswer {
    let map = request.query.filled("map").unwrap_or(MAP);
    let truth = core.world.truth();
    let since = core.clock.now();
    let mut text = String::new();
    let mut line = |name: &str, cells: &[String; 6]| {
        let [waiting, busy, oldest, shown_waiting, shown_busy, shown_oldest] = cells;
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{name:<18} {waiting:>8} {busy:>8} {oldest:>8}   |{shown_waiting:>8} {shown_busy:>8} {shown_oldest:>8}"
        );
    };
    let head = ["in truth:", "busy", "oldest", "in Sync:", "busy", "oldest"].map(str::to_owned);
    line("TaskQueue", &head);
    for queue in core.world.queues() {
        let realtime = truth.queue(&queue.sid, None, since, &[]).realtime;
        let item = core.sync.item(map, &queue.sid).map(|(item, _)| item["realTimeStats_all"].clone());
        let [waiting, busy, oldest] =
            cells(&realtime["tasks_by_status"], &realtime["longest_task_waiting_age"]);
        let [shown_waiting, shown_busy, shown_oldest] = match &item {
            Some(item) => cells(&item["tasksByStatus"], &item["oldestTask"]),
            None => ["-", "-", "-"].map(str::to_owned),
        };
        let name: String = queue.friendly_name.chars().take(18).collect();
        line(&name, &[waiting, busy, oldest, shown_waiting, shown_busy, shown_oldest]);
    }
    let headers = vec![("content-type", "text/plain; charset=utf-8".to_owned())];
    Ok(Reply { headers, ..Reply::bytes(200, text.into_bytes()) })
}

fn cells(by_status: &Value, age: &Value) -> [String; 3] {
    let count = |name: &str| by_status[name].as_i64().unwrap_or(0);
    let age = age.as_i64().unwrap_or(0);
    [
        (count("pending") + count("reserved")).to_string(),
        (count("assigned") + count("wrapping")).to_string(),
        format!("{}:{:02}", age / 60, age % 60),
    ]
}
