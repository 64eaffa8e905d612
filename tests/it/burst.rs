//! A thousand events at once: all are accepted, few calls are made, and the end state is right.

use twilio_emulator::{Api, Filter, Settings};

use crate::support::{Bed, NO_TIMERS};

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_a_thousand_events_ends_in_the_truth() {
    let settings = Settings { queues: 20, workers: 30, ..Settings::default() };
    let bed = Bed::with(settings, NO_TIMERS).await;
    bed.agrees().await;
    let journal = bed.emulator.journal();
    journal.clear();
    let world = bed.emulator.world();
    let delivered = bed.emulator.callbacks().delivered();
    let before = *delivered.borrow();
    while bed.emulator.callbacks().deliveries().len() < 1000 {
        for _ in 0..50 {
            world.step();
        }
        bed.emulator.callbacks().wait_idle().await;
    }
    assert!(*delivered.borrow() - before >= 1000);
    bed.agrees().await;
    let refused: Vec<_> =
        bed.emulator.callbacks().deliveries().into_iter().filter(|d| d.status != Some(204)).collect();
    assert!(refused.is_empty(), "{refused:?}");
    // The design that re-reads every queue for each event makes 181 calls an event here.
    let calls = |api| journal.count(&Filter { api: Some(api), ..Filter::default() });
    let (reads, writes) = (calls(Api::TaskRouter), calls(Api::Sync));
    assert!(reads + writes <= 1810, "{reads} reads and {writes} writes");
    bed.finish().await;
}
