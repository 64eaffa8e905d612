//! TaskQueues come, go and change their names, and Sync follows.

use serde_json::Value;
use twilio_emulator::Settings;

use crate::support::socket::{Socket, TOKEN_HEADER};
use crate::support::{BEARER, Bed, NO_TIMERS, QUICK_TIMERS};

#[tokio::test(flavor = "multi_thread")]
async fn a_new_queue_appears_and_a_deleted_ones_item_goes() {
    let bed = Bed::start(NO_TIMERS).await;
    bed.agrees().await;
    let world = bed.emulator.world();
    let added = world.add_queue("Latecomers");
    bed.agrees().await;
    assert!(bed.emulator.sync().item("queueStats", &added).is_some());
    world.remove_queue(&added).unwrap();
    bed.agrees().await;
    assert!(bed.emulator.sync().item("queueStats", &added).is_none());
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_queue_is_found_without_an_event() {
    let bed = Bed::start(QUICK_TIMERS).await;
    let queue = bed.emulator.world().queues()[1].sid.clone();
    bed.emulator.world().rename_queue(&queue, "Another name").unwrap();
    bed.agrees().await;
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_deleted_while_we_were_away_leaves_no_item() {
    let mut bed = Bed::start(NO_TIMERS).await;
    bed.agrees().await;
    bed.stop_service().await;
    let gone = bed.emulator.world().queues()[0].sid.clone();
    bed.emulator.world().remove_queue(&gone).unwrap();
    bed.emulator.sync().put_item("queueStats", "another-programs", serde_json::json!({"keep": true}));
    bed.start_service().await;
    bed.until("the leftover item is removed", || bed.emulator.sync().item("queueStats", &gone).is_none())
        .await;
    bed.ready().await;
    assert!(bed.emulator.sync().item("queueStats", "another-programs").is_some(), "what is not ours stays");
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_queues_never_take_more_than_twenty_writes_at_once() {
    let settings = Settings { queues: 100, workers: 40, ..Settings::default() };
    let bed = Bed::with(settings, NO_TIMERS).await;
    bed.agrees().await;
    for _ in 0..100 {
        bed.emulator.world().step();
    }
    bed.agrees().await;
    let peak = bed.emulator.journal().peak_sync_writes();
    assert!((2..=20).contains(&peak), "{peak} at once");
    bed.finish().await;
}

/// The SIDs that a list's members have under this name.
fn sids(list: &Value, name: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|member| member[name].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_keep_taskrouters_order_wherever_they_are_shown_unsorted() {
    let bed = Bed::start(NO_TIMERS).await;
    bed.register_token();
    let world = bed.emulator.world();
    // TaskRouter lists by age; neither by name nor by SID would these stay last.
    for name in ["Mules", "Aardvarks", "Llamas"] {
        world.add_queue(name);
        world.add_worker(name, "Available", &[]).unwrap();
    }
    let queues: Vec<String> = world.queues().into_iter().map(|queue| queue.sid).collect();
    let workers: Vec<String> = world.workers().into_iter().map(|worker| worker.sid).collect();
    for listed in [&queues, &workers] {
        assert!(!listed.is_sorted() && listed.len() > 6, "the order says something");
    }
    bed.agrees().await;

    assert_eq!(sids(&Value::from(bed.check_map().await), "sid"), queues, "?checkMap=true");
    let authorization = format!("Bearer {BEARER}");
    let mut older = Socket::open(&bed, "/websocket/realtimeStats", &[TOKEN_HEADER]).await.unwrap();
    let items = older.until(|items| items.as_array().is_some_and(|items| items.len() == queues.len())).await;
    assert_eq!(sids(&items, "sid"), queues, "the websocket of the older plugin");
    let mut feed = Socket::open(&bed, "/api/feed", &[("Authorization", &authorization)]).await.unwrap();
    let items = feed.until(|frame| frame["queues"].as_array().is_some_and(|q| q.len() == queues.len())).await;
    assert_eq!(sids(&items["queues"], "sid"), queues, "the feed");

    let listed = bed.http.get(format!("{}/taskrouter_workers", bed.url())).bearer_auth(BEARER);
    let listed: Value = listed.send().await.unwrap().json().await.unwrap();
    assert_eq!(sids(&listed, "worker_sid"), workers, "the list of Workers");
    bed.finish().await;
}
