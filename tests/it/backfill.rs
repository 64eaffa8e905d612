//! The days before the first start: what Twilio counts of them is what the history shows.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use taskrouter_sync::config::{Config, HistoryConfig, HistoryPlace};
use taskrouter_sync::history::{Archive, ArchiveWorker, Range, ReportQuery};
use taskrouter_sync::stats::Snapshot;
use taskrouter_sync::telemetry::metrics::Monitor;
use taskrouter_sync::twilio::Apis;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use twilio_emulator::{Emulator, Settings};

use crate::support::{Binary, DEADLINE};

#[tokio::test]
async fn the_days_before_the_first_start_are_as_twilio_counts_them() {
    let settings =
        Settings { queues: 3, workers: 6, history: Duration::from_secs(30 * 3600), ..Settings::default() };
    let emulator = Emulator::start(settings).await.unwrap();
    let variables = Binary::variables(&emulator, &[]);
    let config = Config::read(&|name| variables.get(name).cloned()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let place = Some(HistoryPlace::Sqlite(folder.path().join("history.db")));
    let history = HistoryConfig { place, detail_days: 35, interval_days: 400 };
    let archive = Archive::new(&config.core, &history, Monitor::default());

    // A snapshot that was read just now.
    let begin = Timestamp::now();
    let channels = ["voice".to_owned(), "chat".to_owned()];
    let mut snapshot = Snapshot::empty(&channels, begin);
    snapshot.directory_known = true;
    snapshot.workspace.realtime.as_of = Some(begin + SignedDuration::from_hours(1));
    let (_snapshots, watched) = watch::channel(Arc::new(snapshot));
    let (_tiles, no_tiles) = watch::channel(None);
    let apis = Apis::new(&config.core, Monitor::default()).unwrap();
    let (mut worker, backfill) =
        ArchiveWorker::new(archive.clone(), watched, no_tiles, Duration::from_secs(3600))
            .with_backfill(apis.taskrouter.clone(), Duration::ZERO);
    let stop = CancellationToken::new();
    let reading = tokio::spawn(backfill.run(stop.clone()));

    let zone = config.core.statistics.time_zone.clone();
    let today = begin.to_zoned(zone).start_of_day().unwrap();
    let yesterday = today.yesterday().unwrap().start_of_day().unwrap();
    let (from, to) = (yesterday.timestamp().as_second(), today.timestamp().as_second());
    let query = |step: i64, channel: &str| ReportQuery {
        range: Range { from, to },
        step,
        queues: vec![],
        channels: vec![channel.to_owned()],
        skip: 0,
        limit: 10_000,
    };
    let truth = |queue: &str, channel: Option<&str>, name: &str| {
        let since = |moment: i64| {
            let since = Timestamp::from_second(moment).unwrap();
            emulator.world().truth().queue(queue, channel, since, &[30]).cumulative[name].as_i64().unwrap()
        };
        since(from) - since(to)
    };
    let queues = emulator.world().truth().queue_sids();
    let names = ["tasks_entered", "reservations_accepted", "tasks_canceled", "tasks_completed"];
    let agrees = async || {
        for (name, channel) in [("all", None), ("voice", Some("voice")), ("chat", Some("chat"))] {
            let rows = archive.report(&query(86_400, name)).await.unwrap().rows;
            for queue in &queues {
                let row = rows.iter().find(|row| row.queue.as_deref() == Some(queue));
                let ours =
                    row.map_or([0; 4], |row| [row.entered, row.accepted, row.abandoned, row.completed]);
                if ours != names.map(|name| truth(queue, channel, name)) {
                    return false;
                }
            }
        }
        true
    };
    let busy: i64 = queues.iter().map(|queue| truth(queue, None, "tasks_entered")).sum();
    assert!(busy > 50, "the centre was open yesterday: {busy}");

    let mut now = begin.as_second();
    let storing = async {
        loop {
            now += 5;
            worker.turn(now - now.rem_euclid(5)).await;
            if agrees().await {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(2 * DEADLINE, storing).await.expect("yesterday is not as Twilio counts it");
    let quarters = archive.report(&query(900, "all")).await.unwrap().rows;
    let of_first: Vec<_> = quarters.iter().filter(|row| row.queue.as_deref() == Some(&*queues[0])).collect();
    assert!(of_first.iter().filter(|row| row.entered > 0).count() > 10, "by quarter hours");
    for row in of_first.iter().filter(|row| row.entered > 0) {
        assert_eq!((row.source, row.covered), ("twilio", 0.0), "{row:?}");
    }
    stop.cancel();
    reading.await.unwrap();
    emulator.shutdown().await;
}
