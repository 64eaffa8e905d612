//! What it costs to evaluate the wallboard's formulas: in the child process that the service starts, from asking to having
//! all results, beside a round trip to it that evaluates nothing worth speaking of.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use taskrouter_sync::wallboard::formula::process::{Engine, Source};
use taskrouter_sync::wallboard::formula::protocol::{DataChange, Formula};

use crate::limits::Observed;
use crate::stats::{Sample, ms};
use crate::table::{Goal, Section, Table};
use crate::testbed::Effort;

const QUEUES: usize = 100;
/// A Workspace of the largest size that is promised, and its formulas.
const MANY_QUEUES: usize = 5_000;
const MANY_FORMULAS: usize = 50;
const FORMULAS: usize = 200;
/// The goal for one round.
const GOAL: Duration = Duration::from_millis(5);

pub(crate) async fn run(effort: &Effort) -> (Section, Vec<Observed>) {
    let rounds = if effort.quick { 30 } else { 300 };
    let mut engine = Engine::new(PathBuf::from(env!("CARGO_BIN_EXE_taskrouter-sync")));
    let mut table = Table::new(&["Round", "Formulas", "p50 ms", "p99 ms"]);
    let mut measured = Vec::new();
    for (what, formulas, changes) in [
        ("one formula, nothing changed (floor)", vec![formula("0".to_owned())], 0),
        ("nothing changed", all(), 0),
        ("one TaskQueue changed", all(), 1),
        ("all TaskQueues changed", all(), QUEUES),
    ] {
        engine.set(formulas);
        let mut source = Centre { queues: QUEUES, changes, round: 0, piece: None };
        let mut times = Vec::new();
        let mut count = 0;
        // The first round starts the process, tells it everything and compiles.
        for round in 0..=rounds {
            source.round = round;
            let begin = Instant::now();
            let values = engine.evaluate(&mut source).await.unwrap();
            if round > 0 {
                times.push(begin.elapsed());
            }
            assert!(values.iter().all(Result::is_ok), "{values:?}");
            count = values.len();
        }
        let sample = Sample::new(times);
        table.row(&[&what, &count, &ms(sample.median()), &ms(sample.percentile(99))]);
        measured.push(sample);
    }
    let figure = measured[2].median();
    let goals = vec![Goal {
        what: "200 formulas over 100 TaskQueues, one of them changed, p50",
        goal: format!("≤ {} ms", GOAL.as_millis()),
        met: figure <= GOAL,
        figure: format!("{} ms", ms(figure)),
    }];
    let about = format!(
        "{FORMULAS} formulas over {QUEUES} TaskQueues: half read one TaskQueue, a quarter the Workspace, a tenth sum over all, \
         the rest compute service levels. A round lasts from the request to all results."
    );
    drop(engine);
    let tables = vec![table, many(effort).await];
    (Section { title: "Formulas", about, tables, goals }, Vec::new())
}

/// Sums over thousands of TaskQueues, all of which changed: the most that a wallboard can ask for.
async fn many(effort: &Effort) -> Table {
    let mut engine = Engine::new(PathBuf::from(env!("CARGO_BIN_EXE_taskrouter-sync")));
    let sum = |n: usize| {
        formula(format!("data.queues.reduce((n, q) => n + q.data.realtime.tasks_by_status.pending, {n})"))
    };
    engine.set((0..MANY_FORMULAS).map(sum).collect());
    let mut source = Centre { queues: MANY_QUEUES, changes: MANY_QUEUES, round: 0, piece: None };
    let (mut first, mut times) = (Duration::ZERO, Vec::new());
    for round in 0..=effort.of(3, 20) {
        source.round = round;
        let begin = Instant::now();
        let values = engine.evaluate(&mut source).await.unwrap();
        assert!(values.iter().all(Result::is_ok), "{values:?}");
        if round == 0 {
            first = begin.elapsed();
        } else {
            times.push(begin.elapsed());
        }
    }
    let sample = Sample::new(times);
    let mut table =
        Table::new(&["Round", "First ms", "p50 ms", "Longest ms", "Formula process, MiB at most"]);
    let what = format!("{MANY_FORMULAS} sums over {MANY_QUEUES} TaskQueues, all changed");
    let memory = child_peak_kib() / 1024;
    table.row(&[&what, &ms(first), &ms(sample.median()), &ms(sample.percentile(100)), &memory]);
    table
}

/// The most that a child of this process has held.
fn child_peak_kib() -> u64 {
    let read = |path: String| std::fs::read_to_string(path).unwrap_or_default();
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let children: String = tasks.map(|task| read(format!("{}/children", task.path().display()))).collect();
    let peak = |pid: &str| {
        let status = read(format!("/proc/{pid}/status"));
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().trim_end_matches(" kB").parse::<u64>().ok()
    };
    children.split_whitespace().filter_map(peak).max().unwrap_or_default()
}

fn all() -> Vec<Formula> {
    let of = |n: usize| match n % 20 {
        0..=9 => format!(
            "data.queues.find((q) => q.friendlyName === 'Queue {}').data.realtime.tasks_by_status.pending",
            n % QUEUES
        ),
        10..=14 => "data.workspace_statistics.realtime.activity_statistics.find((a) => a.friendly_name === \
             'Available').workers"
            .to_owned(),
        15..=16 => "data.queues.reduce((n, q) => n + q.data.realtime.tasks_by_status.pending, 0)".to_owned(),
        _ => format!("Math.round(sla(data.queues[{}], 60, 'accepted-or-late-abandoned'))", n % QUEUES),
    };
    (0..FORMULAS).map(of).map(formula).collect()
}

fn formula(source: String) -> Formula {
    Formula { source: source.into(), usual_sla: "accepted".into(), own_sla: None }
}

/// Raw statistics as Twilio returns them; each round changes those of `changes` TaskQueues.
struct Centre {
    queues: usize,
    changes: usize,
    round: usize,
    piece: Option<DataChange>,
}

impl Centre {
    fn statistics(&self, n: usize) -> Value {
        let side = |a: usize| json!({ "tasks_canceled": 1 + a, "reservations_accepted": 5 + n % 7 });
        let split = |t: usize| json!({ "above": side(t), "below": side(t + 1) });
        let wait = json!({ "avg": 30.5, "min": 1, "max": 120, "total": 610 });
        let activity =
            |name: &str| json!({ "sid": format!("WA{n:032x}"), "friendly_name": name, "workers": n % 9 });
        let activities = ["Available", "Unavailable", "Offline", "Break"].map(activity);
        json!({
            "realtime": {
                "activity_statistics": activities,
                "longest_task_waiting_age": self.round,
                "longest_task_waiting_sid": format!("WT{n:032x}"),
                "tasks_by_priority": { "0": 3, "10": 1 },
                "tasks_by_status": { "pending": 1 + (n + self.round) % 9, "reserved": 1, "assigned": 2, "wrapping": 0 },
                "total_available_workers": 3, "total_eligible_workers": 7, "total_tasks": 9,
            },
            "cumulative": {
                "avg_task_acceptance_time": 31.5, "reservations_accepted": 80, "reservations_canceled": 1,
                "reservations_created": 90, "reservations_rejected": 3, "reservations_rescinded": 0,
                "reservations_timed_out": 4, "tasks_canceled": 6, "tasks_completed": 70, "tasks_deleted": 0,
                "tasks_entered": 99, "tasks_moved": 2, "wait_duration_until_accepted": wait,
                "wait_duration_until_canceled": wait,
                "split_by_wait_time": { "30": split(30), "60": split(60), "120": split(120) },
                "start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-01T12:00:00Z",
            },
        })
    }

    fn queues(&self, count: usize) -> DataChange {
        let queue = |n: usize| {
            let queue = json!({ "sid": format!("WQ{n:032x}"), "friendlyName": format!("Queue {n}") });
            let raw = to_raw_value(&json!({ "queue": queue, "data": self.statistics(n) })).unwrap();
            (format!("WQ{n:032x}"), raw)
        };
        DataChange { queues: (0..count).map(queue).collect(), ..DataChange::default() }
    }
}

impl Source for Centre {
    fn begin(&mut self, all: bool) {
        self.piece = match (all, self.changes) {
            (true, _) => Some(DataChange {
                workspace: Some(to_raw_value(&self.statistics(3)).unwrap()),
                order: Some((0..self.queues).map(|n| format!("WQ{n:032x}")).collect()),
                ..self.queues(self.queues)
            }),
            (false, 0) => None,
            (false, changes) => Some(self.queues(changes)),
        };
    }

    fn next(&mut self) -> Option<DataChange> {
        self.piece.take()
    }
}
