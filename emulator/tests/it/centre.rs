//! The centre itself: the same seed lives the same life, and a driven one moves.

use std::collections::HashSet;
use std::time::Duration;

use twilio_emulator::{Emulator, Move, Settings, TaskStatus};

use crate::support::Bench;

async fn life(seed: u64) -> (Vec<Move>, Vec<String>) {
    let bench = Bench::with(Settings { seed, ..Settings::default() }).await;
    let world = bench.emulator.world();
    let moves = (0..300).map(|_| world.step()).collect();
    (moves, world.tasks().into_iter().map(|task| format!("{} {:?}", task.sid, task.status)).collect())
}

#[tokio::test]
async fn the_same_seed_lives_the_same_life() {
    // Abandonment depends on how long a Task has waited; so short a life sees none of it.
    let (one, again, other) = (life(7).await, life(7).await, life(8).await);
    assert_eq!(one, again);
    assert_ne!(one.1, other.1);
}

#[tokio::test]
async fn many_steps_show_every_kind_of_move() {
    let bench = Bench::start().await;
    let (world, clock) = (bench.emulator.world(), bench.emulator.clock());
    let mut seen = HashSet::new();
    for _ in 0..4000 {
        clock.advance(Duration::from_secs(1));
        seen.insert(world.step());
    }
    for wanted in [
        Move::Arrived,
        Move::Offered,
        Move::Accepted,
        Move::Rejected,
        Move::TimedOut,
        Move::Abandoned,
        Move::WorkflowTimedOut,
        Move::Transferred,
        Move::Updated,
        Move::Wrapping,
        Move::Completed,
        Move::ActivityChanged,
    ] {
        assert!(seen.contains(&wanted), "{wanted:?}");
    }
    let open = world
        .tasks()
        .iter()
        .filter(|task| !matches!(task.status, TaskStatus::Completed | TaskStatus::Canceled))
        .count();
    assert!((5..80).contains(&open), "busy, but not growing: {open}");
}

#[tokio::test]
async fn a_centre_with_a_past_has_numbers_from_the_start() {
    let bench = Bench::with(Settings { history: Duration::from_secs(7200), ..Settings::default() }).await;
    let since = "2020-01-01T00:00:00Z".parse().unwrap();
    let both = bench.emulator.truth().workspace(None, since, &[]);
    assert!(both.cumulative["tasks_completed"].as_u64().unwrap() > 100);
    assert!(both.cumulative["wait_duration_until_accepted"]["avg"].as_u64().unwrap() > 0);
    let hour = bench.get(&bench.w("/CumulativeStatistics?Minutes=60")).await.body;
    assert!(hour["tasks_completed"].as_u64().unwrap() < both.cumulative["tasks_completed"].as_u64().unwrap());
}

#[tokio::test]
async fn a_driven_centre_moves_until_the_handle_is_dropped() {
    let bench = Bench::start().await;
    let world = bench.emulator.world();
    let mut changed = world.changed();
    let drive = world.drive(1000.0);
    changed.wait_for(|steps| *steps > 20).await.unwrap();
    drop(drive);
}

#[tokio::test]
async fn hundreds_of_queues_are_numbered() {
    let bench = Bench::with(Settings { queues: 100, workers: 200, ..Settings::default() }).await;
    let names: Vec<_> =
        bench.emulator.world().queues().into_iter().map(|queue| queue.friendly_name).collect();
    assert_eq!((names.len(), names[0].as_str(), names[99].as_str()), (100, "Queue 001", "Queue 100"));
    let since = "2020-01-01T00:00:00Z".parse().unwrap();
    for sid in bench.emulator.truth().queue_sids() {
        let eligible =
            &bench.emulator.truth().queue(&sid, None, since, &[]).realtime["total_eligible_workers"];
        assert!(eligible.as_u64().unwrap() > 0);
    }
}

#[tokio::test]
async fn after_shutdown_nothing_answers() {
    let bench = Bench::start().await;
    assert_eq!(bench.get(&bench.w("")).await.status, 200);
    let request = bench.request(reqwest::Method::GET, &bench.w(""));
    let emulator: Emulator = bench.emulator;
    emulator.shutdown().await;
    assert!(request.send().await.is_err(), "also not over a connection that was open");
}
