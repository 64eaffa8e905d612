//! How fresh a changed queue is in Sync while statistics lag behind events.

use std::time::Duration;

use twilio_emulator::Settings;

use crate::changes::{Freshness, Tasks};
use crate::limits::Observed;
use crate::stats::ms;
use crate::table::{Goal, Section};
use crate::testbed::{Effort, Opening, Stage};

const LAG: Duration = Duration::from_secs(2);
const MOST: Duration = Duration::from_millis(600);

pub(crate) async fn run(effort: &Effort) -> (Section, Vec<Observed>) {
    let stage = Stage::found("lag", Settings { queues: 20, ..Settings::default() }).await;
    let mut tasks = Tasks::new(stage.emulator.world(), 1);
    let testbed = stage.open(effort, Opening::default()).await;
    testbed.ready().await;
    testbed.agrees().await;
    testbed.emulator.set_statistics_lag(LAG);
    let first = Freshness::measure(&testbed, &mut tasks, 1, LAG).await;
    let fresh = Freshness::measure(&testbed, &mut tasks, effort.of(6, 40), LAG).await;
    let about = format!(
        "Statistics show a change {} s after its event; times count from there. The first change after the start, which reveals \
         the lag, is not in the table: first news {} ms, whole item {} ms.",
        LAG.as_secs(),
        ms(first.news.max()),
        ms(first.whole.max()),
    );
    let p99 = fresh.whole.percentile(99);
    let goals = vec![Goal {
        what: "Changed queue after 2 s of lag, whole item, p99",
        goal: format!("≤ {} ms", MOST.as_millis()),
        figure: format!("{} ms", ms(p99)),
        met: p99 <= MOST && fresh.missed == 0,
    }];
    let section =
        Section { title: "Freshness with lagging statistics", about, tables: vec![fresh.table()], goals };
    (section, vec![testbed.stop().await])
}
