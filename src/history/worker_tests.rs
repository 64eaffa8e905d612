//! The worker on SQLite, with a clock of its own: it is called with the moment that it should take for now.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::config::{Config, HistoryConfig};
use crate::history::backfill::by_hand::{Twilio, twilio};
use crate::history::calendar::timestamp;
use crate::history::{Range, ReportQuery};
use crate::sid::TaskQueueSid;
use crate::stats::{QueueState, ScopeStats};
use crate::telemetry::metrics::Monitor;
use crate::twilio::taskrouter::{Cumulative, Realtime, TaskQueue};

const QUEUE: &str = "WQ00000000000000000000000000000001";

/// A centre of one TaskQueue, and what the service knows of it.
struct Centre {
    archive: Archive,
    snapshots: watch::Sender<Arc<Snapshot>>,
    worker: ArchiveWorker,
    /// Entries so far, with their moments.
    entries: Vec<i64>,
    random: u64,
    /// What Twilio answers about the past.
    twilio: Twilio,
}

fn config(zone: &str) -> Config {
    let value = |name: &str| {
        let value = match name {
            "TWILIO_ACCOUNT_SID" => "AC00000000000000000000000000000001",
            "TWILIO_AUTH_TOKEN" => "a-token",
            "TWILIO_WORKSPACE_SID" => "WS00000000000000000000000000000001",
            "PUBLIC_URL" => "https://hooks.example.com",
            "DASHBOARD_TIMEZONE" => zone,
            _ => return None,
        };
        Some(value.to_owned())
    };
    Config::read(&value).unwrap()
}

fn place(folder: &tempfile::TempDir) -> HistoryConfig {
    let place = Some(HistoryPlace::Sqlite(folder.path().join("deep/er/history.db")));
    HistoryConfig { place, detail_days: 35, interval_days: 400 }
}

impl Centre {
    fn new(zone: &str, history: &HistoryConfig) -> Self {
        let archive = Archive::new(&config(zone).core, history, Monitor::default());
        let (snapshots, watched) = watch::channel(Arc::new(Snapshot::empty(&[], Timestamp::UNIX_EPOCH)));
        let tiles = watch::channel(None).1;
        let mut worker = ArchiveWorker::new(archive.clone(), watched, tiles, Duration::from_secs(5));
        let (twilio, past) = twilio();
        worker.past = Some(past);
        Self { archive, snapshots, worker, entries: Vec::new(), random: 88_172_645_463_325_252, twilio }
    }

    /// The same centre under a service that was started again.
    async fn restarted(self, zone: &str, history: &HistoryConfig) -> Self {
        self.archive.close().await;
        let next = Self::new(zone, history);
        Self { entries: self.entries, random: self.random, ..next }
    }

    fn die(&mut self, sides: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % sides
    }

    fn day(&self, now: i64) -> i64 {
        self.archive.shared().calendar.day(now)
    }

    /// Twilio's figure of a day.
    fn truth(&self, day: i64, now: i64) -> i64 {
        let before = |moment| self.entries.partition_point(|entry| *entry < moment);
        i64::try_from(before(now).saturating_sub(before(day))).unwrap()
    }

    /// The same centre under a service that was killed, and was away until a moment.
    fn killed(self, zone: &str, history: &HistoryConfig) -> Self {
        let Self { archive, snapshots, worker, entries, random, .. } = self;
        drop((archive, snapshots, worker));
        Self { entries, random, ..Self::new(zone, history) }
    }

    /// Lets Tasks enter until a moment.
    fn live(&mut self, from: i64, to: i64) {
        for second in from..to {
            if self.die(20) == 0 {
                self.entries.push(second);
            }
        }
    }

    fn read(&self, now: i64) {
        self.read_as_of(now, now);
    }

    /// Twilio's counts as they were at an earlier moment of the same day.
    fn read_as_of(&self, counted: i64, now: i64) {
        let day = self.day(now);
        let entered = self.truth(day, counted);
        let sid: TaskQueueSid = QUEUE.parse().unwrap();
        let queue: TaskQueue =
            serde_json::from_value(json!({"sid": sid, "friendly_name": "Support"})).unwrap();
        let stats = stats(day, entered, 3, now);
        let mut snapshot = Snapshot::empty(&[], timestamp(now));
        snapshot.directory_known = true;
        snapshot.workspace = stats.clone();
        let state = QueueState { queue: Arc::new(queue), scopes: vec![stats].into() };
        snapshot.queues = BTreeMap::from([(sid, Arc::new(state))]);
        self.snapshots.send_replace(Arc::new(snapshot));
    }

    /// Lives and stores from one moment to another.
    async fn run(&mut self, from: i64, to: i64) {
        for now in (from..to).step_by(5) {
            self.live(now - 5, now);
            self.read(now);
            self.worker.turn(now).await;
        }
    }

    /// The same with a look every fifteen seconds, counts of the last full minute, and Twilio's answers about the past.
    async fn run_slowly(&mut self, from: i64, to: i64) {
        for now in (from..to).step_by(15) {
            self.live(now - 15, now);
            self.read_as_of((now - now.rem_euclid(60)).max(self.day(now)), now);
            self.worker.turn(now).await;
            self.twilio.answer(|start, end| {
                let stats = stats(start, self.truth(start, end), 0, end);
                vec![(QUEUE.parse().unwrap(), stats.cumulative.value.as_deref().unwrap().clone())]
            });
        }
    }

    async fn rows(&self, from: i64, to: i64, step: i64) -> Vec<crate::history::IntervalRow> {
        let query = ReportQuery {
            range: Range { from, to },
            step,
            queues: vec![],
            channels: vec![],
            skip: 0,
            limit: 10_000,
        };
        self.archive.report(&query).await.unwrap().rows
    }

    async fn series(&self, from: i64, to: i64) -> crate::history::QueueSeries {
        self.archive.queue(QUEUE.parse().unwrap(), "all", Range { from, to }, Some(10)).await.unwrap()
    }
}

/// Statistics of a scope in which so much has entered since the day began.
fn stats(day: i64, entered: i64, available: i64, now: i64) -> ScopeStats {
    let waiting = entered % 4;
    let realtime: Realtime = serde_json::from_value(json!({
        "longest_task_waiting_age": waiting * 10, "total_tasks": waiting, "tasks_by_status": {"pending": waiting},
        "activity_statistics": [{"friendly_name": "Available", "sid": "WA1", "workers": available}],
        "total_available_workers": available, "total_eligible_workers": 5,
    }))
    .unwrap();
    let accepted = entered * 3 / 4;
    let cumulative: Cumulative = serde_json::from_value(json!({
        "start_time": timestamp(day).to_string(), "reservations_accepted": accepted, "reservations_canceled": 0,
        "reservations_created": entered, "reservations_rejected": 0, "reservations_rescinded": 0,
        "reservations_timed_out": 0, "tasks_canceled": entered / 10, "tasks_completed": accepted, "tasks_entered": entered,
        "wait_duration_until_accepted": {"avg": 12, "min": 1, "max": 50, "total": accepted * 12},
        "wait_duration_until_canceled": {"avg": 5, "min": 1, "max": 9, "total": 5},
        "split_by_wait_time": {"30": {"below": {"reservations_accepted": accepted / 2, "tasks_canceled": entered / 20},
            "above": {"reservations_accepted": accepted - accepted / 2, "tasks_canceled": 0}}},
    }))
    .unwrap();
    let mut stats = ScopeStats::default();
    stats.realtime.value = Some(Arc::new(realtime));
    stats.cumulative.value = Some(Arc::new(cumulative));
    let as_of = Some(timestamp(now));
    (stats.realtime.as_of, stats.cumulative.as_of) = (as_of, as_of);
    stats
}

fn second(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_second()
}

#[tokio::test]
async fn a_day_adds_up_over_restarts_and_shows_what_it_missed_as_gaps() {
    let folder = tempfile::tempdir().unwrap();
    let (zone, history) = ("Europe/Berlin", place(&folder));
    let mut centre = Centre::new(zone, &history);
    // Eight in the morning, with a centre that is open since midnight.
    let (midnight, morning) = (second("2026-03-28T23:00:00Z"), second("2026-03-29T06:00:00Z"));
    centre.live(midnight, morning - 5);
    centre.run(morning, morning + 3000).await;
    centre = centre.restarted(zone, &history).await;
    centre.live(morning + 2995, morning + 6995);
    centre.run(morning + 7000, morning + 9005).await;
    let (now, end) = (morning + 9000, second("2026-03-29T22:00:00Z"));

    let rows = centre.rows(midnight, end, 900).await;
    assert_eq!(rows.iter().map(|row| row.entered).sum::<i64>(), centre.truth(midnight, now));
    assert_eq!(rows.iter().map(|row| row.seconds).sum::<i64>(), now + 1 - midnight);
    let quarter = |time: i64| {
        rows.iter().find(|row| row.start == Some(centre.archive.shared().calendar.shown(time))).unwrap()
    };
    let clear = quarter(morning + 900);
    assert_eq!((clear.covered, clear.seconds, clear.source), (1.0, 900, "measured"));
    let truth = centre.truth(morning + 900, morning + 1800);
    assert_eq!((clear.entered, clear.agents["Available"]), (truth, 3.0));
    assert!(
        clear.waiting_mean.unwrap() > 0.5 && clear.waiting_max == Some(3) && clear.wait_mean == Some(12.0)
    );
    assert_eq!(quarter(morning - 3600).covered, 0.0, "before the first start");
    assert_eq!(quarter(morning + 4500).covered, 0.0, "between the runs");
    assert!(quarter(morning + 2700).covered > 0.3 && quarter(morning + 2700).covered < 0.4);
    let days = centre.rows(midnight, end, 86_400).await;
    assert_eq!(days.len(), 1);
    assert_eq!(
        (days[0].entered, days[0].start.as_deref()),
        (centre.truth(midnight, now), Some("2026-03-29T00:00:00+01:00"))
    );

    let series = centre.series(morning - 60, now).await;
    let gaps: Vec<_> = series.gaps.iter().map(|gap| (gap.from, gap.to, gap.reason)).collect();
    let away = (morning + 2995, morning + 7000, GapReason::NotRunning);
    let before = second("2026-03-21T23:00:00Z");
    assert_eq!(gaps, [(before, morning, GapReason::NotRunning), away], "seven days are filled later");
    let at =
        |time: i64| series.series["entered"][series.axis.times.iter().position(|at| *at == time).unwrap()];
    #[expect(clippy::cast_precision_loss, reason = "small counts")]
    let truth = |time: i64| Some(centre.truth(midnight, time) as f64);
    for time in [morning, morning + 1500, morning + 2990, morning + 7000, morning + 8990] {
        assert_eq!(at(time), truth(time), "{time}");
    }
    assert_eq!(at(morning + 5000), None);

    let then = centre.archive.at(morning + 1500).await.unwrap();
    assert!(then.known && then.gap.is_none());
    let queue = &then.queues[0];
    assert_eq!((&queue["sid"], &queue["friendlyName"]), (&json!(QUEUE), &json!("Support")));
    assert_eq!(queue["cumulativeStats_all"]["tEnter"], json!(centre.truth(midnight, morning + 1500)));
    assert_eq!(queue["realTimeStats_all"]["activityStatistics"][0]["workers"], 3);
    assert_eq!(then.workspace.unwrap()["realtime"]["total_available_workers"], 3);
    assert!(!centre.archive.at(morning + 5000).await.unwrap().known);
    let state = centre.archive.state().await;
    assert_eq!((state.state, state.store, state.lost), ("ok", Some("sqlite"), 0));
    assert_eq!(state.since.as_deref(), Some("2026-03-29T06:00:00Z"));
}

/// The service is killed at random moments, also over midnight, and reads Twilio's counts a minute late.
async fn adds_up(zone: &str, midnight: &str, hours: i64) {
    let folder = tempfile::tempdir().unwrap();
    let history = place(&folder);
    let mut centre = Centre::new(zone, &history);
    let midnight = second(midnight);
    let end = midnight + hours * 3600;
    centre.random ^= midnight.unsigned_abs();
    centre.live(midnight - 7200, midnight - 1800);
    let mut now = midnight - 1800;
    while now < end + 3600 {
        let until = now + i64::try_from(centre.die(400)).unwrap() * 60;
        centre.run_slowly(now, until.min(end + 3600)).await;
        let away = i64::try_from(centre.die(60)).unwrap() * 60;
        let back = (until + away).min(end + 1200);
        if until < back {
            // The last turn lived up to fifteen seconds before `until`.
            centre.live(until - 15, back - 15);
            centre = centre.restarted(zone, &history).await;
            now = back;
        } else {
            now = until;
        }
    }
    for (from, to) in [(midnight - 86_400, midnight), (midnight, end)] {
        let days = centre.rows(from, to, 86_400).await;
        assert_eq!(days.iter().map(|row| row.entered).sum::<i64>(), centre.truth(from, to), "from {from}");
    }
    let quarters = centre.rows(midnight, end, 900).await;
    assert_eq!(quarters.len(), usize::try_from(hours * 4).unwrap());
    assert_eq!(quarters.iter().map(|row| row.entered).sum::<i64>(), centre.truth(midnight, end));
}

#[tokio::test]
async fn a_day_of_23_hours_adds_up_to_twilios_figure() {
    adds_up("Europe/Berlin", "2026-03-28T23:00:00Z", 23).await;
}

#[tokio::test]
async fn a_day_of_25_hours_adds_up_to_twilios_figure() {
    adds_up("Europe/Berlin", "2026-10-24T22:00:00Z", 25).await;
}

#[tokio::test]
async fn a_day_of_23_hours_and_half_an_hours_offset_adds_up_to_twilios_figure() {
    adds_up("America/St_Johns", "2026-03-08T03:30:00Z", 23).await;
}

#[tokio::test]
async fn a_day_of_half_an_hours_offset_adds_up_to_twilios_figure() {
    adds_up("Asia/Kolkata", "2026-06-01T18:30:00Z", 24).await;
}

/// Thirteen months in a zone of half an hour's offset, with both of its clock changes: a look every hour, by a service that
/// is killed now and then, and then away for up to a day.
#[tokio::test]
async fn thirteen_months_add_up_to_twilios_figures() {
    const LOOK: i64 = 3600;
    let (zone, midnight) = ("America/St_Johns", "2025-03-01T03:30:00Z");
    let folder = tempfile::tempdir().unwrap();
    let history = place(&folder);
    let mut centre = Centre::new(zone, &history);
    let first = second(midnight);
    centre.random ^= first.unsigned_abs();
    let calendar = centre.archive.shared().calendar.clone();
    assert_eq!(calendar.day(first), first, "it is a midnight of the zone");
    let days: Vec<i64> =
        std::iter::successors(Some(first), |day| Some(calendar.next_day(*day))).take(398).collect();
    let (end, mut now) = (days[396], first + 3600);
    let mut lived = first;
    while now < end + 8 * LOOK {
        for second in (lived..now).step_by(60) {
            if centre.die(6) == 0 {
                centre.entries.push(second);
            }
        }
        lived = now;
        centre.read_as_of((now - 60).max(centre.day(now)), now);
        // A pause would last real seconds, which are weeks here.
        centre.worker.retry = None;
        centre.worker.turn(now).await;
        centre.twilio.answer(|start, end| {
            let stats = stats(start, centre.truth(start, end), 0, end);
            vec![(QUEUE.parse().unwrap(), stats.cumulative.value.as_deref().unwrap().clone())]
        });
        now += LOOK;
        if centre.die(60) == 0 {
            centre = centre.killed(zone, &history);
            now += i64::try_from(centre.die(24)).unwrap() * LOOK;
        }
    }
    let rows = centre.rows(first, end, 86_400).await;
    assert_eq!(rows.len(), 396);
    for (row, day) in rows.iter().zip(days.windows(2)) {
        let (from, to) = (day[0], day[1]);
        assert_eq!(row.start.as_deref(), Some(&*calendar.shown(from)));
        assert_eq!(
            (row.entered, row.seconds),
            (centre.truth(from, to), to - from),
            "{}",
            calendar.shown(from)
        );
        let quarters = centre.rows(from, to, 900).await;
        assert_eq!(
            quarters.iter().map(|row| row.entered).sum::<i64>(),
            row.entered,
            "{}",
            calendar.shown(from)
        );
    }
    let lengths: Vec<i64> = rows.iter().map(|row| row.seconds / 3600).filter(|hours| *hours != 24).collect();
    assert!(lengths.contains(&23) && lengths.contains(&25), "{lengths:?}");
}

#[tokio::test]
async fn statistics_that_can_not_be_read_are_a_gap_and_not_a_straight_line() {
    let folder = tempfile::tempdir().unwrap();
    let mut centre = Centre::new("UTC", &place(&folder));
    let noon = second("2026-06-01T12:00:00Z");
    centre.run(noon, noon + 600).await;
    for now in (noon + 600..noon + 1200).step_by(5) {
        centre.live(now - 5, now);
        centre.worker.turn(now).await;
    }
    centre.run(noon + 1200, noon + 2700).await;
    let series = centre.series(noon, noon + 2700).await;
    assert_eq!(series.gaps.len(), 1);
    let gap = series.gaps[0];
    assert_eq!((gap.to, gap.reason), (noon + 1200, GapReason::NotRead));
    assert!((noon + 595..noon + 640).contains(&gap.from), "{gap:?}");
    let rows = centre.rows(noon - 12 * 3600, noon + 2700, 86_400).await;
    assert_eq!(rows[0].entered, centre.truth(noon - 12 * 3600, noon + 2695));
}

#[tokio::test]
async fn a_store_that_fails_costs_the_samples_of_that_time_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let history = place(&folder);
    let mut centre = Centre::new("UTC", &history);
    let noon = second("2026-06-01T12:00:00Z");
    centre.run(noon, noon + 100).await;
    // The folder becomes a file: nothing can be opened below it.
    let (deep, aside) = (folder.path().join("deep"), folder.path().join("aside"));
    centre.archive.close().await;
    centre.worker.session = None;
    std::fs::rename(&deep, &aside).unwrap();
    std::fs::write(&deep, b"").unwrap();
    centre.run(noon + 100, noon + 200).await;
    let state = centre.archive.state().await;
    assert_eq!(state.state, "degraded");
    assert!(state.reason.unwrap().contains("deep"), "it names the folder");
    std::fs::remove_file(&deep).unwrap();
    std::fs::rename(&aside, &deep).unwrap();
    centre.worker.retry = None;
    centre.run(noon + 200, noon + 1000).await;
    let gaps: Vec<_> = centre.series(noon, noon + 1000).await.gaps;
    assert_eq!(gaps, [crate::history::Gap { from: noon + 95, to: noon + 200, reason: GapReason::NotStored }]);
    let state = centre.archive.state().await;
    assert_eq!((state.state, state.lost), ("ok", 20));
}

#[tokio::test]
async fn a_damaged_file_is_kept_under_another_name() {
    let folder = tempfile::tempdir().unwrap();
    let history = place(&folder);
    let path = folder.path().join("deep/er/history.db");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, vec![7_u8; 20_000]).unwrap();
    let mut centre = Centre::new("UTC", &history);
    let noon = second("2026-06-01T12:00:00Z");
    centre.run(noon, noon + 30).await;
    let kept = folder.path().join(format!("deep/er/history.db.damaged-{noon}"));
    assert_eq!(std::fs::read(kept).unwrap(), vec![7_u8; 20_000]);
    assert_eq!(centre.archive.state().await.since.as_deref(), Some("2026-06-01T12:00:05Z"));
}

#[tokio::test]
async fn what_is_too_old_is_deleted_in_small_steps() {
    let folder = tempfile::tempdir().unwrap();
    let history = HistoryConfig { detail_days: 1, interval_days: 2, ..place(&folder) };
    let mut centre = Centre::new("UTC", &history);
    let noon = second("2026-06-01T12:00:00Z");
    let day = 86_400;
    for visit in 0..5 {
        centre.run(noon + visit * day, noon + visit * day + 1000).await;
    }
    let store = centre.archive.open().await.unwrap();
    let oldest = store.detail_from(0).await.unwrap().unwrap();
    assert!(oldest >= noon + 3 * day - 900, "{}", timestamp(oldest));
    let days = store.intervals(0, i64::MAX, None).await.unwrap();
    assert!(days.iter().all(|row| row.day >= noon + 2 * day - day / 2), "{days:?}");
    assert!(!days.is_empty());
}

/// What the first quarter hours of the day before show, which Twilio was asked for.
async fn filled_of_the_day_before(centre: &Centre, now: i64) -> i64 {
    let midnight = centre.day(centre.day(now) - 1);
    centre.rows(midnight, midnight + 6 * 3600, 900).await.iter().map(|row| row.entered).sum()
}

#[tokio::test]
async fn a_file_that_is_removed_is_noticed_and_a_new_one_begins() {
    let folder = tempfile::tempdir().unwrap();
    let history = place(&folder);
    let mut centre = Centre::new("UTC", &history);
    let noon = second("2026-06-01T12:00:00Z");
    centre.live(noon - 36 * 3600, noon - 15);
    centre.run_slowly(noon, noon + 1500).await;
    let before = filled_of_the_day_before(&centre, noon).await;
    assert!(before > 0);
    let noon = noon + 1500;
    for file in ["history.db", "history.db-wal", "history.db-shm"] {
        let _ = std::fs::remove_file(folder.path().join("deep/er").join(file));
    }
    centre.read(noon + 30);
    centre.worker.turn(noon + 30).await;
    assert!(centre.archive.problem().unwrap().contains("removed"));
    centre.worker.retry = None;
    centre.run(noon + 35, noon + 60).await;
    assert_eq!(centre.archive.problem(), None);
    assert_eq!(centre.archive.state().await.since.as_deref(), Some("2026-06-01T12:25:35Z"));
    centre.run_slowly(noon + 60, noon + 1500).await;
    assert_eq!(
        filled_of_the_day_before(&centre, noon).await,
        before,
        "the past is read again for the new file"
    );
}

#[tokio::test]
async fn a_second_service_stores_nothing_in_the_same_file_until_the_first_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let history = place(&folder);
    let (mut first, mut second_one) = (Centre::new("UTC", &history), Centre::new("UTC", &history));
    let noon = second("2026-06-01T12:00:00Z");
    first.run(noon, noon + 30).await;
    second_one.run(noon + 30, noon + 40).await;
    assert!(second_one.archive.problem().unwrap().contains("another service"));
    drop(first);
    second_one.worker.retry = None;
    second_one.run(noon + 40, noon + 60).await;
    assert_eq!(second_one.archive.problem(), None);
}

/// While days before the first start are still being read, what is missing of them is not known.
#[tokio::test]
async fn what_is_not_filled_yet_of_the_past_is_not_measured() {
    let folder = tempfile::tempdir().unwrap();
    let mut centre = Centre::new("UTC", &place(&folder));
    let noon = second("2026-06-02T12:00:00Z");
    centre.live(noon - 36 * 3600, noon - 15);
    centre.run_slowly(noon, noon + 1500).await;
    let yesterday = second("2026-06-01T00:00:00Z");
    let rows = centre.rows(yesterday, yesterday + 86_400, 900).await;
    assert!(rows.iter().any(|row| row.source == "twilio" && row.entered > 0));
    assert!(rows.iter().all(|row| row.covered == 0.0), "{rows:?}");
}
