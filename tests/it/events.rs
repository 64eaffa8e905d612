//! Single events, as they come and as they should not: with all timers off, events alone keep Sync true.

use std::time::Duration;

use twilio_emulator::{Format, NewTask};

use crate::support::{Bed, NO_TIMERS, QUICK_TIMERS};

#[tokio::test(flavor = "multi_thread")]
async fn every_step_of_a_task_shows_at_once() {
    let bed = Bed::start(NO_TIMERS).await;
    bed.agrees().await;
    let world = bed.emulator.world();
    let queue = world.queues()[0].sid.clone();
    let worker = world.workers()[0].sid.clone();
    let task = NewTask { queue, channel: "voice".to_owned(), priority: 5, ..NewTask::default() };

    world.set_activity(&worker, "Available").unwrap();
    bed.agrees().await;
    let first = world.create_task(task.clone()).unwrap();
    bed.agrees().await;
    let reservation = world.reserve(&first, &worker).unwrap();
    bed.agrees().await;
    world.accept(&reservation).unwrap();
    bed.agrees().await;
    world.wrap(&reservation).unwrap();
    bed.agrees().await;
    world.complete(&reservation).unwrap();
    bed.agrees().await;

    let second = world.create_task(NewTask { channel: "chat".to_owned(), ..task.clone() }).unwrap();
    let other_queue = world.queues()[1].sid.clone();
    world.transfer(&second, &other_queue).unwrap();
    bed.agrees().await;
    world.cancel(&second, "gave up").unwrap();
    bed.agrees().await;
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_event_takes_few_reads() {
    let bed = Bed::start(NO_TIMERS).await;
    bed.agrees().await;
    let queue = bed.emulator.world().queues()[0].sid.clone();
    bed.emulator.journal().clear();
    // Already an event of a Task: reservations and more would be events of their own.
    bed.emulator
        .world()
        .create_task(NewTask { queue, channel: "voice".to_owned(), ..NewTask::default() })
        .unwrap();
    bed.agrees().await;
    let reads = |bed: &Bed| {
        let entries = bed.emulator.journal().entries();
        entries.iter().filter(|e| e.api == twilio_emulator::Api::TaskRouter).count()
    };
    // A Task's creation is several events at almost the same time: one refresh, and one more for what came during it.
    assert!(reads(&bed) <= 2 * 5, "{} reads", reads(&bed));
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn doubled_and_shuffled_events_leave_the_truth() {
    let bed = Bed::start(NO_TIMERS).await;
    bed.emulator.callbacks().duplicate(0.5);
    bed.emulator.callbacks().shuffle(10);
    for _ in 0..60 {
        bed.emulator.world().step();
    }
    bed.agrees().await;
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_events_cost_time_and_not_truth() {
    let bed = Bed::start(QUICK_TIMERS).await;
    bed.emulator.callbacks().drop_all(true);
    for _ in 0..60 {
        bed.emulator.world().step();
    }
    bed.agrees().await;
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_that_lag_behind_their_events_are_read_again() {
    let bed = Bed::start(NO_TIMERS).await;
    bed.emulator.set_statistics_lag(Duration::from_millis(1500));
    let world = bed.emulator.world();
    let queue = world.queues()[0].sid.clone();
    for _ in 0..2 {
        world
            .create_task(NewTask { queue: queue.clone(), channel: "voice".to_owned(), ..NewTask::default() })
            .unwrap();
        bed.emulator.callbacks().wait_idle().await;
        bed.agrees().await;
    }
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn event_streams_are_a_source_as_good() {
    let bed = Bed::start(NO_TIMERS).await;
    bed.emulator.callbacks().format(Format::EventStreams);
    for _ in 0..20 {
        bed.emulator.world().step();
    }
    bed.agrees().await;
    let refused = bed.emulator.callbacks().deliveries().into_iter().filter(|d| d.status != Some(204)).count();
    assert_eq!(refused, 0);
    bed.finish().await;
}
