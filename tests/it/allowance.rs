//! The service requests no more of Twilio than it needs, and another service beside it takes nothing from its numbers.

use serde_json::Value;
use twilio_emulator::{Fault, FaultKind, Filter, NewTask};

use crate::support::{Bed, NO_TIMERS, QUICK_TIMERS};

#[tokio::test(flavor = "multi_thread")]
async fn bulk_reads_that_another_service_uses_up_leave_nothing_stale() {
    let bed = Bed::start(QUICK_TIMERS).await;
    bed.agrees().await;
    let refused = FaultKind::Status { status: 429, code: Some(20429), retry_after: None };
    let faults = bed.emulator.faults();
    faults.add(Fault {
        method: Some("POST".into()),
        path: Some("/RealTimeStatistics".into()),
        ..Fault::new(refused)
    });
    for round in 1..4 {
        bed.emulator.world().step();
        bed.until("a bulk read is refused", || faults.struck() >= round).await;
        bed.agrees().await;
        for item in bed.emulator.sync().map_items("queueStats").unwrap_or_default().into_values() {
            let stale = item.as_object().unwrap().keys().find(|name| name.ends_with("Message"));
            assert_eq!(stale, None, "{item}");
        }
    }
    faults.clear();
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_tasks_item_costs_one_request() {
    let variables: Vec<_> = NO_TIMERS.iter().copied().chain([("SYNC_LAYOUTS", "taskrouter-tasks")]).collect();
    let bed = Bed::start(&variables).await;
    let world = bed.emulator.world();
    bed.emulator.journal().clear();
    let queue = world.queues()[0].sid.clone();
    let task =
        world.create_task(NewTask { queue, channel: "voice".to_owned(), ..NewTask::default() }).unwrap();
    let item = || bed.emulator.sync().item("SyncTaskRouterTasks", &task);
    bed.until("the item is there", || item().is_some()).await;
    let refused =
        Filter { sync_object: Some("SyncTaskRouterTasks".into()), status: Some(404), ..Filter::default() };
    assert_eq!(bed.emulator.journal().count(&refused), 0, "no update of what is known not to be there");
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_that_are_not_there_are_seldom_looked_for() {
    let bed = Bed::start(QUICK_TIMERS).await;
    let gets = |path: &str| {
        let filter = Filter { method: Some("GET".into()), path: Some(path.into()), ..Filter::default() };
        bed.emulator.journal().matching(&filter)
    };
    bed.until("the definitions were read often", || gets("/dashboard-definitions").len() >= 15).await;
    let (all, further) = (gets("/dashboard-definitions").len(), gets("/dashboard-definitions-2").len());
    // Audits of other Documents do not count: the name is the definitions' own.
    assert!((1..=all / 4).contains(&further), "{further} of {all}");
    let item: Option<Value> = bed.emulator.sync().document("dashboard-definitions");
    assert!(item.is_some());
    bed.finish().await;
}
