//! The service's own feed: a snapshot first, then what changes, and what was missed after a reconnect.

use std::collections::BTreeMap;

use reqwest::Response;
use serde_json::Value;
use twilio_emulator::{Api, Fault, FaultKind, NewTask};

use crate::support::{BEARER, Bed, DEADLINE, NO_TIMERS, QUICK_TIMERS};

/// A client of server-sent events in a few lines.
struct Client {
    answer: Response,
    buffer: String,
    id: String,
    queues: BTreeMap<String, Value>,
}

impl Client {
    async fn connect(bed: &Bed, seen: Option<&str>) -> Self {
        let mut request = bed.http.get(format!("{}/api/feed", bed.url())).bearer_auth(BEARER);
        if let Some(seen) = seen {
            request = request.header("Last-Event-ID", seen);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        Self { answer, buffer: String::new(), id: String::new(), queues: BTreeMap::new() }
    }

    /// The next event's kind; its data is put together with what is known.
    async fn next(&mut self) -> String {
        let reading = async {
            loop {
                if let Some((frame, rest)) = self.buffer.split_once("\n\n") {
                    let (frame, rest) = (frame.to_owned(), rest.to_owned());
                    self.buffer = rest;
                    let field = |name: &str| {
                        frame.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned)
                    };
                    let Some(kind) = field("event: ") else { continue };
                    self.id = field("id: ").unwrap();
                    self.fold(&kind, &serde_json::from_str(&field("data: ").unwrap()).unwrap());
                    return kind;
                }
                let chunk = self.answer.chunk().await.unwrap().expect("the feed ended");
                self.buffer += std::str::from_utf8(&chunk).unwrap();
            }
        };
        tokio::time::timeout(DEADLINE, reading).await.expect("no event came")
    }

    fn fold(&mut self, kind: &str, data: &Value) {
        if kind == "snapshot" {
            self.queues.clear();
        }
        for item in data["queues"].as_array().into_iter().flatten() {
            self.queues.insert(item["sid"].as_str().unwrap().to_owned(), item.clone());
        }
        for sid in data["removed"].as_array().into_iter().flatten() {
            self.queues.remove(sid.as_str().unwrap());
        }
    }

    async fn until(&mut self, condition: impl Fn(&BTreeMap<String, Value>) -> bool) {
        while !condition(&self.queues) {
            self.next().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_sees_what_changes_and_after_a_reconnect_what_it_missed() {
    let bed = Bed::start(NO_TIMERS).await;
    bed.agrees().await;
    let world = bed.emulator.world();
    let queue = world.queues()[0].sid.clone();
    let pending = |queues: &BTreeMap<String, Value>| {
        queues.get(&queue).and_then(|item| item["realTimeStats_all"]["tasksByStatus"]["pending"].as_u64())
    };
    let task = || NewTask { queue: queue.clone(), channel: "voice".to_owned(), ..NewTask::default() };
    let mut client = Client::connect(&bed, None).await;
    assert_eq!(client.next().await, "snapshot");
    client.until(|queues| queues.len() == 4).await;
    world.create_task(task()).unwrap();
    client.until(|queues| pending(queues) == Some(1)).await;
    let (id, queues) = (client.id.clone(), client.queues.clone());
    drop(client);

    world.create_task(task()).unwrap();
    let gone = world.queues()[1].sid.clone();
    world.remove_queue(&gone).unwrap();
    bed.agrees().await;
    let mut client = Client::connect(&bed, Some(&id)).await;
    client.queues = queues;
    assert_eq!(client.next().await, "change", "only what was missed");
    client.until(|queues| pending(queues) == Some(2) && !queues.contains_key(&gone)).await;

    let mut stranger = Client::connect(&bed, Some("1-1")).await;
    assert_eq!(stranger.next().await, "snapshot", "an id of another process is no position");
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_nobody_confirms_are_called_stale_before_any_read_has_failed() {
    let timers = [&[("TWILIO_TIMEOUT", "50s")], QUICK_TIMERS].concat();
    let bed = Bed::start(&timers).await;
    bed.agrees().await;
    let hang = bed.emulator.faults().add(Fault::new(FaultKind::Hang).on(Api::TaskRouter));
    let told = async |ok: bool| {
        let asking = async {
            loop {
                let health = bed.http.get(format!("{}/api/health", bed.url())).bearer_auth(BEARER);
                let health: Value = health.send().await.unwrap().json().await.unwrap();
                if health["health"]["taskrouter"]["ok"] == ok {
                    return health["health"]["taskrouter"].clone();
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(DEADLINE, asking).await.expect("it was never told")
    };
    let stale = told(false).await;
    assert!(stale["reason"].as_str().unwrap().contains("two intervals") && stale["since"].is_string());
    bed.emulator.faults().remove(hang);
    told(true).await;
    bed.finish().await;
}
