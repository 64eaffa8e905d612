//! How fresh queues are under the load that users have: random lives of Tasks and Workers, at several rates, in centres
//! of several sizes, in each layout that shows a queue's counters, under both readings of Sync's write limit. A
//! deliberately simple rival gets the same events afterwards, and two bare round trips give the floor.

mod budget;
mod centre;
mod counters;
mod freshness;
mod rival;
mod row;

use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::limits::Observed;
use crate::table::{Goal, Section, Table};
use crate::testbed::Effort;

pub(crate) use counters::Shape;
pub(crate) use freshness::Stopwatch;
use row::{Figures, Outcome, Row};

/// Events a second of a centre where little happens.
const QUIET: f64 = 0.5;

/// Which rows of the mix to measure; without any of these, the main table.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Rows of the mix")]
pub(crate) struct Wanted {
    /// Numbers of TaskQueues
    #[arg(long, value_delimiter = ',')]
    queues: Vec<usize>,
    /// Events a second; `quiet` is one every two seconds
    #[arg(long, value_delimiter = ',', value_parser = rate)]
    events: Vec<f64>,
    /// Layouts
    #[arg(long, value_delimiter = ',')]
    layout: Vec<Shape>,
    /// Readings of Sync's burst window
    #[arg(long, value_delimiter = ',')]
    limit: Vec<Limit>,
    /// Seconds to measure each row
    #[arg(long)]
    seconds: Option<u64>,
    /// Milliseconds by which statistics run behind; times count from the moment when they show an event
    #[arg(long, default_value_t = 0)]
    lag: u64,
    /// Begin with an empty Sync, and measure while it is filled
    #[arg(long)]
    empty: bool,
    /// Measure the service alone
    #[arg(long)]
    no_rival: bool,
    /// Rows to measure side by side
    #[arg(long)]
    at_once: Option<usize>,
}

/// What the emulator makes of Sync's limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Limit {
    /// Ten seconds' worth at once, and the rate beside it
    Bucket,
    /// Ten seconds' worth in any ten seconds
    Window,
    /// No limit
    None,
}

fn rate(text: &str) -> Result<f64, String> {
    if text == "quiet" {
        return Ok(QUIET);
    }
    text.parse().ok().filter(|rate| *rate > 0.0).ok_or_else(|| "a number above 0, or `quiet`".to_owned())
}

impl Wanted {
    fn rows(&self, effort: &Effort) -> Vec<Row> {
        let seconds = self.seconds.unwrap_or(effort.of(20, 40));
        let row = |shape, queues, events, limit| Row {
            shape,
            queues,
            events,
            limit,
            span: Duration::from_secs(seconds),
            lag: Duration::from_millis(self.lag),
            empty: self.empty,
            rival: !self.no_rival,
        };
        let is_chosen = !(self.queues.is_empty()
            && self.events.is_empty()
            && self.layout.is_empty()
            && self.limit.is_empty());
        if effort.quick && !is_chosen {
            return vec![
                row(Shape::QueueMap, 20, 3.0, Limit::Window),
                row(Shape::QueueMap, 20, 10.0, Limit::Window),
                row(Shape::QueueMap, 100, 10.0, Limit::Window),
                row(Shape::QueueDocuments, 20, 10.0, Limit::Window),
            ];
        }
        let queues = or(&self.queues, if is_chosen { &[20] } else { &[20, 100, 1000] });
        let events = or(&self.events, if is_chosen { &[10.0] } else { &[QUIET, 3.0, 10.0, 30.0] });
        let limits =
            or(&self.limit, if is_chosen { &[Limit::Window] } else { &[Limit::Window, Limit::Bucket] });
        let shapes = or(
            &self.layout,
            if is_chosen { &[Shape::QueueMap] } else { &[Shape::QueueMap, Shape::QueueDocuments] },
        );
        let mut rows = Vec::new();
        for shape in &shapes {
            for queues in &queues {
                for events in &events {
                    rows.extend(limits.iter().map(|limit| row(*shape, *queues, *events, *limit)));
                }
            }
        }
        if !is_chosen {
            for shape in [Shape::DashboardMap, Shape::DashboardDocument] {
                rows.extend([Limit::Window, Limit::Bucket].map(|limit| row(shape, 20, 10.0, limit)));
            }
        }
        rows
    }
}

fn or<T: Clone>(given: &[T], otherwise: &[T]) -> Vec<T> {
    if given.is_empty() { otherwise.to_vec() } else { given.to_vec() }
}

pub(crate) async fn run(effort: &Effort, wanted: &Wanted) -> (Section, Vec<Observed>) {
    let rows = wanted.rows(effort);
    let mut outcomes = Vec::new();
    for together in rows.chunks(wanted.at_once.unwrap_or(2).max(1)) {
        let running = together.iter().cloned().map(|row| {
            let effort = effort.clone();
            tokio::spawn(async move { row.measure(&effort).await })
        });
        for running in running.collect::<Vec<_>>() {
            let outcome = running.await.unwrap();
            eprintln!("mix: {outcome}");
            outcomes.push(outcome);
        }
    }
    let (tables, goals) = (vec![freshness_table(&outcomes), cost_table(&outcomes)], goals(&outcomes));
    let section = Section { title: "A realistic mix", about: about(wanted), tables, goals };
    (section, outcomes.into_iter().map(|outcome| outcome.observed).collect())
}

fn about(wanted: &Wanted) -> String {
    let lag = match wanted.lag {
        0 => String::new(),
        lag => format!(
            " Statistics run {lag} ms behind; times count from the moment at which they show an event."
        ),
    };
    format!(
        "Random lives of Tasks and Workers with exponential gaps. Nine in ten events concern one TaskQueue; each Worker serves all, \
         so a change of Activity changes all. Timed: events that move a counter of their TaskQueue (Workspace in \
         `dashboard-document`), until the Sync write that reaches it. *Limit*: the readings of Sync's \"20/s per object, burst window \
         10 s\", 200 cost-weighted writes in any ten seconds (window) or a token bucket of 200 refilled by 20 a second. *Floor*: a \
         bare read and write, p50. *Rival*: gathers events for 5 ms, reads a list for each channel, writes each TaskQueue that \
         differs (ages by 15 s), 20 at a time, and skips refused ones until they differ again; an emulator of the same seed plays it the \
         same events afterwards. *429s*: from start to end. *End*: whether Sync is right {} s after the last event, and with a Map 0.1 s more for each TaskQueue.{lag}",
        row::END_WITHIN.as_secs(),
    )
}

fn freshness_table(outcomes: &[Outcome]) -> Table {
    let mut table = Table::new(&[
        "Layout, queues, events/s, limit",
        "Timed",
        "Floor",
        "p50 ms",
        "p99 ms",
        "max ms",
        "429s",
        "End",
        "Rival p50",
        "Rival p99",
        "429s",
        "End",
    ]);
    for outcome in outcomes {
        let row = &outcome.row;
        let service = outcome.service.cells();
        let rival = outcome.rival.as_ref().map(Figures::cells).unwrap_or_default();
        table.row(&[
            &row.title(),
            &outcome.service.times.len(),
            &outcome.floor(),
            &service.p50,
            &service.p99,
            &service.max,
            &service.refused,
            &service.end,
            &rival.p50,
            &rival.p99,
            &rival.refused,
            &rival.end,
        ]);
    }
    table
}

/// What it cost: TaskRouter calls, Sync writes, the fullest ten seconds of any object, processor and memory.
fn cost_table(outcomes: &[Outcome]) -> Table {
    let mut table = Table::new(&[
        "Layout, queues, events/s, limit",
        "Events made",
        "TaskRouter/s",
        "Writes/s",
        "Most of 200 in 10 s",
        "CPU ms/s",
        "VmHWM MiB",
        "Rival TaskRouter/s",
        "Rival writes/s",
    ]);
    for outcome in outcomes {
        let (row, cost) = (&outcome.row, &outcome.service.cost);
        let rival = outcome.rival.as_ref().map(|rival| &rival.cost);
        let rate = |of: Option<f64>| of.map(|rate| format!("{rate:.1}")).unwrap_or_default();
        table.row(&[
            &row.title(),
            &outcome.events,
            &rate(Some(cost.reads_a_second)),
            &rate(Some(cost.writes_a_second)),
            &format!("{:.0}", cost.fullest),
            &format!("{:.0}", outcome.cpu_ms_a_second),
            &crate::stats::mib(outcome.peak_kib),
            &rate(rival.map(|cost| cost.reads_a_second)),
            &rate(rival.map(|cost| cost.writes_a_second)),
        ]);
    }
    table
}

fn goals(outcomes: &[Outcome]) -> Vec<Goal> {
    let against_rival = outcomes.iter().filter_map(|outcome| Some((outcome, outcome.rival.as_ref()?)));
    let beaten = against_rival.clone().filter(|(outcome, rival)| outcome.service.beats(rival)).count();
    let compared = against_rival.count();
    let refused: usize = outcomes.iter().map(|outcome| outcome.service.refused).sum();
    let wrong = outcomes.iter().filter(|outcome| outcome.service.wrong.is_some()).count();
    vec![
        Goal {
            what: "Rows in which the rival is not better in p50, p99, 429s or end",
            goal: "all".to_owned(),
            figure: format!("{beaten} of {compared}"),
            met: beaten == compared,
        },
        Goal {
            what: "429s of the service in the mix",
            goal: "0".to_owned(),
            figure: refused.to_string(),
            met: refused == 0,
        },
        Goal {
            what: "Rows of the mix that end wrong",
            goal: "0".to_owned(),
            figure: wrong.to_string(),
            met: wrong == 0,
        },
    ]
}

impl Limit {
    fn name(self) -> &'static str {
        match self {
            Self::Bucket => "bucket",
            Self::Window => "window",
            Self::None => "none",
        }
    }
}
