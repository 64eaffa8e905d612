//! The test bed: an emulator, the service beside it, and checks that Sync holds the truth.

#[path = "../../shared/agreement.rs"]
#[allow(dead_code, reason = "the benchmarks use more of it")]
pub(crate) mod agreement;
mod binary;
pub(crate) mod browser;
mod copying;
mod https;
pub(crate) mod postgres;
pub(crate) mod socket;
#[path = "../../shared/variables.rs"]
mod variables;
pub(crate) mod watcher;

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use taskrouter_sync::app::App;
use taskrouter_sync::config::Config;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use twilio_emulator::{Emulator, Settings};

pub(crate) use agreement::start_of_utc_day;
pub(crate) use binary::{Binary, command};
pub(crate) use copying::assert_copyable;
pub(crate) use https::HttpsFront;
use variables::base_variables;
pub(crate) use variables::{ADMIN, BEARER};

/// Far beyond what anything takes: a test that gets here has failed.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);

/// The TaskChannels in `base_variables`.
pub(crate) const CHANNELS: [&str; 2] = ["voice", "chat"];
/// Timers that never fire within a test, so that what shows is the events' doing.
pub(crate) const NO_TIMERS: &[(&str, &str)] = &[
    ("REALTIME_INTERVAL", "1h"),
    ("CUMULATIVE_INTERVAL", "1h"),
    ("DIRECTORY_INTERVAL", "1h"),
    ("DEFINITIONS_INTERVAL", "1h"),
];
/// Timers that make a test short.
pub(crate) const QUICK_TIMERS: &[(&str, &str)] = &[
    ("REALTIME_INTERVAL", "300ms"),
    ("CUMULATIVE_INTERVAL", "500ms"),
    ("DIRECTORY_INTERVAL", "500ms"),
    ("DEFINITIONS_INTERVAL", "300ms"),
];

/// Below which path of its host the service is reached.
pub(crate) const PUBLIC_PATH: &str = "PUBLIC_PATH";

/// An emulator and the service.
pub(crate) struct Bed {
    pub(crate) emulator: Emulator,
    pub(crate) http: reqwest::Client,
    variables: HashMap<String, String>,
    /// What the service runs as its formula process.
    pub(crate) formula_program: PathBuf,
    service: Option<Service>,
}

struct Service {
    url: String,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<(), String>>,
}

impl Bed {
    /// A small quiet centre, the service started with these variables, and its callbacks coming in.
    pub(crate) async fn start(variables: &[(&str, &str)]) -> Self {
        Self::with(Settings { queues: 4, workers: 6, ..Settings::default() }, variables).await
    }

    pub(crate) async fn with(settings: Settings, variables: &[(&str, &str)]) -> Self {
        let mut bed = Self::without_service(settings, variables).await;
        bed.start_service().await;
        bed.ready().await;
        bed
    }

    pub(crate) async fn without_service(settings: Settings, variables: &[(&str, &str)]) -> Self {
        let emulator = Emulator::start(settings).await.unwrap();
        let variables = base_variables(&emulator, variables);
        // The service runs in the test's own process, whose program knows no such verb.
        let formula_program = env!("CARGO_BIN_EXE_taskrouter-sync").into();
        Self { emulator, http: reqwest::Client::new(), variables, formula_program, service: None }
    }

    /// Sets variables of a service that is not started yet.
    pub(crate) fn set<'v>(&mut self, variables: impl Iterator<Item = (&'v str, &'v str)>) {
        self.variables.extend(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    pub(crate) async fn start_service(&mut self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        // Not a variable of the service's: the path that a proxy in front would leave on.
        let path = self.variables.get(PUBLIC_PATH).cloned().unwrap_or_default();
        self.variables.insert("PUBLIC_URL".to_owned(), format!("{url}{path}"));
        let mut config = Config::read(&|name| self.variables.get(name).cloned()).unwrap();
        config.core.formula_program.clone_from(&self.formula_program);
        let app = App::start(&config, listener).unwrap();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(async move {
            let until = async { drop(stopped.await) };
            app.run_until(until).await.map_err(|error| error.to_string())
        });
        self.emulator.callbacks().set_url(&format!("{url}{path}/taskrouter/events"));
        self.service = Some(Service { url, stop, running });
    }

    /// The variables that the service was started with.
    pub(crate) fn variables(&self) -> &HashMap<String, String> {
        &self.variables
    }

    /// The service's own URL.
    pub(crate) fn url(&self) -> &str {
        &self.service.as_ref().unwrap().url
    }

    pub(crate) async fn ready(&self) {
        let ready = || async {
            let answer = self.http.get(format!("{}/readyz", self.url())).send().await;
            answer.is_ok_and(|answer| answer.status() == 200)
        };
        let waiting = async {
            let mut changed = self.emulator.journal().changed();
            while !ready().await {
                // Ready follows a write; the write's answer may take a moment to reach the service.
                let _ = tokio::time::timeout(Duration::from_millis(50), changed.changed()).await;
            }
        };
        tokio::time::timeout(DEADLINE, waiting).await.expect("the service did not become ready");
    }

    /// Stops the service in good order, as by SIGTERM.
    pub(crate) async fn stop_service(&mut self) {
        let Service { stop, running, .. } = self.service.take().unwrap();
        let _ = stop.send(());
        let ended = tokio::time::timeout(DEADLINE, running).await.expect("the service did not stop");
        assert_eq!(ended.unwrap(), Ok(()));
    }

    /// Ends the service without letting it finish anything, as by a power cut: its tasks are dropped where they stand.
    pub(crate) async fn kill_service(&mut self) {
        let Service { running, .. } = self.service.take().unwrap();
        running.abort();
        let _ = running.await;
    }

    /// Waits until Sync tells the truth; on failure says where it does not.
    pub(crate) async fn agrees(&self) {
        let mut last = String::new();
        let waiting = async {
            let mut changed = self.emulator.sync().changed();
            while let Err(difference) = self.compare() {
                last = difference;
                let _ = tokio::time::timeout(Duration::from_millis(50), changed.changed()).await;
            }
        };
        if tokio::time::timeout(DEADLINE, waiting).await.is_err() {
            panic!("Sync never told the truth: {last}");
        }
    }

    /// Whether Sync tells the truth now.
    pub(crate) fn compare(&self) -> Result<(), String> {
        agreement::compare(&self.emulator, &CHANNELS)?;
        let with_metrics =
            self.variables.get("SYNC_LAYOUTS").is_none_or(|layouts| layouts.contains("dashboard-metrics"));
        if with_metrics && self.emulator.sync().document("dashboard-metrics").is_none() {
            return Err("there is no Document dashboard-metrics".to_owned());
        }
        Ok(())
    }

    /// Asks the service for the bootstrap.
    pub(crate) async fn check_map(&self) -> Vec<Value> {
        let url = format!("{}/taskrouter/events?checkMap=true", self.url());
        let answer = self.http.get(url).basic_auth(ADMIN.0, Some(ADMIN.1)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.json().await.unwrap()
    }

    /// Waits until a condition holds; looked at after every request that the emulator answers, and now and then.
    pub(crate) async fn until(&self, what: &str, mut condition: impl FnMut() -> bool) {
        let mut changed = self.emulator.journal().changed();
        let waiting = async {
            while !condition() {
                let _ = tokio::time::timeout(Duration::from_millis(20), changed.changed()).await;
            }
        };
        tokio::time::timeout(DEADLINE, waiting).await.unwrap_or_else(|_| panic!("never came true: {what}"));
    }

    /// Ends the test: the service stops in good order, and no promise was broken on the way.
    pub(crate) async fn finish(mut self) {
        if self.service.is_some() {
            self.stop_service().await;
        }
        self.no_limit_was_passed();
        self.emulator.shutdown().await;
    }

    /// The promises that hold whatever happens.
    pub(crate) fn no_limit_was_passed(&self) {
        let journal = self.emulator.journal();
        assert!(journal.peak_sync_writes() <= 20, "{} writes in flight", journal.peak_sync_writes());
        assert_eq!(journal.unknown_requests(), 0, "a request that Twilio does not document");
        assert_eq!(journal.totals().over_rate, 0, "a rate limit of Twilio's was passed");
        assert_eq!(journal.totals().unauthorized, 0);
    }
}
