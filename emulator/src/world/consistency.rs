//! Figures are counted change by change; here they are held to a count from scratch, after every kind of change.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use super::{TaskStatus, World};
use crate::clock::Clock;
use crate::settings::Settings;
use crate::sid::Sid;
use crate::state::State;
use crate::statistics::realtime::{ByStatus, Realtime};

fn world() -> World {
    World::found(&Settings::default(), &Clock::default(), Box::new(|_| {}))
}

/// Open Tasks of a queue (or of all) and channel, counted one by one.
fn by_status(state: &State, queue: Option<Sid>, channel: Option<usize>) -> ByStatus {
    let mut count = ByStatus::default();
    for task in state.tasks.iter() {
        if queue.is_some_and(|queue| task.queue != Some(queue)) || channel.is_some_and(|c| task.channel != c)
        {
            continue;
        }
        match task.status {
            TaskStatus::Pending => count.pending += 1,
            TaskStatus::Reserved => count.reserved += 1,
            TaskStatus::Assigned => count.assigned += 1,
            TaskStatus::Wrapping => count.wrapping += 1,
            TaskStatus::Completed | TaskStatus::Canceled => {}
        }
    }
    count
}

fn check(world: &World) {
    let now = world.clock().now_ms();
    world.with(|inner| {
        let (state, figures) = inner.visible(now);
        let channels = (0..state.channels.len()).map(Some).chain([None]);
        for channel in channels {
            let whole = Realtime::workspace(state, figures, channel, now);
            assert_eq!(whole.tasks_by_status, by_status(state, None, channel));
            for queue in state.queues.iter() {
                let counted = Realtime::queue(state, figures, figures.queues.get(&queue.sid), channel, now);
                assert_eq!(counted.tasks_by_status, by_status(state, Some(queue.sid), channel));
                let mine = |t: &&crate::state::Task| {
                    t.queue == Some(queue.sid)
                        && !t.status.is_final()
                        && channel.is_none_or(|c| t.channel == c)
                };
                let mut priorities = BTreeMap::new();
                for task in state.tasks.iter().filter(mine) {
                    *priorities.entry(task.priority).or_insert(0) += 1;
                }
                assert_eq!(counted.tasks_by_priority, Some(priorities));
                let waits = |t: &&crate::state::Task| {
                    mine(t) && matches!(t.status, TaskStatus::Pending | TaskStatus::Reserved)
                };
                let oldest = state.tasks.iter().filter(waits).map(|t| (t.created, t.sid)).min();
                assert_eq!(counted.longest_task_waiting_sid, oldest.map(|(_, sid)| sid));
                let has = |w: &&crate::state::Worker| {
                    state.is_eligible(w, queue) && channel.is_none_or(|c| w.channels[c].capacity > 0)
                };
                for (n, line) in counted.activity_statistics.iter().enumerate() {
                    let there = state.workers.iter().filter(has).filter(|w| w.activity == n).count();
                    assert_eq!(line.workers as usize, there, "{} in {}", line.friendly_name, queue.name);
                }
                let eligible = state.workers.iter().filter(has).count();
                assert_eq!(counted.total_eligible_workers.map(|n| n as usize), Some(eligible));
            }
        }
    });
}

/// Anything may be refused; what counts is that the figures still agree.
fn something_rare(world: &World, dice: &mut StdRng, n: usize) {
    let (queues, workers, tasks) = (world.queues(), world.workers(), world.tasks());
    let queue = &queues[dice.random_range(0..queues.len())].sid;
    let worker = &workers[dice.random_range(0..workers.len())].sid;
    let task = tasks.get(dice.random_range(0..tasks.len().max(1))).map(|t| t.sid.clone()).unwrap_or_default();
    match dice.random_range(0..11) {
        0 => drop(world.add_queue(&format!("Extra {n}"))),
        1 if queues.len() > 3 => world.remove_queue(queue).unwrap(),
        2 => drop(world.add_worker(&format!("Extra {n}"), "Available", &["support"])),
        3 if workers.len() > 10 => world.remove_worker(worker).unwrap(),
        4 => world.set_worker_attributes(worker, json!({ "skills": ["sales", "billing"] })).unwrap(),
        5 => drop(world.set_capacity(worker, "voice", dice.random_range(0..2))),
        6 => drop(world.delete_task(&task)),
        7 => drop(world.transfer(&task, queue)),
        8 => drop(world.set_target_workers(queue, r#"skills HAS "sales" OR skills HAS "billing""#)),
        // A second offer of the same Task: accepting one rescinds the other.
        9 => drop(world.reserve(&task, worker)),
        _ => drop(world.cancel(&task, "test")),
    }
}

#[test]
fn figures_agree_with_a_count_from_scratch() {
    let world = world();
    let mut dice = StdRng::seed_from_u64(42);
    for n in 0..1500 {
        world.clock().advance(Duration::from_millis(dice.random_range(1..3000)));
        world.step();
        if dice.random_bool(0.1) {
            something_rare(&world, &mut dice, n);
        }
        if n % 50 == 0 {
            check(&world);
        }
    }
    check(&world);
}

#[test]
fn lagging_figures_arrive_at_the_same_numbers() {
    let world = world();
    for _ in 0..100 {
        world.step();
    }
    world.set_statistics_lag(Duration::from_secs(60));
    let mut dice = StdRng::seed_from_u64(43);
    for n in 0..400 {
        world.step();
        if dice.random_bool(0.1) {
            something_rare(&world, &mut dice, n);
        }
    }
    world.clock().advance(Duration::from_secs(61));
    check(&world);
}

#[test]
fn every_event_type_of_a_life_has_its_parameters() {
    let world = world();
    for _ in 0..2000 {
        world.clock().advance(Duration::from_secs(1));
        world.step();
    }
    world.with(|inner| {
        for event in &inner.history {
            for common in
                ["EventType", "Sid", "Timestamp", "TimestampMs", "AccountSid", "WorkspaceSid", "ResourceSid"]
            {
                assert!(
                    event.param(common).is_some_and(|value| !value.is_empty()),
                    "{}: {common}",
                    event.event_type
                );
            }
            let kind = event.event_type;
            let has = |name: &str| event.param(name).is_some();
            let about_task =
                ["task.", "task-queue.", "workflow.", "reservation."].iter().any(|p| kind.starts_with(p));
            assert_eq!(has("TaskSid"), about_task, "{kind}");
            assert_eq!(has("WorkflowSid"), about_task, "{kind}");
            let names_queue = about_task && kind != "task.created" && !kind.starts_with("workflow.");
            assert_eq!(has("TaskQueueSid"), names_queue, "{kind}");
            assert_eq!(has("ReservationSid"), kind.starts_with("reservation."), "{kind}");
            assert_eq!(has("WorkerPreviousActivitySid"), kind == "worker.activity.update", "{kind}");
        }
    });
}
