//! The service's own feed: a snapshot first, then what changes, and what was missed after a reconnect.

use std::collections::BTreeMap;

use serde_json::Value;
use twilio_emulator::{Api, Fault, FaultKind, NewTask};

use crate::support::watcher::Watcher;
use crate::support::{BEARER, Bed, DEADLINE, NO_TIMERS, QUICK_TIMERS};

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
    let mut client = Watcher::at(bed.url(), None).await;
    assert_eq!(client.next().await, "snapshot");
    client.until("all TaskQueues", |client| client.queues.len() == 4).await;
    world.create_task(task()).unwrap();
    client.until("the Task", |client| pending(&client.queues) == Some(1)).await;

    world.create_task(task()).unwrap();
    let gone = world.queues()[1].sid.clone();
    world.remove_queue(&gone).unwrap();
    bed.agrees().await;
    let mut client = Watcher::at(bed.url(), Some(client)).await;
    assert_eq!(client.next().await, "change", "only what was missed");
    let missed = |client: &Watcher| pending(&client.queues) == Some(2) && !client.queues.contains_key(&gone);
    client.until("what was missed", missed).await;

    let mut stranger = Watcher::after(bed.url(), Some("1-1")).await;
    assert_eq!(stranger.next().await, "snapshot", "an id of another process is no position");
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unconfirmed_numbers_are_marked_stale_before_any_read_has_failed() {
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
