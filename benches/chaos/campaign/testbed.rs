//! What every fault strikes: the real program as a process of its own, an emulated Twilio, the wire between them, and
//! the question whether all is well.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::process::{Child, Command};
use twilio_emulator::{Emulator, Settings};

use super::process::{Holdings, children, holdings};
use super::shim::Shim;
use super::wire::Wire;
use super::{agreement, variables::base_variables};

/// The time limit of every wait, far beyond what any takes.
const DEADLINE: Duration = Duration::from_secs(60);
/// The TaskChannels in `base_variables`.
const CHANNELS: [&str; 2] = ["voice", "chat"];
pub(crate) const EVENTS: &str = "/taskrouter/events";
/// Twilio: about 20 concurrent Sync updates.
const MOST_WRITES: usize = 20;
/// Files beyond those at the start that may be open when all is quiet again: idle connections are kept for a while.
const MOST_FILES_MORE: usize = 80;
/// Resident memory at its peak, for a centre of a few queues: a leak would pass it, whatever the allocator keeps.
const MOST_MEMORY_KIB: u64 = 160 * 1024;

/// How a testbed is made.
#[derive(Debug, Default)]
pub(crate) struct Making<'a> {
    pub(crate) settings: Settings,
    /// Beside what points the service at the emulator.
    pub(crate) variables: &'a [(&'a str, &'a str)],
    /// What a shell does before it becomes the service, such as `ulimit -Hn 64`.
    pub(crate) limits: &'a str,
    /// Load the library that moves the clock and lets DNS fail.
    pub(crate) shim: bool,
}

/// The running emulator, wire and service.
pub(crate) struct Testbed {
    pub(crate) emulator: Emulator,
    pub(crate) wire: Wire,
    pub(crate) shim: Option<Shim>,
    pub(crate) http: reqwest::Client,
    service: Child,
    variables: HashMap<String, String>,
    limits: String,
    directory: TempDir,
    starts: usize,
    at_start: Holdings,
    peak_kib: u64,
    problems: Vec<String>,
}

impl Testbed {
    /// Founds the centre, starts the service and waits until it is ready.
    pub(crate) async fn open(seed: u64, making: Making<'_>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let emulator = Emulator::start(Settings { seed, ..making.settings }).await.unwrap();
        let wire = Wire::start(emulator.address(), seed).await;
        let shim = if making.shim { Shim::build(directory.path()) } else { None };
        let port = free_port();
        let url = format!("http://127.0.0.1:{port}");
        let mut variables = base_variables(&emulator, making.variables);
        // By name, so that it is looked up.
        let twilio =
            format!("http://{}:{}", if shim.is_some() { "localhost" } else { "127.0.0.1" }, wire.port());
        for name in ["TWILIO_TASKROUTER_URL", "TWILIO_SYNC_URL", "TWILIO_API_URL", "TWILIO_IAM_URL"] {
            variables.insert(name.to_owned(), twilio.clone());
        }
        for (name, value) in
            [("BIND_ADDRESS", "127.0.0.1"), ("PORT", &port.to_string()), ("PUBLIC_URL", &url)]
        {
            variables.insert(name.to_owned(), value.to_owned());
        }
        variables.extend(shim.iter().flat_map(Shim::variables));
        // As `setup` tells Twilio: an event whose connection breaks is sent again.
        emulator.callbacks().set_url(&format!("{url}{EVENTS}#rc=5&rp=5xx,ct,rt"));
        let limits = making.limits.to_owned();
        let service = start(&variables, &limits, &log_of(&directory, 1), &directory);
        let mut testbed = Self {
            emulator,
            wire,
            shim,
            http: reqwest::Client::new(),
            service,
            variables,
            limits,
            directory,
            starts: 1,
            at_start: Holdings::default(),
            peak_kib: 0,
            problems: Vec::new(),
        };
        testbed.ready().await;
        if let Err(wrong) = testbed.agrees().await {
            testbed.problems.push(format!("before anything was wrong: {wrong}"));
        }
        testbed.at_start = holdings(testbed.pid()).unwrap_or_default();
        testbed
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.variables["PORT"])
    }

    fn pid(&self) -> u32 {
        self.service.id().unwrap_or_default()
    }

    pub(crate) fn holdings(&self) -> Option<Holdings> {
        holdings(self.pid())
    }

    pub(crate) fn problem(&mut self, what: impl Into<String>) {
        self.problems.push(what.into());
    }

    async fn ready(&mut self) {
        let waiting = async {
            loop {
                let answer = self.http.get(format!("{}/readyz", self.url())).send().await;
                if answer.is_ok_and(|answer| answer.status() == 200) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(DEADLINE, waiting).await.is_err() {
            self.problems.push("it never became ready".to_owned());
        }
    }

    /// Waits until Sync tells the truth, and says how long that took, and what was wrong to the last.
    pub(crate) async fn agrees(&self) -> Result<(Duration, String), String> {
        let begin = Instant::now();
        let mut changed = self.emulator.sync().changed();
        let mut last = String::new();
        loop {
            let Err(wrong) = agreement::compare(&self.emulator, &CHANNELS) else {
                return Ok((begin.elapsed(), last));
            };
            last.clone_from(&wrong);
            if begin.elapsed() > DEADLINE {
                return Err(format!("not right within {} s: {wrong}", DEADLINE.as_secs()));
            }
            let _ = tokio::time::timeout(Duration::from_millis(20), changed.changed()).await;
        }
    }

    /// Lets the centre live for a while, at this rate of steps.
    pub(crate) async fn live(&self, steps_a_second: f64, span: Duration) {
        let driven = self.emulator.world().drive(steps_a_second);
        tokio::time::sleep(span).await;
        drop(driven);
    }

    /// Kills the service, as the kernel does when memory is short.
    pub(crate) async fn kill(&mut self) {
        self.remember_peak();
        let theirs = children(self.pid());
        self.service.start_kill().unwrap();
        self.service.wait().await.unwrap();
        let gone = async {
            while theirs.iter().any(|pid| holdings(*pid).is_some_and(|held| held.resident_kib > 0)) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(DEADLINE, gone).await.is_err() {
            self.problems.push("a child process outlived the service".to_owned());
        }
    }

    /// Starts the service again.
    pub(crate) fn start(&mut self) {
        self.starts += 1;
        let log = log_of(&self.directory, self.starts);
        self.service = start(&self.variables, &self.limits, &log, &self.directory);
    }

    fn remember_peak(&mut self) {
        self.peak_kib = self.peak_kib.max(self.holdings().map_or(0, |held| held.peak_kib));
    }

    /// Ends the testbed and says what was not as it must be, and what the service held at most. `answered` says that the
    /// service was there to take every event.
    pub(crate) async fn close(mut self, answered: bool) -> (Vec<String>, u64) {
        self.emulator.callbacks().wait_idle().await;
        self.remember_peak();
        self.settle_files().await;
        if let Ok(Some(ended)) = self.service.try_wait() {
            self.problems.push(format!("the service ended by itself: {ended}"));
        } else if let Some(held) = self.holdings() {
            if held.children > 1 || held.zombies > 0 {
                self.problems.push(format!("{} child processes, {} dead", held.children, held.zombies));
            }
            // A signal to a process that does not run yet ends it at once and out of order; it may just have been started.
            self.ready().await;
            let _ = Command::new("kill").args(["-s", "TERM", &self.pid().to_string()]).status().await;
            match tokio::time::timeout(DEADLINE, self.service.wait()).await {
                Ok(Ok(ended)) if ended.success() => {}
                ended => self.problems.push(format!("it did not stop in good order: {ended:?}")),
            }
        }
        let writes = self.emulator.journal().peak_sync_writes();
        if writes > MOST_WRITES {
            self.problems.push(format!("{writes} writes to Sync in flight"));
        }
        if self.peak_kib > MOST_MEMORY_KIB {
            self.problems.push(format!("{} MiB of memory", self.peak_kib / 1024));
        }
        let refused: Vec<_> = self.emulator.callbacks().deliveries();
        let refused =
            refused.iter().filter(|delivery| !delivery.status.is_some_and(|s| (200..300).contains(&s)));
        if let Some(first) = refused.clone().next().filter(|_| answered) {
            self.problems.push(format!("{} events were not taken, the first: {first:?}", refused.count()));
        }
        for number in 1..=self.starts {
            let log = std::fs::read_to_string(log_of(&self.directory, number)).unwrap_or_default();
            let bad =
                log.lines().filter(|line| line.contains("panicked") || line.contains(r#""level":"ERROR""#));
            self.problems.extend(bad.take(3).map(|line| format!("in its log: {line}")));
        }
        self.emulator.shutdown().await;
        (self.problems, self.peak_kib)
    }

    /// Idle connections are given up after a while; what is left then has leaked.
    async fn settle_files(&mut self) {
        let allowed = self.at_start.files + MOST_FILES_MORE;
        let settled = async {
            while self.holdings().is_some_and(|held| held.files > allowed) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        if tokio::time::timeout(DEADLINE, settled).await.is_err() {
            let files = self.holdings().map_or(0, |held| held.files);
            self.problems.push(format!("{files} files are open, {} were at the start", self.at_start.files));
        }
    }
}

fn log_of(directory: &TempDir, number: usize) -> PathBuf {
    directory.path().join(format!("log-{number}"))
}

/// A shell sets the limits and becomes the service, so that the process is the service's own.
fn start(variables: &HashMap<String, String>, limits: &str, log: &Path, directory: &TempDir) -> Child {
    let limits = if limits.is_empty() { "true" } else { limits };
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &format!("{limits} && exec \"$0\" serve"), env!("CARGO_BIN_EXE_taskrouter-sync")]);
    command.env_clear().envs(variables).current_dir(directory.path());
    let log = File::create(log).unwrap();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true).spawn().unwrap()
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
