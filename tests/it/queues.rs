//! TaskQueues come, go and change their names, and Sync follows.

use twilio_emulator::Settings;

use crate::support::{Bed, NO_TIMERS, QUICK_TIMERS};

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
    bed.emulator.sync().put_item("queueStats", "somebody-elses", serde_json::json!({"keep": true}));
    bed.start_service().await;
    bed.until("the leftover item is removed", || bed.emulator.sync().item("queueStats", &gone).is_none())
        .await;
    bed.ready().await;
    assert!(bed.emulator.sync().item("queueStats", "somebody-elses").is_some(), "what is not ours stays");
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
