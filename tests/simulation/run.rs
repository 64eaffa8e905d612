//! One run: the real client, schedule, outbox and all between them over a simulated network, on a paused clock and one
//! thread, from a seed to an end state.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rand::RngExt;
use serde_json::{Value, json};
use taskrouter_sync::config::CoreConfig;
use taskrouter_sync::event::{Event, Invalidation, Trace};
use taskrouter_sync::form::Form;
use taskrouter_sync::refresh::{Refresher, Roster};
use taskrouter_sync::telemetry::metrics::Monitor;
use taskrouter_sync::twilio::{Apis, Client};
use taskrouter_sync::{layout, publish, refresh};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use twilio_emulator::{Emulator, Settings};

use crate::agreement;
use crate::network::Network;
use crate::script::{CALM, Fate, Script};

pub(crate) const CHANNELS: [&str; 1] = ["voice"];
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);
/// The rhythm of the simulated service. Shorter than the default, so that a run is short.
const RHYTHM: &[(&str, &str)] = &[
    ("REALTIME_INTERVAL", "5s"),
    ("CUMULATIVE_INTERVAL", "10s"),
    ("DIRECTORY_INTERVAL", "20s"),
    ("SYNC_AUDIT_INTERVAL", "10s"),
    ("TWILIO_TIMEOUT", "2s"),
];
/// After the last trouble all is right within the longest interval that a lost event waits for, the longest of a failing
/// key's pauses, and what the reads and writes take.
const RIGHT_WITHIN: Duration = Duration::from_secs(10 + 3 + 5);
/// When the end state is taken.
const END: Duration = Duration::from_secs(35);
/// Requests that a run may make: those of the timers over its time, and no storm beside them.
const MOST_REQUESTS: u64 = 4_000;

/// What a run ended in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Report {
    /// How long after the last trouble Sync was right, to stay so.
    pub(crate) right_after: Duration,
    pub(crate) requests: u64,
    /// Of every request and answer with its time.
    pub(crate) trace: u64,
    /// What stood in Sync in the end, but for what tells when it was read.
    pub(crate) end: Value,
}

thread_local! {
    /// When this thread's run began, and what the clock on the wall showed then.
    static BEGAN: Cell<Option<(Instant, Timestamp)>> = const { Cell::new(None) };
}

/// This thread's run begins, and the clock on the wall shows this.
pub(crate) fn set_wall(begin: Instant, shows: Timestamp) {
    BEGAN.set(Some((begin, shows)));
}

/// The clock on the wall of a simulated machine.
pub(crate) fn wall() -> Timestamp {
    let (began, start) = BEGAN.get().expect("a run is under way on this thread");
    start + began.elapsed()
}

/// Runs a script under the fate of a seed; an error says what was not as it must be.
pub(crate) fn run(script: u64, seed: u64) -> Result<Report, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(simulate(&Script::new(script), Fate::new(seed), seed))
}

/// Starts the clocks of a simulated machine.
pub(crate) fn begin(seed: u64, starts_at: Timestamp) -> Instant {
    fastrand::seed(seed);
    let begin = Instant::now();
    set_wall(begin, starts_at);
    begin
}

async fn simulate(script: &Script, mut fate: Fate, seed: u64) -> Result<Report, String> {
    let begin = begin(seed, script.starts_at);
    let settings = Settings {
        queues: 2,
        workers: 4,
        seed: script.number,
        starts_at: Some(script.starts_at),
        ..Settings::default()
    };
    let emulator = Arc::new(Emulator::without_network(&settings).unwrap());
    // Events are queued where there is anywhere to send them.
    emulator.callbacks().set_url("http://service.example/taskrouter/events");
    emulator.set_statistics_lag(fate.lag);
    let panics = std::mem::take(&mut fate.panics);
    let may_burst = fate.killed.is_some() || !panics.is_empty();
    let network = Arc::new(Network::new(emulator.clone(), fate.spells.clone(), PATIENCE, panics, seed));
    let mut service = Service::start(&emulator, &network);

    // Everything that happens, by when; of what happens at once, in this order.
    let mut plan: BTreeMap<(Duration, usize), Happening> = BTreeMap::new();
    let mut add = |at: Duration, happening| {
        let number = plan.len();
        plan.insert((at, number), happening);
    };
    script.steps.iter().for_each(|at| add(*at, Happening::Step));
    for (from, until, fault) in &fate.faults {
        add(*from, Happening::Fault(fault.clone()));
        add(*until, Happening::NoFaults);
    }
    if let Some(at) = fate.killed {
        add(at, Happening::Kill);
        add(at + Duration::from_secs(1), Happening::Start);
    }
    if let Some(at) = fate.vandal {
        add(at, Happening::Vandal);
    }
    add(CALM, Happening::NoFaults);

    let mut arrivals = plan.len();
    while let Some(((at, _), happening)) = plan.pop_first() {
        sleep_until(begin + at).await;
        match happening {
            Happening::Step => drop(emulator.world().step()),
            Happening::Event(body) => service.take_in(&body),
            Happening::Fault(fault) => drop(emulator.faults().add(fault)),
            Happening::NoFaults => emulator.faults().clear(),
            Happening::Kill => service.kill().await,
            Happening::Start => service = Service::start(&emulator, &network),
            Happening::Vandal => {
                emulator.sync().delete_document("dashboard-data");
                let queue = emulator.world().queues()[0].sid.clone();
                emulator.sync().delete_item("queueStats", &queue);
            }
        }
        for params in emulator.callbacks().take() {
            let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
            let copies = if fate.dice.random_bool(fate.lost) {
                0
            } else {
                1 + usize::from(fate.dice.random_bool(fate.doubled))
            };
            for _ in 0..copies {
                let late = fate.dice.random_range(Duration::ZERO..fate.late);
                arrivals += 1;
                plan.insert((at + late, arrivals), Happening::Event(body.clone()));
            }
        }
    }
    sleep_until(begin + CALM).await;
    let right_after = until_right(&emulator).await?;
    sleep_until(begin + END).await;
    agreement::compare(&emulator, &CHANNELS).map_err(|wrong| format!("right, and then not: {wrong}"))?;
    let journal = emulator.journal();
    let (requests, trace) = network.trace();
    for (wrong, is) in [
        ("more than 20 writes in flight", journal.peak_sync_writes() > 20),
        ("requests that Twilio does not document", journal.unknown_requests() > 0),
        ("a rate limit passed", journal.totals().over_rate > 0 && !may_burst),
        ("a storm of requests", requests > MOST_REQUESTS),
    ] {
        if is {
            return Err(format!("{wrong}: {requests} requests, {:?}", journal.totals()));
        }
    }
    service.kill().await;
    Ok(Report { right_after, requests, trace, end: end_state(&emulator) })
}

/// Waits until Sync is right.
pub(crate) async fn until_right(emulator: &Emulator) -> Result<Duration, String> {
    let begin = Instant::now();
    loop {
        let Err(wrong) = agreement::compare(emulator, &CHANNELS) else { return Ok(begin.elapsed()) };
        if begin.elapsed() > RIGHT_WITHIN {
            return Err(format!("not right within {} s: {wrong}", RIGHT_WITHIN.as_secs()));
        }
        sleep(Duration::from_millis(200)).await;
    }
}

enum Happening {
    Step,
    /// An event arrives, as it is posted.
    Event(String),
    Fault(twilio_emulator::Fault),
    NoFaults,
    Kill,
    Start,
    Vandal,
}

/// The service's reading and writing halves, as the program joins them.
pub(crate) struct Service {
    refresher: Refresher,
    roster: Roster,
    tasks: JoinSet<()>,
}

impl Service {
    pub(crate) fn start(emulator: &Emulator, network: &Arc<Network>) -> Self {
        Self::start_with(emulator, network, &[])
    }

    /// With some settings of its own.
    pub(crate) fn start_with(
        emulator: &Emulator,
        network: &Arc<Network>,
        settings: &[(&'static str, &'static str)],
    ) -> Self {
        let config = config(emulator, settings);
        let client = Arc::new(Client::with_transport(&config.twilio, network.clone()));
        let Apis { taskrouter, sync, .. } = Apis::of(&config, client);
        let layouts = layout::all(&config);
        let needs = layout::needs(&layouts);
        let (refresher, reader) = refresh::RefreshWorker::with_wall_clock(
            taskrouter,
            config.refresh,
            config.statistics.clone(),
            needs,
            wall,
        );
        let roster = reader.roster();
        let monitor = Monitor::default();
        let no_tiles = tokio::sync::watch::channel(None).1;
        let snapshots = refresher.snapshots();
        let (_, writer) =
            publish::PublishWorker::new(sync, &config.sync, layouts, snapshots, no_tiles, None, monitor);
        let mut tasks = JoinSet::new();
        tasks.spawn(reader.run(CancellationToken::new()));
        tasks.spawn(writer.run(CancellationToken::new(), Duration::ZERO));
        Self { refresher, roster, tasks }
    }

    /// As the webhook does, once the signature is checked.
    pub(crate) fn take_in(&self, body: &str) {
        let event = Event::from_form(&Form::parse(body.as_bytes()).unwrap());
        self.refresher.mark(&Invalidation { event: Some(Trace::begin(&event)), ..event.touch() });
    }

    /// The age of the oldest realtime and of the oldest cumulative statistics of any scope.
    pub(crate) fn ages(&self, now: Timestamp) -> [Duration; 2] {
        let snapshot = self.refresher.snapshots().borrow().clone();
        let scopes = || snapshot.queues.values().flat_map(|state| &state.scopes).chain([&snapshot.workspace]);
        let age = |as_of: Option<Timestamp>| {
            as_of.map_or(Duration::ZERO, |at| Duration::try_from(now.duration_since(at)).unwrap_or_default())
        };
        let realtime = scopes().map(|scope| age(scope.realtime.as_of)).max();
        let cumulative = scopes().map(|scope| age(scope.cumulative.as_of)).max();
        [realtime, cumulative].map(Option::unwrap_or_default)
    }

    /// How long a caller waits for the list of Tasks.
    pub(crate) async fn list_tasks(&self) -> Duration {
        let begin = Instant::now();
        self.roster.tasks().await.unwrap();
        begin.elapsed()
    }

    /// Drops everything where it stands, as by SIGKILL: requests under way may have been carried out or not.
    pub(crate) async fn kill(&mut self) {
        assert!(self.tasks.try_join_next().is_none(), "a part ended by itself");
        self.tasks.shutdown().await;
    }
}

fn config(emulator: &Emulator, settings: &[(&'static str, &'static str)]) -> CoreConfig {
    let account = emulator.account();
    let base = [
        ("TWILIO_ACCOUNT_SID", account.account_sid.as_str()),
        ("TWILIO_AUTH_TOKEN", &account.auth_token),
        ("TWILIO_WORKSPACE_SID", &account.workspace_sid),
        ("TWILIO_SYNC_SERVICE_SID", &account.sync_service_sid),
        ("STATS_CHANNELS", "voice"),
        ("SYNC_LAYOUTS", "queue-map,dashboard-document"),
    ];
    let variables: HashMap<&str, &str> = base.iter().chain(RHYTHM).chain(settings).copied().collect();
    CoreConfig::read(&|name| variables.get(name).map(|value| (*value).to_owned())).unwrap()
}

/// All of Sync, but for what tells when something was read and what ages by itself.
fn end_state(emulator: &Emulator) -> Value {
    fn timeless(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|name, _| {
                    !["asOf", "readBy", "end_time", "endTime", "oldestTask", "oldestTaskSince"]
                        .contains(&name.as_str())
                        && !name.starts_with("longest_")
                });
                fields.values_mut().for_each(timeless);
            }
            Value::Array(items) => items.iter_mut().for_each(timeless),
            _ => {}
        }
    }
    let sync = emulator.sync();
    let documents: BTreeMap<_, _> =
        sync.documents().into_iter().map(|name| (name.clone(), sync.document(&name))).collect();
    let maps: BTreeMap<_, _> =
        sync.maps().into_iter().map(|name| (name.clone(), sync.map_items(&name))).collect();
    let mut end = json!({ "documents": documents, "maps": maps });
    timeless(&mut end);
    end
}
