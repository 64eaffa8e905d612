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
        "One change a second at {QUEUES} TaskQueues in turn (a Task's life), timed from just before its first event leaves the \
         emulator until Sync applies the item with the new realtime sum (*first news*) or with all new values (*whole item*). \
         *Bare read and write*: one TaskRouter round trip ({} ms injected) and one Sync write ({} ms injected, half of it before \
         the effect) of the same size. Its p50 is the floor.",
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
