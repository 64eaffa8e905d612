//! The service ends in the middle of things and starts again: nothing is lost.

use crate::support::{Bed, NO_TIMERS};

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_of_a_burst_it_is_right_after_the_start() {
    let mut bed = Bed::start(NO_TIMERS).await;
    for _ in 0..5 {
        for _ in 0..40 {
            bed.emulator.world().step();
        }
        bed.kill_service().await;
        for _ in 0..10 {
            bed.emulator.world().step();
        }
        bed.start_service().await;
        bed.agrees().await;
    }
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_it_writes_what_is_pending() {
    let mut bed = Bed::start(NO_TIMERS).await;
    bed.agrees().await;
    let sync_version = bed.emulator.sync().version();
    for _ in 0..10 {
        bed.emulator.world().step();
    }
    bed.emulator.callbacks().wait_idle().await;
    bed.until("a change was read and is being written", || bed.emulator.sync().version() > sync_version)
        .await;
    bed.stop_service().await;
    bed.start_service().await;
    bed.agrees().await;
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_rewrites_nothing_that_stands() {
    let mut bed = Bed::start(NO_TIMERS).await;
    bed.agrees().await;
    bed.stop_service().await;
    let items = bed.emulator.sync().map_items("queueStats");
    let version = bed.emulator.sync().version();
    bed.start_service().await;
    bed.ready().await;
    assert_eq!(bed.emulator.sync().map_items("queueStats"), items);
    assert_eq!(bed.emulator.sync().version(), version, "not a single write");
    bed.finish().await;
}
