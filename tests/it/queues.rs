//! TaskQueues come, go and change their names, and Sync follows.

use futures_util::future::join_all;
use serde_json::{Value, json};
use twilio_emulator::Settings;

use crate::support::socket::{Socket, TOKEN_HEADER};
use crate::support::{BEARER, Bed, DEADLINE, NO_TIMERS, QUICK_TIMERS};

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

/// What the service answers for a Worker's TaskQueues.
async fn queues_of(bed: &Bed, worker: &str) -> reqwest::Response {
    let request = bed.http.get(format!("{}/api/workers/{worker}/queues", bed.url()));
    request.bearer_auth(BEARER).send().await.unwrap()
}

/// The TaskQueues whose expression the Worker satisfies in the emulator's own state.
fn eligible(bed: &Bed, worker: &str) -> Value {
    let world = bed.emulator.world();
    let suited = world.workers().into_iter().find(|known| known.sid == worker).unwrap().queues;
    let queues = world.queues().into_iter().filter(|queue| suited.contains(&queue.sid));
    queues.map(|queue| json!({ "sid": queue.sid, "friendlyName": queue.friendly_name })).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agents_queues_are_those_that_taskrouter_says_and_follow_the_agents_skills() {
    let bed = Bed::start(NO_TIMERS).await;
    bed.agrees().await;
    let world = bed.emulator.world();
    let worker = world.add_worker("Nina", "Available", &["billing"]).unwrap();
    bed.agrees().await;
    let reads = || {
        let entries = bed.emulator.journal().entries();
        entries.iter().filter(|entry| entry.query.contains("WorkerSid=")).count()
    };

    let answers = join_all((0..10).map(|_| queues_of(&bed, &worker))).await;
    for answer in answers {
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["cache-control"]),
            (200, &"no-store".parse().unwrap())
        );
        let queues: Value = answer.json().await.unwrap();
        assert_eq!(queues, eligible(&bed, &worker));
        assert_eq!(sids(&queues, "friendlyName"), ["Billing"]);
    }
    assert_eq!(reads(), 1, "ten who ask at once are one request to TaskRouter");

    world.set_worker_attributes(&worker, json!({ "skills": ["billing", "support"] })).unwrap();
    let both = eligible(&bed, &worker);
    assert_eq!(sids(&both, "friendlyName"), ["Support", "Billing"]);
    let follows = async { while queues_of(&bed, &worker).await.json::<Value>().await.unwrap() != both {} };
    tokio::time::timeout(DEADLINE, follows).await.expect("the new skill's queue is shown");

    let unknown = queues_of(&bed, &format!("WK{}", "0".repeat(32))).await;
    assert_eq!((unknown.status().as_u16(), unknown.text().await.unwrap().as_str()), (200, "[]"));
    for odd in ["WQ00000000000000000000000000000001", "WK1", "WK%2F..%2F..", "%ff"] {
        assert_eq!(queues_of(&bed, odd).await.status(), 404, "{odd}");
    }
    bed.finish().await;
}
