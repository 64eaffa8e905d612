//! The history's handle: its store, opened when first used, and how it fares. Cheap to clone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde::Serialize;
use tokio::time::{Instant, timeout};

use super::calendar::{Calendar, timestamp};
use super::store::{HistoryStore, StoreFault, lock};
use crate::config::{CoreConfig, HistoryConfig, HistoryPlace, StatisticsConfig};
use crate::telemetry::metrics::Monitor;

/// A query takes no longer.
const LONGEST_QUERY: Duration = Duration::from_secs(20);
const QUERIES: usize = 2;
/// Between two attempts of queries to open the store.
const OPENED_AGAIN: Duration = Duration::from_secs(5);

#[derive(Debug, Clone)]
pub struct Archive(Arc<ArchiveShared>);

#[derive(Debug)]
pub(super) struct ArchiveShared {
    pub(super) config: HistoryConfig,
    pub(super) statistics: StatisticsConfig,
    pub(super) calendar: Calendar,
    pub(super) workspace: String,
    /// For commands beside a running service: the store is only read.
    reads_only: bool,
    pub(super) monitor: Monitor,
    store: tokio::sync::Mutex<Option<HistoryStore>>,
    /// Held from the first opening on, also while the store is closed after a failure.
    lock: Mutex<Option<std::fs::File>>,
    /// Queries at a time: each may take some tens of megabytes and a core.
    queries: tokio::sync::Semaphore,
    refused: Mutex<Option<(Instant, String)>>,
    problem: Mutex<Option<String>>,
    lost: AtomicU64,
}

/// How the history fares, for `/api/history/state` and `/api/health`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryState {
    /// `ok`, `off` or `degraded`
    pub state: &'static str,
    /// `sqlite` or `postgres`
    pub store: Option<&'static str>,
    /// What is wrong
    pub reason: Option<String>,
    /// When the first row was stored
    pub since: Option<String>,
    pub timezone: String,
    pub detail_days: u16,
    pub interval_days: u16,
    /// Samples that could not be stored since this process started
    pub lost: u64,
}

/// A query could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    #[error("the history is off (HISTORY_URL)")]
    Off,
    #[error("the history can't be read: {0}")]
    Unreadable(String),
    #[error("{0}")]
    Unknown(String),
    #[error("{0}")]
    Parameter(String),
}

impl From<StoreFault> for HistoryError {
    fn from(fault: StoreFault) -> Self {
        Self::Unreadable(fault.to_string())
    }
}

impl Archive {
    pub fn new(core: &CoreConfig, history: &HistoryConfig, monitor: Monitor) -> Self {
        Self::with(core, history, monitor, false)
    }

    /// The same, for a command beside a running service.
    pub fn reading(core: &CoreConfig, history: &HistoryConfig) -> Self {
        Self::with(core, history, Monitor::default(), true)
    }

    fn with(core: &CoreConfig, history: &HistoryConfig, monitor: Monitor, reads_only: bool) -> Self {
        if history.place.is_some() {
            monitor.history_stores(true);
        }
        Self(Arc::new(ArchiveShared {
            config: history.clone(),
            statistics: core.statistics.clone(),
            calendar: Calendar::new(&core.statistics),
            workspace: core.twilio.workspace_sid.to_string(),
            reads_only,
            monitor,
            store: tokio::sync::Mutex::default(),
            lock: Mutex::default(),
            queries: tokio::sync::Semaphore::new(QUERIES),
            refused: Mutex::default(),
            problem: Mutex::default(),
            lost: AtomicU64::new(0),
        }))
    }

    pub(super) fn shared(&self) -> &ArchiveShared {
        &self.0
    }

    pub fn is_on(&self) -> bool {
        self.0.config.place.is_some()
    }

    /// The store, opened if it is not.
    pub(super) async fn open(&self) -> Result<HistoryStore, StoreFault> {
        let Some(place) = &self.0.config.place else {
            return Err(StoreFault::Database("the history is off".to_owned()));
        };
        let mut store = self.0.store.lock().await;
        if let Some(store) = &*store {
            return Ok(store.clone());
        }
        if let HistoryPlace::Sqlite(path) = place
            && !self.0.reads_only
            && self.0.lock.lock().is_none()
        {
            *self.0.lock.lock() = lock(path)?;
        }
        let limit = LONGEST_QUERY;
        let opened = timeout(limit, HistoryStore::open(place, self.0.reads_only))
            .await
            .unwrap_or(Err(StoreFault::TimedOut(limit)))?;
        *store = Some(opened.clone());
        Ok(opened)
    }

    /// Closes the store after a failure; the next use opens it again.
    pub(super) async fn close(&self) {
        let store = self.0.store.lock().await.take();
        if let Some(store) = store {
            // A statement that hangs keeps its connection; it is dropped when it ends.
            let _ = timeout(Duration::from_secs(1), store.close()).await;
        }
    }

    /// The store for a query.
    pub(super) async fn reader(&self) -> Result<HistoryStore, HistoryError> {
        if !self.is_on() {
            return Err(HistoryError::Off);
        }
        if let Some(store) = &*self.0.store.lock().await {
            return Ok(store.clone());
        }
        let refused = self.0.refused.lock().clone();
        if let Some((_, reason)) = refused.filter(|(at, _)| at.elapsed() < OPENED_AGAIN) {
            return Err(HistoryError::Unreadable(reason));
        }
        self.open().await.map_err(|fault| {
            *self.0.refused.lock() = Some((Instant::now(), fault.to_string()));
            fault.into()
        })
    }

    /// Runs a query within its time, in its turn.
    pub(super) async fn within<T>(
        &self,
        query: impl Future<Output = Result<T, HistoryError>>,
    ) -> Result<T, HistoryError> {
        let late = HistoryError::Unreadable(StoreFault::TimedOut(LONGEST_QUERY).to_string());
        let in_turn = async {
            // Never closed.
            let _turn = self.0.queries.acquire().await;
            query.await
        };
        timeout(LONGEST_QUERY, in_turn).await.unwrap_or(Err(late))
    }

    /// What is wrong with the store, as long as something is.
    pub fn problem(&self) -> Option<String> {
        self.0.problem.lock().clone()
    }

    /// Notes what is wrong; returns whether that is new.
    pub(super) fn note_problem(&self, problem: Option<String>) -> bool {
        self.0.monitor.history_stores(problem.is_none());
        let mut known = self.0.problem.lock();
        let is_new = known.is_some() != problem.is_some();
        *known = problem;
        is_new
    }

    pub(super) fn lost(&self, samples: i64) {
        let samples = u64::try_from(samples).unwrap_or(0);
        self.0.lost.fetch_add(samples, Ordering::Relaxed);
        self.0.monitor.history_lost(samples);
    }

    pub async fn state(&self) -> HistoryState {
        let config = &self.0.config;
        let store = config.place.as_ref().map(|place| match place {
            HistoryPlace::Sqlite(_) => "sqlite",
            HistoryPlace::Postgres(_) => "postgres",
        });
        let since = async { Ok(self.reader().await?.fact(super::worker::SINCE).await?) };
        // Out of turn: the page asks for it before all else.
        let late = || Err(HistoryError::Unreadable(StoreFault::TimedOut(LONGEST_QUERY).to_string()));
        let (since, unreadable) = match timeout(LONGEST_QUERY, since).await.unwrap_or_else(|_| late()) {
            Ok(since) => (since, None),
            Err(HistoryError::Off) => (None, None),
            Err(error) => (None, Some(error.to_string())),
        };
        let reason = self.problem().or(unreadable);
        HistoryState {
            state: match (store, &reason) {
                (None, _) => "off",
                (_, None) => "ok",
                (_, Some(_)) => "degraded",
            },
            store,
            reason,
            since: since.map(|since| timestamp(since).to_string()),
            timezone: self.0.calendar.zone_name(),
            detail_days: config.detail_days,
            interval_days: config.interval_days,
            lost: self.0.lost.load(Ordering::Relaxed),
        }
    }
}
