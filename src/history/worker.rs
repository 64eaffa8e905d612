//! The task that stores: every five seconds what has changed, in one transaction; then intervals that are over, and what
//! is too old.
//!
//! It looks at the newest snapshot and tiles when its time comes, so nothing ever waits for it, and a slow or failing
//! store costs samples and no memory. After a failure it opens the store again, with pauses up to a minute, and begins with all
//! values and a gap.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::archive::Archive;
use super::backfill::{Backfill, PastWindows, backfill, oldest_day};
use super::calendar::{QUARTER, quarter};
use super::finish::finish;
use super::gap::{Gap, GapReason};
use super::pack::Packing;
use super::session::{StoringSession, is_filled};
use super::store::{Batch, HistoryStore, StoreFault, put_aside};
use super::timeline::STEP;
use crate::config::HistoryPlace;
use crate::stats::{Snapshot, Tiles};
use crate::twilio::taskrouter::TaskRouter;

pub(super) const SINCE: &str = "since";
pub(super) const ALIVE: &str = "alive";
pub(super) const FINAL_UNTIL: &str = "final_until";
/// A transaction takes no longer.
const LONGEST_WRITE: Duration = Duration::from_secs(20);
/// The last one, when the process stops.
const LONGEST_LAST_WRITE: Duration = Duration::from_secs(3);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// After an interval's end, so that late reads of its counts are in.
const SETTLED: i64 = 40;
/// Quarter hours that are finished at a time: more of them wait after an absence.
const FINISHED_AT_A_TIME: usize = 8;
/// What is too old is deleted in steps, this many at a time.
const PRUNED_AT_A_TIME: usize = 4;
/// A first snapshot that is not whole after this time is stored as it is.
const LONGEST_FILLING: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub struct ArchiveWorker {
    archive: Archive,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    tiles: watch::Receiver<Tiles>,
    /// Statistics that nothing has confirmed for so long are not known.
    stale_after: i64,
    session: Option<(HistoryStore, StoringSession, Packing)>,
    /// The file that is open, by its number on the disk.
    file: Option<u64>,
    /// Where storing failed before: when to try again, and the pause after that.
    retry: Option<(Instant, Duration)>,
    stored_before: bool,
    started: Instant,
    past: Option<PastWindows>,
}

impl ArchiveWorker {
    pub fn new(
        archive: Archive,
        snapshots: watch::Receiver<Arc<Snapshot>>,
        tiles: watch::Receiver<Tiles>,
        realtime_interval: Duration,
    ) -> Self {
        let stale_after = i64::try_from(realtime_interval.as_secs().saturating_mul(3)).unwrap_or(30).max(30);
        let started = Instant::now();
        Self {
            archive,
            snapshots,
            tiles,
            stale_after,
            session: None,
            file: None,
            retry: None,
            stored_before: false,
            started,
            past: None,
        }
    }

    /// Stores the days before the first start too, which the other half reads with a pause between requests.
    #[must_use]
    pub fn with_backfill(mut self, taskrouter: TaskRouter, pause: Duration) -> (Self, Backfill) {
        let thresholds = &self.archive.shared().statistics.sla_thresholds;
        let (reading, past) = backfill(taskrouter, self.snapshots.clone(), thresholds, pause);
        self.past = Some(past);
        (self, reading)
    }

    /// Stores until `stop`, then once more.
    pub async fn run(mut self, stop: CancellationToken) {
        if !self.archive.is_on() {
            return stop.cancelled().await;
        }
        let shared = self.archive.shared();
        let place = shared.config.place.as_ref().map(tracing::field::debug);
        info!(place, detail_days = shared.config.detail_days, "Storing history");
        loop {
            let now = Timestamp::now().as_millisecond();
            let next = STEP * 1000 - now.rem_euclid(STEP * 1000);
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(Duration::from_millis(next.unsigned_abs())) => {}
            }
            let now = Timestamp::now().as_second();
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.turn(now - now.rem_euclid(STEP)) => {}
            }
        }
        let now = Timestamp::now().as_second();
        if self.session.is_some() {
            let _ = timeout(LONGEST_LAST_WRITE, self.store(now - now.rem_euclid(STEP))).await;
        }
        self.archive.close().await;
    }

    /// One look, at a moment on the grid: a multiple of five seconds since 1970.
    pub async fn turn(&mut self, now: i64) {
        if self.retry.is_some_and(|(at, _)| Instant::now() < at) {
            return;
        }
        let stored = timeout(LONGEST_WRITE, self.store(now)).await;
        match stored.unwrap_or(Err(StoreFault::TimedOut(LONGEST_WRITE))) {
            Ok(()) => {
                self.retry = None;
                if self.archive.note_problem(None) {
                    info!("History is stored again");
                }
            }
            Err(fault) => self.failed(fault, now).await,
        }
    }

    async fn failed(&mut self, fault: StoreFault, now: i64) {
        self.session = None;
        self.archive.close().await;
        let pause = self.retry.map_or(Duration::from_secs(5), |(_, pause)| (pause * 2).min(LONGEST_PAUSE));
        self.retry = Some((Instant::now() + pause, pause));
        let is_new = self.archive.note_problem(Some(fault.to_string()));
        if is_new {
            warn!(error = %fault, "History can't be stored; everything else goes on, and what is missed is a gap");
        }
        let Some(HistoryPlace::Sqlite(path)) = &self.archive.shared().config.place else { return };
        if matches!(fault, StoreFault::Damaged(_)) {
            match put_aside(path, now) {
                Ok(aside) => error!(
                    file = %path.display(), kept_as = %aside.display(),
                    "The history's file is damaged: it is kept under another name, and a new one begins"
                ),
                Err(error) => warn!(%error, "The history's damaged file can't be renamed"),
            }
            self.retry = None;
        }
    }

    async fn store(&mut self, now: i64) -> Result<(), StoreFault> {
        let snapshot = self.snapshots.borrow().clone().with_tiles(&self.tiles.borrow());
        if !is_filled(&snapshot) && !self.stored_before && self.started.elapsed() < LONGEST_FILLING {
            return Ok(());
        }
        let Some(read) = last_read(&snapshot) else { return Ok(()) };
        let shared = self.archive.shared();
        let today = shared.calendar.day(now);
        let file = match &shared.config.place {
            Some(HistoryPlace::Sqlite(path)) if self.session.is_some() => number_of(path).await,
            _ => self.file,
        };
        if file != self.file {
            return Err(StoreFault::Removed);
        }
        if self.session.is_none() {
            let store = self.archive.open().await?;
            if let Some(HistoryPlace::Sqlite(path)) = &shared.config.place {
                self.file = number_of(path).await;
            }
            let stored_at = store.fact(ALIVE).await?;
            let mut session =
                StoringSession::new(store.names().await?, stored_at, store.fact(FINAL_UNTIL).await?);
            session.since = store.fact(SINCE).await?;
            let packing = Packing::new(&store).await?;
            if let Some(past) = &mut self.past {
                past.begin_again();
            }
            self.session = Some((store, session, packing));
        }
        let Some((store, session, packing)) = &mut self.session else { return Ok(()) };
        if session.stored_at.is_some_and(|stored_at| stored_at >= now) {
            // The clock was set back, or another replica stores.
            return Ok(());
        }
        let mut batch = Batch { facts: vec![(ALIVE, now)], ..Batch::default() };
        if now - read > self.stale_after {
            let Some(from) = session.stored_at else { return Ok(()) };
            batch.facts.clear();
            batch.gaps.push(Gap { from, to: now, reason: GapReason::NotRead });
            return store.write(&batch).await;
        }
        if session.stored_at.is_none() {
            // What happened since the day began is known as a sum.
            (session.final_until, session.since) = (Some(quarter(today)), Some(now));
            batch.facts.extend([(SINCE, now), (FINAL_UNTIL, quarter(today))]);
            let from = oldest_day(&shared.calendar, today);
            batch.gaps.push(Gap { from, to: now, reason: GapReason::NotRunning });
        }
        if let Some(from) = session.gap_begins(now) {
            let known = store.gaps(from, now + 1).await?;
            let reason = match known.first() {
                Some(gap) if from == gap.from => gap.reason,
                _ if self.stored_before => GapReason::NotStored,
                _ => GapReason::NotRunning,
            };
            if reason == GapReason::NotStored {
                self.archive.lost((now - from) / STEP - 1);
            }
            batch.gaps.push(Gap { from, to: now, reason });
            session.after_gap();
        }
        session.sample(&snapshot, &shared.workspace, today, now, &mut batch);
        store.write(&batch).await?;
        shared.monitor.history_rows(batch.rows());
        session.stored(now);
        self.stored_before = true;
        for _ in 0..FINISHED_AT_A_TIME {
            let Some(start) = session.final_until.filter(|start| start + QUARTER + SETTLED <= now) else {
                break;
            };
            session.final_until = Some(finish(store, &shared.calendar, &session.names, start).await?);
        }
        if let Some(final_until) = session.final_until {
            packing.step(store, &shared.calendar, final_until).await?;
        }
        if let Some(past) = &mut self.past
            && let Some(since) = session.since
        {
            let until = session.final_until.unwrap_or(since);
            let filled = past.step(store, &shared.calendar, &mut session.names, (since, until, now)).await?;
            if filled {
                // Its days are older than those that are packed.
                packing.begin_again();
            }
        }
        let day = 86_400;
        let (detail, intervals) =
            (i64::from(shared.config.detail_days), i64::from(shared.config.interval_days));
        for _ in 0..PRUNED_AT_A_TIME {
            if session.pruned == Some(quarter(now)) {
                break;
            }
            if !store.prune(now - detail * day, now - intervals * day).await? {
                session.pruned = Some(quarter(now));
            }
        }
        Ok(())
    }
}

/// A file's number on its disk; none where there is no file, or the system has no numbers.
async fn number_of(path: &std::path::Path) -> Option<u64> {
    #[cfg(unix)]
    return tokio::fs::metadata(path).await.ok().map(|file| std::os::unix::fs::MetadataExt::ino(&file));
    #[cfg(not(unix))]
    return None;
}

/// When the newest statistics were read.
fn last_read(snapshot: &Snapshot) -> Option<i64> {
    let queues = snapshot.queues.values().filter_map(|state| state.scopes.first());
    let read = queues.chain([&snapshot.workspace]).filter_map(|stats| stats.realtime.as_of);
    read.max().map(Timestamp::as_second)
}

#[cfg(test)]
#[path = "worker_tests.rs"]
mod tests;
