//! Counts what the service does, for its operator: `GET /metrics`, explained in `docs/operations.md`.
//!
//! Every part counts with a [`Monitor`], which only `/metrics` reads. Counting an event is one atomic addition at a known
//! place, since tens of thousands may arrive in a second. What happens at most a few hundred times a second goes through a
//! table of labels behind a lock. Labels come from known lists only, so no caller can make the table grow.
//!
//! `prometheus-client` does the encoding: it is kept by the Prometheus project, has no global state, which lets each test
//! count for itself, and hardly any dependencies.

mod backlog;
mod event_types;
mod log;
mod panics;
mod process;
mod request_label;

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use tokio::time::Instant;

pub use event_types::{EventOutcome, event_type_label};
pub use panics::count_panics;
pub use request_label::request_label;

use backlog::UnwrittenAge;
use event_types::EventCounts;
use log::LogLines;
use panics::Panics;
use process::Process;

const PREFIX: &str = "taskrouter_sync";
/// From an event to the write that shows it: most take less than half a second, an outage minutes.
const FRESHNESS_BUCKETS: [f64; 14] =
    [0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 120.0];
/// One REST request; the longest is `TWILIO_TIMEOUT`.
const REQUEST_BUCKETS: [f64; 9] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

type FloatGauge = Gauge<f64, AtomicU64>;

/// The service's counters. Cheap to clone; all clones count together.
#[derive(Clone)]
pub struct Monitor(Arc<Counters>);

struct Counters {
    registry: Registry,
    events: Arc<EventCounts>,
    refreshes: Family<RefreshLabels, Counter>,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Family<ApiLabel, Histogram>,
    headroom: Family<LimitLabel, FloatGauge>,
    writes: Family<WriteLabels, Counter>,
    freshness: Histogram,
    refusals: Family<CodeLabel, Counter>,
    clients: Family<ClientLabel, Gauge>,
    ready: Gauge,
    leads: Gauge,
    differing_settings: Gauge,
    /// Has a value only where there is a Redis.
    redis_answers: OnceLock<Gauge>,
    stale: OnceLock<Family<ReasonLabel, Gauge>>,
    /// Have values only where history is stored.
    history: OnceLock<HistoryCounts>,
    backlog: Arc<UnwrittenAge>,
}

#[derive(Default)]
struct HistoryCounts {
    stores: Gauge,
    rows: Counter,
    lost: Counter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadOutcome {
    Ok,
    Failed,
    /// The account does not offer this endpoint; another way is taken.
    Refused,
}

/// One of Twilio's limits, whose remaining share is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    TaskRouterAllowance,
    /// The account's concurrent requests, up to the number from which this service leaves room for other clients.
    AccountConcurrency,
    /// The writes a second to the Sync object that has least left.
    SyncObject,
    /// The writes under way, of the 20 that Sync takes.
    SyncInFlight,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientKind {
    Websocket,
    /// A client of the feed, by websocket or server-sent events.
    Watcher,
}

impl ReadOutcome {
    /// The label of this outcome.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Refused => "refused",
        }
    }
}

impl Limit {
    fn name(self) -> &'static str {
        match self {
            Self::TaskRouterAllowance => "taskrouter_allowance",
            Self::AccountConcurrency => "account_concurrency",
            Self::SyncObject => "sync_object",
            Self::SyncInFlight => "sync_in_flight",
        }
    }
}

impl ClientKind {
    fn name(self) -> &'static str {
        match self {
            Self::Websocket => "websocket",
            Self::Watcher => "watcher",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefreshLabels {
    what: &'static str,
    cause: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    api: &'static str,
    endpoint: String,
    status: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ApiLabel {
    api: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitLabel {
    limit: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WriteLabels {
    object: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabel {
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

/// Why one of several replicas may show stale statistics.
const STALE_REASONS: [&str; 2] = ["redis", "no_leader"];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClientLabel {
    kind: &'static str,
}

impl Default for Monitor {
    fn default() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program", version);
        let events = Arc::new(EventCounts::default());
        registry.register_collector(Box::new(events.clone()));
        let backlog = Arc::new(UnwrittenAge::default());
        registry.register_collector(Box::new(backlog.clone()));
        registry.register_collector(Box::new(Panics));
        registry.register_collector(Box::new(LogLines));
        let refreshes = Family::default();
        let help = "Reads of TaskRouter by what was read, why, and how that ended";
        registry.register("refreshes", help, refreshes.clone());
        let requests = Family::default();
        let help = "Requests to Twilio by API, endpoint and status, which is timeout, connection or answer without one";
        registry.register("api_requests", help, requests.clone());
        let request_seconds: Family<ApiLabel, Histogram> =
            Family::new_with_constructor(|| Histogram::new(REQUEST_BUCKETS));
        let help = "How long Twilio took to begin its answer";
        registry.register_with_unit("api_request_duration", help, Unit::Seconds, request_seconds.clone());
        let headroom = Family::default();
        let help = "The share of a limit that is left, from 0 to 1";
        registry.register_with_unit("rate_limit_headroom", help, Unit::Ratios, headroom.clone());
        let writes = Family::default();
        registry.register(
            "sync_writes",
            "Writes to Sync by kind of object and how they ended",
            writes.clone(),
        );
        let freshness = Histogram::new(FRESHNESS_BUCKETS);
        let help = "From the arrival of an event to the end of the Sync write that shows it";
        registry.register_with_unit("freshness", help, Unit::Seconds, freshness.clone());
        let refusals = Family::default();
        registry.register("refused_requests", "Requests refused by code, see openapi.json", refusals.clone());
        let clients = Family::default();
        registry.register("clients", "Who is connected", clients.clone());
        let ready = Gauge::default();
        registry.register(
            "ready",
            "1 once a first snapshot has been read, and has been written or is being written for 5 s",
            ready.clone(),
        );
        let leads = Gauge::default();
        let help = "1 where this process reads and writes; one of several replicas does";
        registry.register("leads", help, leads.clone());
        let differing_settings = Gauge::default();
        let help = "1 where this replica's configuration differs from the leader's";
        registry.register("differing_settings", help, differing_settings.clone());
        Self(Arc::new(Counters {
            registry,
            events,
            refreshes,
            requests,
            request_seconds,
            headroom,
            writes,
            freshness,
            refusals,
            clients,
            ready,
            leads,
            differing_settings,
            redis_answers: OnceLock::new(),
            stale: OnceLock::new(),
            history: OnceLock::new(),
            backlog,
        }))
    }
}

impl Monitor {
    /// Counts an event; only a verified one's type is used as a label.
    pub fn event(&self, event_type: Option<&str>, outcome: EventOutcome) {
        self.0.events.count(event_type, outcome);
    }

    pub fn refreshed(&self, what: &'static str, cause: &'static str, outcome: ReadOutcome) {
        self.0.refreshes.get_or_create(&RefreshLabels { what, cause, outcome: outcome.name() }).inc();
    }

    /// Counts a request to Twilio that was answered, or failed. `endpoint` has no SIDs and names; `took` is the time until
    /// the answer, if there was one.
    pub fn requested(&self, api: &'static str, endpoint: String, status: String, took: Option<Duration>) {
        self.0.requests.get_or_create(&RequestLabels { api, endpoint, status }).inc();
        if let Some(took) = took {
            self.0.request_seconds.get_or_create(&ApiLabel { api }).observe(took.as_secs_f64());
        }
    }

    /// Sets the remaining share of a limit, from 0 to 1.
    pub fn headroom(&self, limit: Limit, share: f64) {
        self.0.headroom.get_or_create(&LimitLabel { limit: limit.name() }).set(share);
    }

    pub fn wrote(&self, object: &'static str, outcome: &'static str) {
        self.0.writes.get_or_create(&WriteLabels { object, outcome }).inc();
    }

    /// Records how long after an event's arrival a write showed it.
    pub fn shown_after(&self, age: Duration) {
        self.0.freshness.observe(age.as_secs_f64());
    }

    /// How far behind the writes are: under way, waiting keys, since when the oldest change waits.
    pub fn backlog(&self, in_flight: usize, waiting: usize, oldest: [(&'static str, Option<Instant>); 3]) {
        self.0.backlog.set(in_flight, waiting, oldest);
    }

    pub fn refused(&self, code: &'static str) {
        self.0.refusals.get_or_create(&CodeLabel { code }).inc();
    }

    pub fn clients(&self, kind: ClientKind, count: usize) {
        self.0
            .clients
            .get_or_create(&ClientLabel { kind: kind.name() })
            .set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Whether a first snapshot has been read, and has been written or is being written for 5 s.
    pub fn ready(&self, ready: bool) {
        self.0.ready.set(ready.into());
    }

    pub fn leads(&self, leads: bool) {
        self.0.leads.set(leads.into());
    }

    pub fn differing_settings(&self, differ: bool) {
        self.0.differing_settings.set(differ.into());
    }

    /// Whether the Redis that replicas share answers.
    pub fn redis_answers(&self, answers: bool) {
        self.0.redis_answers.get_or_init(Gauge::default).set(answers.into());
    }

    /// Whether history can be stored.
    pub fn history_stores(&self, stores: bool) {
        self.0.history.get_or_init(HistoryCounts::default).stores.set(stores.into());
    }

    pub fn history_rows(&self, rows: usize) {
        self.0.history.get_or_init(HistoryCounts::default).rows.inc_by(rows as u64);
    }

    /// Counts samples that could not be stored.
    pub fn history_lost(&self, samples: u64) {
        self.0.history.get_or_init(HistoryCounts::default).lost.inc_by(samples);
    }

    /// Whether this replica shows stale statistics, and why.
    pub fn stale(&self, reason: Option<&'static str>) {
        let stale = self.0.stale.get_or_init(Family::default);
        for known in STALE_REASONS {
            stale.get_or_create(&ReasonLabel { reason: known }).set((reason == Some(known)).into());
        }
    }

    /// All metrics, and those of `more`, as OpenMetrics text.
    pub fn encode(&self, more: &Registry) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode_registry(&mut text, &self.0.registry)?;
        if let Some(answers) = self.0.redis_answers.get() {
            let mut redis = Registry::with_prefix(PREFIX);
            let help = "1 where Redis did what this replica asked of it last, 0 where it did not or can't be reached";
            redis.register("redis_answers", help, answers.clone());
            if let Some(stale) = self.0.stale.get() {
                let help = "1 where this replica shows the last known statistics, marked as stale: Redis fails (redis), or no replica leads (no_leader)";
                redis.register("shows_stale", help, stale.clone());
            }
            encode_registry(&mut text, &redis)?;
        }
        if let Some(HistoryCounts { stores, rows, lost }) = self.0.history.get() {
            let mut history = Registry::with_prefix(PREFIX);
            let help = "1 where history is stored, 0 where its store fails";
            history.register("history_stores", help, stores.clone());
            history.register("history_rows", "Rows of history that were written", rows.clone());
            let help = "Samples that could not be stored and are shown as a gap";
            history.register("history_lost_samples", help, lost.clone());
            encode_registry(&mut text, &history)?;
        }
        // These keep the names that every exporter uses, without our prefix.
        let mut process = Registry::default();
        process.register_collector(Box::new(Process));
        encode_registry(&mut text, &process)?;
        encode_registry(&mut text, more)?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor").finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
