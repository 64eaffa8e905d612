//! What more queues cost: calls, processor time, memory.

use std::time::Duration;

use tokio::task::JoinSet;
use twilio_emulator::Settings;

use crate::limits::Observed;
use crate::service::Usage;
use crate::stats::{mib, tenths};
use crate::table::{Goal, Section, Table};
use crate::testbed::{Effort, Opening, Stage, Testbed, Window};

const SIZES: [usize; 5] = [5, 20, 100, 500, 1000];
const EVENTS_A_SECOND: f64 = 5.0;
const MOST_MEMORY_MIB: u64 = 40;
/// Half an hour of simulated life, so that counters and tables are not empty.
const HISTORY: Duration = Duration::from_secs(30 * 60);
/// Nothing is read but what is asked for.
const NO_TIMERS: &[(&str, &str)] = &[
    ("REALTIME_INTERVAL", "1h"),
    ("CUMULATIVE_INTERVAL", "1h"),
    ("DIRECTORY_INTERVAL", "1h"),
    ("SETTLE_WINDOW", "0s"),
];

struct Size {
    queues: usize,
    refresh: usize,
    rest: Window,
    busy: Window,
    start: Usage,
    end: Usage,
}

pub(crate) async fn run(effort: &Effort) -> (Section, Vec<Observed>) {
    // Side by side: each service's processor time is its own, whatever the others do.
    let mut measuring = JoinSet::new();
    for queues in SIZES {
        let effort = effort.clone();
        measuring.spawn(async move { one_size(&effort, queues).await });
    }
    let (mut sizes, limits): (Vec<Size>, Vec<Vec<Observed>>) = measuring.join_all().await.into_iter().unzip();
    sizes.sort_unstable_by_key(|size| size.queues);
    let section = Section {
        title: "More queues",
        about: format!(
            "Three channels, 20 to 200 Workers, half an hour of history, an emulator for each size. *A refresh*: everything, with the \
             list of TaskQueues. *At rest*: {} s without events. *Busy*: {} s with about {EVENTS_A_SECOND:.0} events a second. \
             Processor time and memory include the formula process.",
            effort.of(10, 60),
            effort.of(6, 30),
        ),
        tables: vec![calls(&sizes), machine(&sizes)],
        goals: goals(&sizes),
    };
    (section, limits.into_iter().flatten().collect())
}

async fn one_size(effort: &Effort, queues: usize) -> (Size, Vec<Observed>) {
    let found = async |name: &str, history: Duration| {
        let settings = Settings { queues, workers: queues.clamp(20, 200), history, ..Settings::default() };
        Stage::found(&format!("{name} {queues}"), settings).await
    };
    let still = found("refresh", Duration::ZERO)
        .await
        .open(effort, Opening { variables: NO_TIMERS, ..Opening::default() })
        .await;
    let (refresh, still) = refresh(still).await;

    let testbed = found("scale", HISTORY).await.open(effort, Opening::default()).await;
    testbed.ready().await;
    let start = testbed.usage();
    // What reads at the start still settle is not rest.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let rest = testbed.watch(tokio::time::sleep(Duration::from_secs(effort.of(10, 60)))).await;
    let busy = testbed.watch(testbed.live(EVENTS_A_SECOND, Duration::from_secs(effort.of(6, 30)))).await;
    let size = Size { queues, refresh, rest, busy, start, end: testbed.usage() };
    (size, vec![still, testbed.stop().await])
}

/// TaskRouter requests of one refresh of everything.
async fn refresh(testbed: Testbed) -> (usize, Observed) {
    testbed.ready().await;
    let window = testbed.watch(testbed.refresh_all()).await;
    (window.taskrouter, testbed.stop().await)
}

fn calls(sizes: &[Size]) -> Table {
    let mut table = Table::new(&[
        "Queues",
        "Calls a refresh",
        "TaskRouter/min at rest",
        "Sync/min at rest",
        "TaskRouter/min busy",
        "Sync/min busy",
        "Events/s busy",
    ]);
    for Size { queues, refresh, rest, busy, .. } in sizes {
        let [rest_reads, rest_writes] =
            [rest.taskrouter, rest.sync].map(|n| format!("{:.0}", rest.a_minute(n)));
        let [busy_reads, busy_writes] =
            [busy.taskrouter, busy.sync].map(|n| format!("{:.0}", busy.a_minute(n)));
        let events = tenths(busy.events as f64 / busy.span.as_secs_f64());
        table.row(&[queues, refresh, &rest_reads, &rest_writes, &busy_reads, &busy_writes, &events]);
    }
    table
}

fn machine(sizes: &[Size]) -> Table {
    let mut table = Table::new(&[
        "Queues",
        "CPU ms/s at rest",
        "CPU ms/s busy",
        "VmRSS MiB ready",
        "VmRSS MiB at the end",
        "VmHWM MiB",
    ]);
    for Size { queues, rest, busy, start, end, .. } in sizes {
        table.row(&[
            queues,
            &tenths(rest.cpu_ms_a_second()),
            &tenths(busy.cpu_ms_a_second()),
            &mib(start.resident_kib),
            &mib(end.resident_kib),
            &mib(end.peak_kib),
        ]);
    }
    table
}

fn goals(sizes: &[Size]) -> Vec<Goal> {
    let refreshes: Vec<usize> = sizes.iter().map(|size| size.refresh).collect();
    let flat = |what, window: fn(&Size) -> &Window, times: f64| {
        let calls = sizes.iter().map(|size| window(size).a_minute(window(size).taskrouter));
        let (least, most) = (calls.clone().fold(f64::MAX, f64::min), calls.fold(0.0, f64::max));
        Goal {
            what,
            goal: format!("flat: most ≤ {times} times least"),
            figure: format!("{least:.0} to {most:.0}"),
            met: most <= times * least,
        }
    };
    let memory = sizes.iter().map(|size| size.end.peak_kib).max().unwrap_or(0);
    let (linear, compared) = linear(sizes, |size| size.busy.cpu_ms_a_second());
    vec![
        Goal {
            what: "Calls a refresh, 5 to 1,000 queues",
            goal: "the same".to_owned(),
            figure: refreshes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            met: refreshes.iter().all(|calls| *calls == refreshes[0]),
        },
        flat("TaskRouter calls a minute at rest, 5 to 1,000 queues", |size| &size.rest, 1.2),
        flat("TaskRouter calls a minute, busy, 5 to 1,000 queues", |size| &size.busy, 1.5),
        Goal {
            what: "Processor time for one more queue, busy, 500 to 1,000 against 100 to 500",
            goal: "linear: ≤ 1.5 times".to_owned(),
            figure: compared,
            met: linear,
        },
        Goal {
            what: "Memory at 1,000 queues, at most (VmHWM)",
            goal: format!("≤ {MOST_MEMORY_MIB} MiB"),
            figure: format!("{} MiB", mib(memory)),
            met: memory <= MOST_MEMORY_MIB * 1024,
        },
    ]
}

/// Whether one more queue costs no more among many than among few.
fn linear(sizes: &[Size], cost: impl Fn(&Size) -> f64) -> (bool, String) {
    let slope = |few: &Size, many: &Size| (cost(many) - cost(few)) / (many.queues - few.queues) as f64;
    let [.., hundred, half, whole] = sizes else { return (false, "-".to_owned()) };
    let (low, high) = (slope(hundred, half), slope(half, whole));
    (high <= 1.5 * low, format!("{:.1} against {:.1} µs/s", high * 1000.0, low * 1000.0))
}
