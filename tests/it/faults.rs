//! Twilio in trouble: whatever it does, afterwards Sync is right, and meanwhile nothing true was thrown away.

use std::time::Duration;

use twilio_emulator::{Api, Fault, FaultKind, NewTask};

use crate::support::{Bed, QUICK_TIMERS};

async fn bed() -> Bed {
    let variables: Vec<_> = QUICK_TIMERS.iter().copied().chain([("TWILIO_TIMEOUT", "400ms")]).collect();
    let bed = Bed::start(&variables).await;
    bed.agrees().await;
    bed
}

fn kinds() -> Vec<FaultKind> {
    let status = |status, retry_after| FaultKind::Status { status, code: None, retry_after };
    vec![
        status(429, Some(1)),
        status(429, None),
        status(500, None),
        status(503, Some(1)),
        FaultKind::Reset,
        FaultKind::Hang,
        FaultKind::MalformedJson,
        FaultKind::Truncated,
        FaultKind::WrongTypes,
    ]
}

async fn survives(api: Api, after_processing: bool) {
    let bed = bed().await;
    let faults = bed.emulator.faults();
    for kind in kinds() {
        let mut fault = Fault::new(kind.clone()).on(api);
        if after_processing {
            fault = fault.after_processing();
        }
        faults.add(fault);
        for _ in 0..10 {
            bed.emulator.world().step();
        }
        let before = faults.struck();
        bed.until("the fault has struck a few times", || faults.struck() >= before + 3).await;
        faults.clear();
        bed.agrees().await;
    }
    // A fault of 429 answers is no limit that we passed.
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn taskrouter_in_trouble_is_survived() {
    survives(Api::TaskRouter, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_in_trouble_is_survived() {
    survives(Api::Sync, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_whose_answer_is_lost_are_survived() {
    survives(Api::Sync, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_can_not_be_read_stays_and_says_so() {
    let bed = bed().await;
    let world = bed.emulator.world();
    let queue = world.queues()[0].sid.clone();
    world
        .create_task(NewTask { queue: queue.clone(), channel: "voice".to_owned(), ..NewTask::default() })
        .unwrap();
    bed.agrees().await;
    bed.emulator.faults().add(Fault::status(500, 20500).on(Api::TaskRouter));
    let item = || bed.emulator.sync().item("queueStats", &queue).unwrap().0;
    bed.until("the item says that it is stale", || item()["realTimeStatsMessage"].is_string()).await;
    assert_eq!(item()["realTimeStats_all"]["tasksByStatus"]["pending"], 1, "the last known value stays");
    let message = item()["realTimeStatsMessage"].as_str().unwrap().to_owned();
    assert!(message.contains("500") && !message.contains(&bed.emulator.account().auth_token), "{message}");
    bed.emulator.faults().clear();
    bed.until("it is fresh again", || item()["realTimeStatsMessage"].is_null()).await;
    bed.agrees().await;
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_can_not_be_written_holds_up_no_other() {
    let bed = bed().await;
    let world = bed.emulator.world();
    let queues: Vec<String> = world.queues().into_iter().map(|queue| queue.sid).collect();
    bed.emulator.faults().add(Fault::status(500, 20500).on(Api::Sync).path(&queues[0]));
    let task =
        |queue: &String| NewTask { queue: queue.clone(), channel: "chat".to_owned(), ..NewTask::default() };
    for queue in &queues {
        world.create_task(task(queue)).unwrap();
    }
    let pending = |queue: &String| {
        let item = bed.emulator.sync().item("queueStats", queue).unwrap().0;
        item["realTimeStats_chat"]["tasksByStatus"]["pending"].as_u64()
    };
    bed.until("the others are written", || queues[1..].iter().all(|q| pending(q) == Some(1))).await;
    assert_ne!(pending(&queues[0]), Some(1));
    bed.emulator.faults().clear();
    bed.agrees().await;
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_channel_delays_no_other() {
    let bed = bed().await;
    let world = bed.emulator.world();
    // Only single reads and lists of one channel carry its name, and those are what hangs.
    let queue = world.queues()[0].sid.clone();
    bed.emulator
        .faults()
        .add(Fault::new(FaultKind::Hang).on(Api::TaskRouter).path(&format!("TaskQueues/{queue}")));
    let other = world.queues()[1].sid.clone();
    world.create_task(NewTask { queue, channel: "voice".to_owned(), ..NewTask::default() }).unwrap();
    world
        .create_task(NewTask { queue: other.clone(), channel: "voice".to_owned(), ..NewTask::default() })
        .unwrap();
    let shown = || bed.emulator.sync().item("queueStats", &other).unwrap().0;
    bed.until("the other queue shows its task", || {
        shown()["realTimeStats_voice"]["tasksByStatus"]["pending"] == 1
    })
    .await;
    bed.emulator.faults().clear();
    bed.agrees().await;
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_everything_ends_in_the_truth() {
    let bed = bed().await;
    bed.emulator.faults().add(Fault::new(FaultKind::Reset));
    for _ in 0..100 {
        bed.emulator.world().step();
    }
    bed.emulator.callbacks().wait_idle().await;
    let struck = bed.emulator.faults().struck();
    bed.until("Twilio was tried in vain", || bed.emulator.faults().struck() > struck + 10).await;
    let refused = bed.emulator.callbacks().deliveries().into_iter().filter(|d| d.status != Some(204)).count();
    assert_eq!(refused, 0, "events are taken in all the same");
    bed.emulator.faults().clear();
    bed.agrees().await;
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_twilio_is_only_slow() {
    let bed = bed().await;
    bed.emulator.set_latency(Api::TaskRouter, Duration::from_millis(100));
    bed.emulator.set_latency(Api::Sync, Duration::from_millis(100));
    for _ in 0..30 {
        bed.emulator.world().step();
    }
    bed.agrees().await;
    bed.finish().await;
}
