//! The testbed of every scenario: an emulator with latency, and the service beside it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use taskrouter_sync::config::CoreConfig;
use taskrouter_sync::layout::{Changes, Target};
use taskrouter_sync::telemetry::metrics::Monitor;
use taskrouter_sync::twilio::Apis;
use taskrouter_sync::{layout, refresh};
use tokio_util::sync::CancellationToken;
use twilio_emulator::{Answers, Api, Emulator, Entry, Settings};

use crate::agreement;
use crate::limits::{self, Observed};
use crate::relay::Relay;
use crate::service::{Service, Usage};
use crate::variables::{ADMIN, base_variables};

/// How long the emulated TaskRouter takes for each request.
pub(crate) const TASKROUTER_LATENCY: Duration = Duration::from_millis(50);
/// The same for the emulated Sync.
pub(crate) const SYNC_LATENCY: Duration = Duration::from_millis(30);
/// The TaskChannels with statistics of their own: the service's default.
pub(crate) const CHANNELS: [&str; 3] = ["voice", "chat", "video"];
/// The Map of layout `queue-map`.
pub(crate) const MAP: &str = "queueStats";
/// Where events are posted.
pub(crate) const EVENTS: &str = "/taskrouter/events";
/// The time limit of a testbed's start; a thousand items take 80 s to write.
const DEADLINE: Duration = Duration::from_secs(150);

/// How long and how often is measured.
#[derive(Debug, Clone)]
pub(crate) struct Effort {
    /// Fewer repetitions.
    pub(crate) quick: bool,
    /// Where the services' debug logs go, if they are wanted.
    pub(crate) logs: Option<PathBuf>,
    /// The service's program.
    pub(crate) program: PathBuf,
}

/// An emulator before the service starts: the place to prepare its centre.
#[derive(Debug)]
pub(crate) struct Stage {
    name: String,
    pub(crate) emulator: Emulator,
}

/// How the service is started.
#[derive(Debug, Default)]
pub(crate) struct Opening<'a> {
    /// Variables beside those that point the service at the emulator.
    pub(crate) variables: &'a [(&'a str, &'a str)],
    /// TaskRouter's variations of answers from the start.
    pub(crate) answers: Answers,
    /// Whether callbacks go through a relay that takes their time.
    pub(crate) relayed: bool,
    /// Whether Sync is left empty for the service to fill.
    pub(crate) empty: bool,
}

/// A running emulator and service.
#[derive(Debug)]
pub(crate) struct Testbed {
    pub(crate) name: String,
    pub(crate) emulator: Emulator,
    pub(crate) service: Service,
    pub(crate) relay: Option<Relay>,
    url: String,
    http: reqwest::Client,
    variables: HashMap<String, String>,
    effort: Effort,
}

/// Requests and resources within a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) span: Duration,
    pub(crate) events: u64,
    pub(crate) taskrouter: usize,
    pub(crate) sync: usize,
    pub(crate) cpu: Duration,
}

impl Effort {
    pub(crate) fn of<T>(&self, quick: T, full: T) -> T {
        if self.quick { quick } else { full }
    }

    fn log(&self, name: &str) -> Stdio {
        let Some(directory) = &self.logs else { return Stdio::null() };
        std::fs::create_dir_all(directory).unwrap();
        std::fs::File::create(directory.join(format!("{name}.log"))).unwrap().into()
    }
}

impl Stage {
    pub(crate) async fn found(name: &str, settings: Settings) -> Self {
        Self { name: name.to_owned(), emulator: Emulator::start(settings).await.unwrap() }
    }

    /// Starts the service. What it would write into an empty Sync stands there already, unless it is to be empty, because
    /// the first fill of a thousand items takes more than a minute within Sync's limits.
    pub(crate) async fn open(self, effort: &Effort, opening: Opening<'_>) -> Testbed {
        let Self { name, emulator } = self;
        let port = free_port();
        let address = format!("http://127.0.0.1:{port}");
        let relay = if opening.relayed { Some(Relay::start(address.clone()).await) } else { None };
        let url = relay.as_ref().map_or(address.clone(), |relay| relay.url.clone());
        let channels = CHANNELS.join(",");
        let mut variables = base_variables(&emulator, &[("STATS_CHANNELS", &channels)]);
        let reached = [("BIND_ADDRESS", "127.0.0.1"), ("PORT", &port.to_string()), ("PUBLIC_URL", &url)];
        let level = [("RUST_LOG", if effort.logs.is_some() { "debug" } else { "info" })];
        let more = reached.iter().chain(&level).chain(opening.variables);
        variables.extend(more.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));

        if !opening.empty {
            fill(&emulator, &variables).await;
        }
        emulator.set_answers(opening.answers);
        emulator.set_latency(Api::TaskRouter, TASKROUTER_LATENCY);
        emulator.set_latency(Api::Sync, SYNC_LATENCY);
        emulator.callbacks().set_url(&format!("{url}{EVENTS}"));
        let service = Service::start(&effort.program, &variables, effort.log(&name));
        let log = effort.clone();
        Testbed {
            variables,
            effort: log,
            name,
            emulator,
            service,
            relay,
            url: address,
            http: reqwest::Client::new(),
        }
    }
}

impl Testbed {
    /// Where the service itself is reached.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Stops the service, awaits `between`, and starts it again at the same address.
    pub(crate) async fn restart(mut self, between: impl Future<Output = ()>) -> Self {
        self.service.stop().await;
        between.await;
        let log = self.effort.log(&format!("{}-restarted", self.name));
        self.service = Service::start(&self.effort.program, &self.variables, log);
        self
    }

    /// The same service once more, at another port.
    pub(crate) fn another(&self, port: u16, name: &str) -> Service {
        let mut variables = self.variables.clone();
        variables.insert("PORT".to_owned(), port.to_string());
        Service::start(&self.effort.program, &variables, self.effort.log(name))
    }

    /// Kills the service, and leaves the rest as it is.
    pub(crate) async fn kill(self) -> (String, Emulator) {
        self.service.kill().await;
        (self.name, self.emulator)
    }

    /// Waits until the service says that it is ready.
    pub(crate) async fn ready(&self) {
        let ready = || async {
            let answer = self.http.get(format!("{}/readyz", self.url)).send().await;
            answer.is_ok_and(|answer| answer.status() == 200)
        };
        let waiting = async {
            while !ready().await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(DEADLINE, waiting).await.expect("the service did not become ready");
    }

    /// Waits until Sync is right; returns how long that took.
    pub(crate) async fn agrees(&self) -> Duration {
        let begin = Instant::now();
        let mut last = String::new();
        let waiting = async {
            let mut changed = self.emulator.sync().changed();
            while let Err(difference) = agreement::compare(&self.emulator, &CHANNELS) {
                last = difference;
                let _ = tokio::time::timeout(Duration::from_millis(50), changed.changed()).await;
            }
        };
        if tokio::time::timeout(DEADLINE, waiting).await.is_err() {
            panic!("{}: Sync never told the truth: {last}", self.name);
        }
        begin.elapsed()
    }

    /// Makes the service read everything again and waits until that is written.
    pub(crate) async fn refresh_all(&self) {
        let url = format!("{}{EVENTS}?checkMap=true", self.url);
        let answer = self.http.get(url).basic_auth(ADMIN.0, Some(ADMIN.1)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }

    /// The requests that came in since then, those of the bare round trips to Sync aside.
    pub(crate) fn requests_since(&self, since: Instant) -> Vec<Entry> {
        let entries = self.emulator.journal().entries().into_iter();
        entries.filter(|entry| entry.at >= since && !limits::is_bare(entry)).collect()
    }

    /// Measures requests and resources while a future runs.
    pub(crate) async fn watch(&self, during: impl Future<Output = ()>) -> Window {
        let events = self.emulator.callbacks().delivered();
        let (begin, events_before, usage) = (Instant::now(), *events.borrow(), self.service.usage());
        during.await;
        let requests = self.requests_since(begin);
        let count = |api| requests.iter().filter(|entry| entry.api == api).count();
        Window {
            span: begin.elapsed(),
            events: *events.borrow() - events_before,
            taskrouter: count(Api::TaskRouter),
            sync: count(Api::Sync),
            cpu: self.service.usage().cpu - usage.cpu,
        }
    }

    pub(crate) fn usage(&self) -> Usage {
        self.service.usage()
    }

    /// Lets events happen at this rate.
    pub(crate) async fn live(&self, events_a_second: f64, span: Duration) {
        let (world, callbacks) = (self.emulator.world(), self.emulator.callbacks());
        let (begin, before) = (Instant::now(), *callbacks.delivered().borrow());
        while begin.elapsed() < span {
            let made = || (*callbacks.delivered().borrow() - before) as f64;
            while made() < begin.elapsed().as_secs_f64() * events_a_second {
                world.step();
                callbacks.wait_idle().await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends both and reports how the limits were kept.
    pub(crate) async fn stop(self) -> Observed {
        self.service.stop().await;
        let observed = Observed::of(self.name, &self.emulator.journal().entries());
        self.emulator.shutdown().await;
        observed
    }
}

impl Window {
    pub(crate) fn a_minute(&self, count: usize) -> f64 {
        count as f64 * 60.0 / self.span.as_secs_f64()
    }

    /// Milliseconds of processor time for each second.
    pub(crate) fn cpu_ms_a_second(&self) -> f64 {
        self.cpu.as_secs_f64() * 1000.0 / self.span.as_secs_f64()
    }
}

/// Reads everything with the service's own reading half, and puts what its layouts show into Sync past all limits.
async fn fill(emulator: &Emulator, variables: &HashMap<String, String>) {
    let config = CoreConfig::read(&|name| variables.get(name).cloned()).unwrap();
    let taskrouter = Apis::new(&config, Monitor::default()).unwrap().taskrouter;
    let layouts = layout::all(&config);
    let needs = layout::needs(&layouts);
    let (refresher, reader) = refresh::RefreshWorker::new(
        taskrouter,
        config.refresh,
        config.statistics.clone(),
        needs,
        Monitor::default(),
    );
    let stop = CancellationToken::new();
    let reading = tokio::spawn(reader.run(stop.clone()));
    // The first answer may come before the TaskQueues are known.
    refresher.refresh_all().await.unwrap();
    let snapshot = refresher.refresh_all().await.unwrap();
    stop.cancel();
    reading.await.unwrap();
    let sync = emulator.sync();
    let mut put = |target: Target, value| match target {
        Target::MapItem(map, key) => drop(sync.put_item(&map, &key, value)),
        Target::Document(name) => drop(sync.put_document(&name, value)),
    };
    for layout in &layouts {
        layout.changes(None, &snapshot, &mut Changes::new(&mut put, &mut |_| {}));
    }
    emulator.journal().clear();
}

pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
