//! How fresh a changed queue is in Sync while the ages of a thousand queues move all the time.

use std::time::Duration;

use twilio_emulator::{NewTask, Settings};

use crate::changes::{Freshness, Tasks};
use crate::limits::Observed;
use crate::stats::{mib, ms};
use crate::table::{Goal, Section};
use crate::testbed::{Effort, Opening, Stage, Testbed};

const MOST: Duration = Duration::from_secs(1);
/// Time for the moving ages to have used up what there is to spare of the Map's budget.
const WARM_UP: Duration = Duration::from_secs(6);

/// The testbed, ready to be measured.
#[derive(Debug)]
pub(crate) struct Prepared {
    testbed: Testbed,
    tasks: Tasks,
    queues: usize,
}

/// Opens the testbed. That takes more than a minute: since when a Task waits is known to the second only, so a new process
/// takes another moment for it, and rewrites every item.
pub(crate) async fn prepare(effort: &Effort) -> Prepared {
    let queues = effort.of(200, 1000);
    let stage = Stage::found("ages", Settings { queues, workers: 200, ..Settings::default() }).await;
    let world = stage.emulator.world();
    for queue in world.queues() {
        let (channel, age) = ("voice".to_owned(), Duration::from_secs(60));
        world.create_task(NewTask { queue: queue.sid, channel, age, ..NewTask::default() }).unwrap();
    }
    let tasks = Tasks::new(world, queues / 20);
    let testbed = stage.open(effort, Opening::default()).await;
    testbed.ready().await;
    Prepared { testbed, tasks, queues }
}

pub(crate) async fn run(effort: &Effort, prepared: Prepared) -> (Section, Vec<Observed>) {
    let Prepared { testbed, mut tasks, queues } = prepared;
    tokio::time::sleep(WARM_UP).await;
    let mut fresh = Freshness::default();
    let measuring = async {
        fresh = Freshness::measure(&testbed, &mut tasks, effort.of(8, 40), Duration::ZERO).await;
    };
    let window = testbed.watch(measuring).await;
    let usage = testbed.usage();
    let about = format!(
        "One change a second at 20 of {queues} TaskQueues, each with a waiting Task, so that each sweep finds {queues} ages \
         moved. Cost: {:.0} Sync requests a minute, {:.0} ms of processor time a second, {} MiB (at most {} MiB).",
        window.a_minute(window.sync),
        window.cpu_ms_a_second(),
        mib(usage.resident_kib),
        mib(usage.peak_kib),
    );
    let p99 = fresh.whole.percentile(99);
    let goals = vec![Goal {
        what: "Changed queue while all ages move, whole item, p99",
        goal: format!("≤ {} ms", MOST.as_millis()),
        figure: format!("{} ms", ms(p99)),
        met: p99 <= MOST && fresh.missed == 0,
    }];
    let section =
        Section { title: "Freshness while all ages move", about, tables: vec![fresh.table()], goals };
    (section, vec![testbed.stop().await])
}
