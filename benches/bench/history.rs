//! What a day of history takes: rows, bytes and time to store it, and the times of queries over it. The service's own
//! worker and archive, on SQLite, with a clock of the bench's own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::json;
use sqlx::{Connection, Row, SqliteConnection};
use taskrouter_sync::config::{Config, HistoryConfig, HistoryPlace};
use taskrouter_sync::history::{Archive, ArchiveWorker, Range, ReportQuery};
use taskrouter_sync::sid::TaskQueueSid;
use taskrouter_sync::stats::{QueueState, ScopeStats, Snapshot};
use taskrouter_sync::telemetry::metrics::Monitor;
use tokio::sync::watch;

use crate::limits::Observed;
use crate::stats::{Sample, ms, tenths};
use crate::table::{Goal, Section, Table};
use crate::testbed::Effort;

const CHANNELS: [&str; 3] = ["voice", "chat", "sms"];
const ACTIVITIES: [&str; 4] = ["Available", "Offline", "Break", "Busy"];
/// A Monday's midnight in Berlin, and its working hours.
const DAY: i64 = 1_772_406_000;
const OPEN: std::ops::Range<i64> = DAY + 8 * 3600..DAY + 18 * 3600;
const DAY_SECONDS: i64 = 86_400;
/// The worker looks every 5 s; in 10 s of the working hours 3 % of the TaskQueues change.
const LOOK: i64 = 5;
const CHANGES: u64 = 3;
const REPORT_GOAL: Duration = Duration::from_millis(500);
const MOST_DETAIL: f64 = 60.0;
const MOST_INTERVALS: f64 = 1000.0;

pub(crate) async fn run(effort: &Effort) -> (Section, Vec<Observed>) {
    let sizes: &[usize] = if effort.quick { &[20, 100] } else { &[20, 100, 1000] };
    let mut stored = Table::new(&[
        "TaskQueues",
        "Changes",
        "Changes stored a second",
        "Detail MB a day",
        "Intervals MB a year",
        "File MB",
        "CPU ms an hour",
    ]);
    let mut queried = Table::new(&["TaskQueues", "Query", "p50 ms", "slowest ms"]);
    let mut goals = Vec::new();
    for &queues in sizes {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("history.db");
        let mut centre = Centre::new(queues, HistoryPlace::Sqlite(file.clone()));
        let begin = cpu_time();
        let (changes, took) = centre.live_a_day().await;
        let cpu = cpu_time() - begin;
        let (detail, intervals) = bytes(&file).await;
        let whole = std::fs::metadata(&file).unwrap().len();
        stored.row(&[
            &queues,
            &changes,
            &tenths(f64::from(changes) / took.as_secs_f64()),
            &tenths(detail),
            &tenths(intervals * 365.0),
            &tenths(megabytes(whole)),
            &(cpu.as_millis() / 24),
        ]);
        let reports = queries(&centre, queues, &mut queried).await;
        if queues == 1000 {
            goals.push(goal("1,000 TaskQueues: detail a day", MOST_DETAIL, detail));
            goals.push(goal("1,000 TaskQueues: intervals a year", MOST_INTERVALS, intervals * 365.0));
            goals.push(Goal {
                what: "1,000 TaskQueues: a page of quarter hours of a day, p50",
                goal: format!("\u{2264} {} ms", REPORT_GOAL.as_millis()),
                figure: format!("{} ms", ms(reports.median())),
                met: reports.median() <= REPORT_GOAL,
            });
        }
    }
    let about = "The worker stores one day on SQLite as fast as it can: TaskQueues with three channels, four Activities and two \
                 thresholds, of which 3 % change every ten seconds of ten hours; then the day is packed. Bytes are those of \
                 the file's pages. CPU is this process's, with the bench's own part."
        .to_owned();
    (Section { title: "History", about, tables: vec![stored, queried], goals }, Vec::new())
}

fn goal(what: &'static str, most: f64, figure: f64) -> Goal {
    let (goal, met) = (format!("\u{2264} {most} MB"), figure <= most);
    Goal { what, goal, figure: format!("{} MB", tenths(figure)), met }
}

#[expect(clippy::cast_precision_loss, reason = "sizes of files are exact")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// The megabytes of detail and of intervals.
async fn bytes(file: &std::path::Path) -> (f64, f64) {
    let mut database =
        SqliteConnection::connect(&format!("sqlite://{}?mode=ro", file.display())).await.unwrap();
    let mut sum = async |names: &str| {
        let sql = format!("SELECT SUM(pgsize) FROM dbstat WHERE name IN ({names})");
        let row = sqlx::query(&sql).fetch_one(&mut database).await.unwrap();
        megabytes(row.get::<i64, _>(0).unsigned_abs())
    };
    (sum("'history_detail'").await, sum("'history_intervals', 'history_intervals_by_day'").await)
}

/// CPU time of this process.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    let all: u64 = std::fs::read_dir("/proc/self/task")
        .unwrap()
        .flatten()
        .filter_map(|task| {
            let stat = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
            stat.split(' ').next()?.parse::<u64>().ok()
        })
        .sum();
    Duration::from_nanos(all.max(stat.split(' ').next().unwrap().parse().unwrap()))
}

async fn queries(centre: &Centre, queues: usize, table: &mut Table) -> Sample<Duration> {
    let archive = &centre.archive;
    let report = |step, limit, channel: &str| ReportQuery {
        range: Range { from: DAY, to: DAY + DAY_SECONDS },
        step,
        queues: vec![],
        channels: vec![channel.to_owned()],
        skip: 0,
        limit,
    };
    let page = timed(async || drop(archive.report(&report(900, 5000, "all")).await.unwrap())).await;
    let whole = timed(async || drop(archive.report(&report(900, 100_000, "all")).await.unwrap())).await;
    let day = timed(async || drop(archive.report(&report(86_400, 5000, "all")).await.unwrap())).await;
    let range = Range { from: DAY, to: DAY + DAY_SECONDS };
    let curve =
        timed(async || drop(archive.queue(centre.queues[0].sid, "all", range, Some(60)).await.unwrap()))
            .await;
    let at = timed(async || drop(archive.at(DAY + 12 * 3600 + 1234).await.unwrap())).await;
    for (what, sample) in [
        ("report: a page of 5,000 quarter hours of a day, with totals", &page),
        ("report: all quarter hours of a day", &whole),
        ("report: the day as a whole", &day),
        ("a TaskQueue's curve of a day, each minute", &curve),
        ("everything at one moment", &at),
    ] {
        table.row(&[&queues, &what, &ms(sample.median()), &ms(sample.max())]);
    }
    page
}

async fn timed(mut query: impl AsyncFnMut()) -> Sample<Duration> {
    let mut times = Vec::new();
    for _ in 0..7 {
        let begin = Instant::now();
        query().await;
        times.push(begin.elapsed());
    }
    Sample::new(times)
}

/// A centre whose statistics change by chance.
struct Centre {
    archive: Archive,
    worker: ArchiveWorker,
    snapshots: watch::Sender<Arc<Snapshot>>,
    snapshot: Snapshot,
    queues: Vec<Queue>,
    random: u64,
}

struct Queue {
    sid: TaskQueueSid,
    state: QueueState,
    agents: [u64; 4],
    /// Of each channel.
    counts: [Counts; 3],
}

#[derive(Default, Clone, Copy)]
struct Counts {
    waiting: u64,
    assigned: u64,
    entered: u64,
    accepted: u64,
    within: [u64; 2],
    abandoned: u64,
    completed: u64,
    waited: u64,
    longest: u64,
}

impl Counts {
    fn and(self, other: Self) -> Self {
        Self {
            waiting: self.waiting + other.waiting,
            assigned: self.assigned + other.assigned,
            entered: self.entered + other.entered,
            accepted: self.accepted + other.accepted,
            within: [self.within[0] + other.within[0], self.within[1] + other.within[1]],
            abandoned: self.abandoned + other.abandoned,
            completed: self.completed + other.completed,
            waited: self.waited + other.waited,
            longest: self.longest.max(other.longest),
        }
    }
}

fn timestamp(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn config() -> Config {
    let value = |name: &str| {
        let value = match name {
            "TWILIO_ACCOUNT_SID" => "AC00000000000000000000000000000001",
            "TWILIO_AUTH_TOKEN" => "a-token",
            "TWILIO_WORKSPACE_SID" => "WS00000000000000000000000000000001",
            "PUBLIC_URL" => "https://hooks.example.com",
            "DASHBOARD_TIMEZONE" => "Europe/Berlin",
            _ => return None,
        };
        Some(value.to_owned())
    };
    Config::read(&value).unwrap()
}

impl Centre {
    fn new(queues: usize, place: HistoryPlace) -> Self {
        let history = HistoryConfig { place: Some(place), detail_days: 35, interval_days: 400 };
        let archive = Archive::new(&config().core, &history, Monitor::default());
        let channels = CHANNELS.map(str::to_owned);
        let mut snapshot = Snapshot::empty(&channels, timestamp(DAY));
        snapshot.directory_known = true;
        let (snapshots, watched) = watch::channel(Arc::new(snapshot.clone()));
        let worker =
            ArchiveWorker::new(archive.clone(), watched, watch::channel(None).1, Duration::from_secs(10));
        let mut centre =
            Self { archive, worker, snapshots, snapshot, queues: Vec::new(), random: 88_172_645_463_325_252 };
        for number in 0..queues {
            let sid: TaskQueueSid = format!("WQ{number:032x}").parse().unwrap();
            let queue = json!({"sid": sid, "friendly_name": format!("Support {number}")});
            let state =
                QueueState { queue: Arc::new(serde_json::from_value(queue).unwrap()), scopes: [].into() };
            let agents = [2 + centre.die(5), 4, 1, 2];
            centre.queues.push(Queue { sid, state, agents, counts: [Counts::default(); 3] });
            centre.show(number, DAY, DAY);
        }
        centre
    }

    fn die(&mut self, sides: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % sides
    }

    /// A day, and what comes after it until the day is packed; the changes and the time that storing took.
    async fn live_a_day(&mut self) -> (u32, Duration) {
        let (mut changes, mut took) = (0, Duration::ZERO);
        let packed = i64::try_from(self.queues.len() / 20 + 20).unwrap() * LOOK;
        for now in (DAY + LOOK..DAY + DAY_SECONDS + 1000 + packed).step_by(5) {
            if OPEN.contains(&now) {
                for number in 0..self.queues.len() {
                    // Half of it at each look.
                    if self.die(200) < CHANGES {
                        self.change(number, now);
                        changes += 1;
                    }
                }
            }
            self.confirm(now);
            let begin = Instant::now();
            self.worker.turn(now).await;
            took += begin.elapsed();
        }
        (changes, took)
    }

    fn change(&mut self, number: usize, now: i64) {
        let (what, channel, wait, rest) =
            (self.die(10), usize::try_from(self.die(3)).unwrap(), 3 + self.die(150), self.die(2));
        let (from, to) = (usize::try_from(self.die(4)).unwrap(), usize::try_from(self.die(4)).unwrap());
        let queue = &mut self.queues[number];
        let counts = &mut queue.counts[channel];
        match what {
            0..4 => (counts.entered, counts.waiting) = (counts.entered + 1, counts.waiting + 1),
            4..7 if counts.waiting > 0 => {
                counts.waiting -= 1;
                counts.assigned += 1;
                counts.accepted += 1;
                counts.waited += wait;
                counts.longest = counts.longest.max(wait);
                for (threshold, within) in [30, 120].into_iter().zip(&mut counts.within) {
                    *within += u64::from(wait <= threshold);
                }
            }
            7 if counts.waiting > 0 && rest == 0 => {
                counts.waiting -= 1;
                counts.abandoned += 1;
            }
            7..9 if counts.assigned > 0 => {
                counts.assigned -= 1;
                counts.completed += 1;
            }
            _ if queue.agents[from] > 0 => {
                queue.agents[from] -= 1;
                queue.agents[to] += 1;
            }
            _ => counts.entered += 1,
        }
        self.show(number, DAY, now);
    }

    fn show(&mut self, number: usize, day: i64, now: i64) {
        let queue = &mut self.queues[number];
        let all = queue.counts.into_iter().fold(Counts::default(), Counts::and);
        let scopes: Vec<ScopeStats> = std::iter::once(all)
            .chain(queue.counts)
            .map(|counts| scope(counts, queue.agents, day, now))
            .collect();
        queue.state = QueueState { queue: queue.state.queue.clone(), scopes: scopes.into() };
        self.snapshot.queues.insert(queue.sid, Arc::new(queue.state.clone()));
    }

    /// What was read just now, of which most is as it was.
    fn confirm(&mut self, now: i64) {
        self.snapshot.workspace.realtime.as_of = Some(timestamp(now));
        self.snapshots.send_replace(Arc::new(self.snapshot.clone()));
    }
}

fn scope(counts: Counts, agents: [u64; 4], day: i64, now: i64) -> ScopeStats {
    let activities: Vec<_> = ACTIVITIES
        .iter()
        .zip(agents)
        .map(|(name, workers)| json!({"friendly_name": name, "sid": "WA1", "workers": workers}))
        .collect();
    let realtime = json!({
        "longest_task_waiting_age": counts.waiting * 10, "total_tasks": counts.waiting + counts.assigned,
        "tasks_by_status": {"pending": counts.waiting, "reserved": 0, "assigned": counts.assigned, "wrapping": 0},
        "activity_statistics": activities, "total_available_workers": agents[0],
        "total_eligible_workers": agents.iter().sum::<u64>(),
    });
    let split = |within: u64| {
        json!({
            "below": {"reservations_accepted": within, "tasks_canceled": 0},
            "above": {"reservations_accepted": counts.accepted - within, "tasks_canceled": counts.abandoned},
        })
    };
    let mean = counts.waited.checked_div(counts.accepted).unwrap_or(0);
    let cumulative = json!({
        "start_time": timestamp(day).to_string(), "reservations_accepted": counts.accepted, "reservations_canceled": 0,
        "reservations_created": counts.accepted, "reservations_rejected": 0, "reservations_rescinded": 0,
        "reservations_timed_out": 0, "tasks_canceled": counts.abandoned, "tasks_completed": counts.completed,
        "tasks_entered": counts.entered, "tasks_deleted": 0, "tasks_moved": 0,
        "wait_duration_until_accepted": {"avg": mean, "min": 1, "max": counts.longest, "total": counts.waited},
        "wait_duration_until_canceled": {"avg": 5, "min": 1, "max": 9, "total": counts.abandoned * 5},
        "split_by_wait_time": {"30": split(counts.within[0]), "120": split(counts.within[1])},
    });
    let mut stats = ScopeStats::default();
    stats.realtime.value = Some(Arc::new(serde_json::from_value(realtime).unwrap()));
    stats.cumulative.value = Some(Arc::new(serde_json::from_value(cumulative).unwrap()));
    let as_of = Some(timestamp(now));
    (stats.realtime.as_of, stats.cumulative.as_of) = (as_of, as_of);
    stats
}
