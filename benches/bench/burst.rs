//! A thousand events at once.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use twilio_emulator::{Api, Entry, Settings};

use crate::limits::{Observed, is_write, peak_in_flight};
use crate::service::Usage;
use crate::stats::{Sample, mib, ms, percent};
use crate::table::{Goal, Section, Table};
use crate::testbed::{Effort, Opening, Stage, Testbed};

const QUEUES: usize = 20;
const EVENTS: usize = 1000;
/// What an event costs where each one re-reads and re-writes everything: realtime and cumulative values of every queue
/// over all channels and on three, and its item; and the Workspace's.
const CALLS_OF_EACH_EVENT: usize = QUEUES * (2 * 4 + 1) + 1;
/// The service's default settling window and a little more: reads that an event causes later count as well.
const SETTLED: Duration = Duration::from_secs(4);

/// The figures of one burst.
struct Burst {
    events: usize,
    accepted: usize,
    /// From the first event to the last event's answer.
    took: Duration,
    /// From the last event's answer until Sync is right.
    converged: Duration,
    webhook: Sample<Duration>,
    reads: usize,
    writes: usize,
    peak_writes: usize,
    after: Usage,
}

pub(crate) async fn run(effort: &Effort) -> (Section, Vec<Observed>) {
    let stage = Stage::found("burst", Settings { queues: QUEUES, workers: 30, ..Settings::default() }).await;
    let testbed = stage.open(effort, Opening { relayed: true, ..Opening::default() }).await;
    testbed.ready().await;
    testbed.agrees().await;
    let start = testbed.usage();
    let mut bursts = Vec::new();
    for _ in 0..effort.of(1, 5) {
        bursts.push(burst(&testbed).await);
    }
    let section = Section {
        title: "Burst of 1,000 events",
        about: format!(
            "{EVENTS} events, 16 at a time, at {QUEUES} TaskQueues with three channels; Workers change Activity among them. Calls \
             count until {} s after the last event. A design that reads and writes everything for each event makes \
             {CALLS_OF_EACH_EVENT} calls an event. *Converged*: from the last event's answer until Sync has all true numbers. A \
             relay in front of the service times the webhook.",
            SETTLED.as_secs()
        ),
        tables: vec![calls(&bursts), webhook(&bursts), memory(start, &bursts)],
        goals: goals(&bursts),
    };
    (section, vec![testbed.stop().await])
}

async fn burst(testbed: &Testbed) -> Burst {
    let (world, callbacks) = (testbed.emulator.world(), testbed.emulator.callbacks());
    let relay = testbed.relay.as_ref().unwrap();
    drop(relay.take());
    let (begin, before) = (Instant::now(), *callbacks.delivered().borrow());
    let made = || usize::try_from(*callbacks.delivered().borrow() - before).unwrap();
    while made() < EVENTS {
        for _ in 0..50 {
            world.step();
        }
        callbacks.wait_idle().await;
    }
    let took = begin.elapsed();
    let converged = testbed.agrees().await;
    tokio::time::sleep(SETTLED.saturating_sub(converged)).await;
    let requests = testbed.requests_since(begin);
    let writes: Vec<&Entry> = requests.iter().filter(|entry| is_write(entry)).collect();
    let (times, answers): (Vec<Duration>, Vec<StatusCode>) = relay.take().into_iter().unzip();
    Burst {
        events: made(),
        accepted: answers.iter().filter(|status| **status == StatusCode::NO_CONTENT).count(),
        took,
        converged,
        webhook: Sample::new(times),
        reads: requests.iter().filter(|entry| entry.api == Api::TaskRouter).count(),
        writes: writes.len(),
        peak_writes: peak_in_flight(&writes),
        after: testbed.usage(),
    }
}

impl Burst {
    fn share(&self) -> f64 {
        (self.reads + self.writes) as f64 / (self.events * CALLS_OF_EACH_EVENT) as f64
    }
}

fn calls(bursts: &[Burst]) -> Table {
    let mut table = Table::new(&[
        "Events",
        "TaskRouter calls",
        "Sync writes",
        "Calls of the per-event design",
        "Share",
        "Most writes in flight",
        "Converged after ms",
    ]);
    for burst in bursts {
        let theirs = burst.events * CALLS_OF_EACH_EVENT;
        let share = format!("{:.3} %", 100.0 * burst.share());
        table.row(&[
            &burst.events,
            &burst.reads,
            &burst.writes,
            &theirs,
            &share,
            &burst.peak_writes,
            &ms(burst.converged),
        ]);
    }
    table
}

fn webhook(bursts: &[Burst]) -> Table {
    let mut table = Table::new(&["Answered 204", "In ms", "Events/s", "p50 ms", "p99 ms", "max ms"]);
    for burst in bursts {
        let accepted =
            format!("{} ({})", burst.accepted, percent(burst.accepted as f64, burst.webhook.len() as f64));
        let rate = format!("{:.0}", burst.events as f64 / burst.took.as_secs_f64());
        let [p50, p99] = [50, 99].map(|percent| ms(burst.webhook.percentile(percent)));
        table.row(&[&accepted, &ms(burst.took), &rate, &p50, &p99, &ms(burst.webhook.max())]);
    }
    table
}

fn memory(start: Usage, bursts: &[Burst]) -> Table {
    let mut table = Table::new(&["Memory of the service", "VmRSS MiB", "VmHWM MiB"]);
    table.row(&[&"At the start", &mib(start.resident_kib), &mib(start.peak_kib)]);
    for (n, burst) in bursts.iter().enumerate() {
        let name = format!("After burst {}", n + 1);
        table.row(&[&name, &mib(burst.after.resident_kib), &mib(burst.after.peak_kib)]);
    }
    table
}

fn goals(bursts: &[Burst]) -> Vec<Goal> {
    let share = bursts.iter().map(Burst::share).fold(0.0, f64::max);
    let refused: usize = bursts.iter().map(|burst| burst.webhook.len() - burst.accepted).sum();
    vec![
        Goal {
            what: "Calls of a burst against the per-event design's",
            goal: "≤ 1 %".to_owned(),
            figure: format!("{:.3} %", 100.0 * share),
            met: share <= 0.01,
        },
        Goal {
            what: "Events of a burst not answered with 204",
            goal: "0".to_owned(),
            figure: refused.to_string(),
            met: refused == 0,
        },
    ]
}
