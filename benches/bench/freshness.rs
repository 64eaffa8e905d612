//! How fresh a changed queue is in Sync while statistics do not lag.

use std::time::Duration;

use twilio_emulator::Settings;

use crate::changes::{Freshness, Tasks};
use crate::limits::Observed;
use crate::stats::{Sample, ms};
use crate::table::{Goal, Section};
use crate::testbed::{Effort, Opening, SYNC_LATENCY, Stage, TASKROUTER_LATENCY};

const QUEUES: usize = 20;

pub(crate) async fn run(effort: &Effort) -> (Section, Vec<Observed>) {
    let stage = Stage::found("freshness", Settings { queues: QUEUES, ..Settings::default() }).await;
    let mut tasks = Tasks::new(stage.emulator.world(), 1);
    let testbed = stage.open(effort, Opening::default()).await;
    testbed.ready().await;
    testbed.agrees().await;
    let fresh = Freshness::measure(&testbed, &mut tasks, effort.of(12, 100), Duration::ZERO).await;
    let about = format!(
        "One change a second, at {QUEUES} queues in turn: a Task is created, reserved, accepted, wrapped up, completed. The \
         time runs from just before the emulator delivers the change's first event to the moment at which Sync applies a \
         write of the queue's item. *First news*: its realtime values over all channels are the new ones. *Whole item*: so \
         is every value, on each channel, today's counters too. *Bare read and write*: one TaskRouter round trip \
         ({} ms injected) and then one Sync write ({} ms injected, half of which passes before it takes effect) of the same \
         sizes, made between the changes against the same emulator: the floor is its p50.",
        TASKROUTER_LATENCY.as_millis(),
        SYNC_LATENCY.as_millis(),
    );
    let floor = fresh.floor.median();
    let goal = |what, times: &Sample<Duration>, percent, above: u64| {
        let (time, most) = (times.percentile(percent), floor + Duration::from_millis(above));
        Goal {
            what,
            goal: format!("≤ floor + {above} ms = {} ms", ms(most)),
            figure: format!("{} ms", ms(time)),
            met: time <= most && fresh.missed == 0,
        }
    };
    let goals = vec![
        goal("Changed queue, first news, p50", &fresh.news, 50, 5),
        goal("Changed queue, first news, p99", &fresh.news, 99, 25),
        goal("Changed queue, whole item, p50", &fresh.whole, 50, 5),
        goal("Changed queue, whole item, p99", &fresh.whole, 99, 25),
    ];
    let section =
        Section { title: "Freshness of a changed queue", about, tables: vec![fresh.table()], goals };
    (section, vec![testbed.stop().await])
}
