//! The rival: the simplest thing that keeps Sync up to date. It gathers events for a moment, reads the list of statistics
//! for each channel, and writes every queue that differs from what it last wrote, 20 writes at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::{Map, Value, json};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use twilio_emulator::Emulator;

use super::counters::Shape;
use crate::agreement::start_of_utc_day;
use crate::testbed::{CHANNELS, EVENTS, MAP};

const GATHER: Duration = Duration::from_millis(5);
const WRITES_AT_ONCE: usize = 20;

/// The item's fields, by the names that TaskRouter has for them.
const REALTIME: [(&str, &str); 7] = [
    ("activityStatistics", "activity_statistics"),
    ("oldestTask", "longest_task_waiting_age"),
    ("tasksByPriority", "tasks_by_priority"),
    ("tasksByStatus", "tasks_by_status"),
    ("availableWorkers", "total_available_workers"),
    ("eligibleWorkers", "total_eligible_workers"),
    ("totalTasks", "total_tasks"),
];
const CUMULATIVE: [(&str, &str); 16] = [
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
];

#[derive(Debug)]
struct Rival {
    http: reqwest::Client,
    shape: Shape,
    workspace: String,
    sync: String,
    account: (String, String),
    /// By target: the number of the round that wrote it last, and what it wrote.
    written: Mutex<HashMap<String, (u64, Value)>>,
    writes: Arc<Semaphore>,
}

/// A running rival; it stops when it is dropped.
#[derive(Debug)]
pub(super) struct Running(JoinSet<()>);

/// Starts it for an emulator whose events it takes, and waits for its first round.
pub(super) async fn start(emulator: &Emulator, shape: Shape) -> Running {
    let (url, account) = (emulator.url(), emulator.account());
    let rival = Arc::new(Rival {
        http: reqwest::Client::new(),
        shape,
        workspace: format!("{url}/v1/Workspaces/{}", account.workspace_sid),
        sync: format!("{url}/v1/Services/{}", account.sync_service_sid),
        account: (account.account_sid.clone(), account.auth_token.clone()),
        written: Mutex::default(),
        writes: Arc::new(Semaphore::new(WRITES_AT_ONCE)),
    });
    let event = Arc::new(Notify::new());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    emulator.callbacks().set_url(&format!("http://{}{EVENTS}", listener.local_addr().unwrap()));
    let heard = event.clone();
    let hear = move || async move {
        heard.notify_one();
        StatusCode::NO_CONTENT
    };
    rival.clone().round(0).await;
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { axum::serve(listener, Router::new().route(EVENTS, post(hear))).await.unwrap() });
    tasks.spawn(async move {
        let mut rounds = JoinSet::new();
        for round in 1.. {
            event.notified().await;
            tokio::time::sleep(GATHER).await;
            rounds.spawn(rival.clone().round(round));
            while rounds.try_join_next().is_some() {}
        }
    });
    Running(tasks)
}

impl Running {
    pub(super) async fn stop(mut self) {
        self.0.shutdown().await;
    }
}

/// What counts as different: an age that moved on is worth a write every 15 seconds, not each time.
fn news(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, field)| match name.as_str() {
                "oldestTask" | "longest_task_waiting_age" => {
                    (name.clone(), json!(field.as_i64().map(|age| (age + 14) / 15)))
                }
                _ => (name.clone(), news(field)),
            })
            .collect(),
        other => other.clone(),
    }
}

impl Rival {
    /// Reads everything and writes what differs.
    async fn round(self: Arc<Self>, number: u64) {
        let mut writing = JoinSet::new();
        for (target, create, value) in self.read().await {
            let known = self.written.lock().unwrap().get(&target).cloned();
            if known.is_some_and(|(round, written)| round > number || news(&written) == news(&value)) {
                continue;
            }
            let (rival, writes) = (self.clone(), self.writes.clone());
            writing.spawn(async move {
                let _permit = writes.acquire_owned().await;
                let data = value.to_string();
                let mut status = rival.post(&target, &[("Data", &data)]).await;
                if status == 404 {
                    let (list, name, key) = create;
                    status = rival.post(&list, &[(name, &key), ("Data", &data)]).await;
                }
                if status < 300 {
                    rival.written.lock().unwrap().insert(target, (number, value));
                }
            });
        }
        writing.join_all().await;
    }

    /// A wanted write: address, how to create it (list, name of the key, key), value.
    async fn read(&self) -> Vec<(String, (String, &'static str, String), Value)> {
        let since = start_of_utc_day();
        let window = format!("StartDate={since}&SplitByWaitTime=30,60,120&PageSize=1000");
        if self.shape == Shape::DashboardDocument {
            let statistics = self.get(&format!("Statistics?{}", window.replace("&PageSize=1000", ""))).await;
            let value = json!({ "workspace_statistics": statistics });
            return vec![self.document("dashboard-data".to_owned(), value)];
        }
        let every = std::iter::once(None).chain(CHANNELS.map(Some));
        let channels: Vec<_> = if self.shape == Shape::DashboardMap { vec![None] } else { every.collect() };
        let lists = channels.iter().map(|channel| {
            let only = channel.map(|channel| format!("&TaskChannel={channel}")).unwrap_or_default();
            let path = format!("TaskQueues/Statistics?{window}{only}");
            async move { self.get(&path).await }
        });
        let lists = futures_util::future::join_all(lists).await;
        let mut items: HashMap<String, Map<String, Value>> = HashMap::new();
        for (channel, list) in channels.iter().zip(&lists) {
            for line in list["task_queues_statistics"].as_array().into_iter().flatten() {
                let sid = line["task_queue_sid"].as_str().unwrap_or_default();
                let item = items.entry(sid.to_owned()).or_default();
                self.add(item, channel.unwrap_or("all"), line);
            }
        }
        let finish = |(sid, mut item): (String, Map<String, Value>)| {
            item.insert("sid".to_owned(), json!(sid));
            let item = Value::Object(item);
            match self.shape {
                Shape::QueueMap => vec![self.item(MAP, sid, item)],
                Shape::DashboardMap => vec![self.item("dashboard-map", format!("TASK_QUEUE_{sid}"), item)],
                _ => vec![
                    self.document(format!("task-queue-{sid}"), item["now"].clone()),
                    self.document(format!("task-queue-{sid}-today"), item["today"].clone()),
                ],
            }
        };
        items.into_iter().flat_map(finish).collect()
    }

    fn add(&self, item: &mut Map<String, Value>, channel: &str, line: &Value) {
        let pick = |from: &Value, names: &[(&str, &str)]| -> Value {
            names.iter().map(|(ours, theirs)| ((*ours).to_owned(), from[theirs].clone())).collect()
        };
        let (mut realtime, cumulative) = (line["realtime"].clone(), pick(&line["cumulative"], &CUMULATIVE));
        for activity in realtime["activity_statistics"].as_array_mut().into_iter().flatten() {
            activity.as_object_mut().map(|activity| activity.remove("sid"));
        }
        match self.shape {
            Shape::QueueMap => {
                item.insert(format!("realTimeStats_{channel}"), pick(&realtime, &REALTIME));
                item.insert(format!("cumulativeStats_{channel}"), cumulative);
            }
            Shape::QueueDocuments => {
                let status = &realtime["tasks_by_status"];
                let now = json!({
                    "pending": status["pending"], "reserved": status["reserved"], "assigned": status["assigned"],
                    "wrapping": status["wrapping"], "tasks": realtime["total_tasks"],
                    "available": realtime["total_available_workers"], "eligible": realtime["total_eligible_workers"],
                });
                for (document, value) in [("now", now), ("today", cumulative)] {
                    let part = item.entry(document).or_insert_with(|| json!({}));
                    part[channel] = value;
                }
            }
            _ => {
                // The window's end moves with every read and would be news each time.
                let mut data = line.clone();
                data["cumulative"].as_object_mut().map(|cumulative| cumulative.remove("end_time"));
                item.insert("data".to_owned(), data);
            }
        }
    }

    fn item(&self, map: &str, key: String, value: Value) -> (String, (String, &'static str, String), Value) {
        let list = format!("{}/Maps/{map}/Items", self.sync);
        (format!("{list}/{key}"), (list, "Key", key), value)
    }

    fn document(&self, name: String, value: Value) -> (String, (String, &'static str, String), Value) {
        let list = format!("{}/Documents", self.sync);
        (format!("{list}/{name}"), (list, "UniqueName", name), value)
    }

    async fn get(&self, path: &str) -> Value {
        let request = self.http.get(format!("{}/{path}", self.workspace));
        match request.basic_auth(&self.account.0, Some(&self.account.1)).send().await {
            Ok(answer) => answer.json().await.unwrap_or_default(),
            Err(_) => Value::Null,
        }
    }

    async fn post(&self, url: &str, form: &[(&str, &str)]) -> u16 {
        let request = self.http.post(url).basic_auth(&self.account.0, Some(&self.account.1)).form(form);
        request.send().await.map_or(0, |answer| answer.status().as_u16())
    }
}
