//! The objects in Sync: made where missing, also while we run; never overwritten where another program made them.

use serde_json::json;
use twilio_emulator::Settings;

use crate::support::{Bed, NO_TIMERS};

fn quick_audits() -> Vec<(&'static str, &'static str)> {
    NO_TIMERS.iter().copied().chain([("SYNC_AUDIT_INTERVAL", "200ms")]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_writer_deletes_or_changes_comes_back() {
    let bed = Bed::start(&quick_audits()).await;
    bed.agrees().await;
    let sync = bed.emulator.sync();
    let queue = bed.emulator.world().queues()[0].sid.clone();

    assert!(sync.delete_item("queueStats", &queue));
    bed.agrees().await;
    sync.put_item("queueStats", &queue, json!({"vandal": true}));
    bed.agrees().await;
    assert!(sync.delete_map("queueStats"));
    bed.agrees().await;
    assert!(sync.delete_document("dashboard-data"));
    bed.agrees().await;
    assert!(sync.delete_document("dashboard-definitions"));
    bed.agrees().await;
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_start_with_the_defaults_and_are_never_overwritten() {
    let bed = Bed::start(&quick_audits()).await;
    let definitions = || bed.emulator.sync().document("dashboard-definitions").unwrap();
    let defaults: serde_json::Value = serde_json::from_str(include_str!("../../default_stats.json")).unwrap();
    assert_eq!(definitions(), defaults);
    bed.finish().await;

    let settings = Settings { queues: 2, ..Settings::default() };
    let mut bed = Bed::without_service(settings, &quick_audits()).await;
    let own = json!({"mine": {"metric": {"label": "Mine", "formula": "1"}}});
    bed.emulator.sync().put_document("dashboard-definitions", own.clone());
    bed.start_service().await;
    bed.agrees().await;
    let before = bed.emulator.journal().entries().len();
    bed.until("a few audits have looked", || bed.emulator.journal().entries().len() > before + 20).await;
    assert_eq!(bed.emulator.sync().document("dashboard-definitions"), Some(own));
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_value_is_not_written_again() {
    let timers =
        [("REALTIME_INTERVAL", "100ms"), ("CUMULATIVE_INTERVAL", "100ms"), ("DIRECTORY_INTERVAL", "1h")];
    let bed = Bed::start(&timers).await;
    bed.agrees().await;
    let (version, reads) = (bed.emulator.sync().version(), bed.emulator.journal().entries().len());
    bed.until("everything was read again many times", || bed.emulator.journal().entries().len() > reads + 60)
        .await;
    assert_eq!(bed.emulator.sync().version(), version, "nothing happened, so nothing was written");
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ages_move_on_without_any_event() {
    let timers = [("REALTIME_INTERVAL", "500ms")];
    let bed = Bed::start(&timers).await;
    bed.agrees().await;
    bed.emulator.callbacks().drop_all(true);
    let world = bed.emulator.world();
    let queue = world.queues()[0].sid.clone();
    let task =
        twilio_emulator::NewTask { queue: queue.clone(), channel: "voice".to_owned(), ..Default::default() };
    world.create_task(task).unwrap();
    let item = || bed.emulator.sync().item("queueStats", &queue).unwrap().0;
    let age = || item()["realTimeStats_all"]["oldestTask"].as_u64();
    bed.until("the task shows", || item()["realTimeStats_all"]["tasksByStatus"]["pending"] == 1).await;
    let since = item()["oldestTaskSince"].clone();
    bed.until("its age has moved on twice", || age() >= Some(2)).await;
    assert_eq!(item()["oldestTaskSince"], since, "and it counts from one steady moment");
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_found_missing_is_filled_at_once_and_not_at_the_next_audit() {
    let bed = Bed::start(NO_TIMERS).await;
    bed.agrees().await;
    bed.emulator.sync().delete_map("queueStats");
    let queue = bed.emulator.world().queues()[0].sid.clone();
    let task = twilio_emulator::NewTask { queue, channel: "voice".to_owned(), ..Default::default() };
    bed.emulator.world().create_task(task).unwrap();
    // One queue moved; the others come back all the same, and the audit is a minute away.
    bed.agrees().await;
    bed.finish().await;
}
