//! The emulator as a whole: start, handles to its parts, shutdown.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::{Calls, Messages};
use crate::callbacks::{self, Callbacks};
use crate::clock::Clock;
use crate::faults::Faults;
use crate::journal::{Api, Journal};
use crate::parts::{Core, Shared};
use crate::server::{Unanswered, answer, serve};
use crate::settings::{Account, Answers, Limits, Settings};
use crate::sid::{Kind, Sid};
use crate::sockets::Sockets;
use crate::sync::SyncHandle;
use crate::tokens::Tokens;
use crate::world::{Truth, World};

/// How late an expiry may be noticed. (Twilio's may be minutes late.)
const SWEEP: Duration = Duration::from_millis(500);

/// A running emulator. It stops when it is dropped, or in an orderly way by `shutdown`.
#[derive(Debug)]
pub struct Emulator {
    core: Running,
    stop: CancellationToken,
    tasks: TaskTracker,
}

struct Running(Shared);

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Twilio at {}", self.0.local)
    }
}

/// Why an emulator could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("{name} must be {prefix} and 32 lower-case hexadecimal digits, not {value}")]
    Sid { name: &'static str, prefix: &'static str, value: String },
}

impl Emulator {
    /// Founds the centre, binds the listener and serves. Must be called within a tokio runtime.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        check(&settings)?;
        // Another part of the process may have installed one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let address = settings.listen;
        let refused = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let local = listener.local_addr().map_err(refused)?;
        let core = Arc::new(Core::new(&settings, local));
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(serve(listener, core.clone(), stop.clone()));
        let concurrency = settings.callback_concurrency;
        tasks.spawn(callbacks::dispatch(core.callbacks.clone(), concurrency, stop.clone()));
        tasks.spawn(sweep(core.clone(), stop.clone()));
        tasks.close();
        Ok(Self { core: Running(core), stop, tasks })
    }

    /// The same without a network, for a simulation: it listens nowhere, sends no callback and does nothing by itself. It
    /// is asked with `answer`, and its events wait in `callbacks().take()`.
    pub fn without_network(settings: &Settings) -> Result<Self, StartError> {
        check(settings)?;
        let core = Arc::new(Core::new(settings, settings.listen));
        Ok(Self { core: Running(core), stop: CancellationToken::new(), tasks: TaskTracker::new() })
    }

    /// Answers one request as the listener would, with all limits, faults and records.
    pub async fn answer(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Vec<u8>>, Unanswered> {
        answer(self.core.0.clone(), request).await
    }

    /// `http://127.0.0.1:PORT`, the base URL of every product.
    pub fn url(&self) -> String {
        self.core.0.public_url.clone().unwrap_or_else(|| format!("http://{}", self.core.0.local))
    }

    pub fn address(&self) -> SocketAddr {
        self.core.0.local
    }

    pub fn account(&self) -> &Account {
        &self.core.0.account
    }

    pub fn world(&self) -> World {
        self.core.0.world.clone()
    }

    /// The centre's true numbers, without lag.
    pub fn truth(&self) -> Truth {
        self.core.0.world.truth()
    }

    pub fn sync(&self) -> SyncHandle {
        self.core.0.sync.clone()
    }

    pub fn callbacks(&self) -> Callbacks {
        self.core.0.callbacks.clone()
    }

    pub fn tokens(&self) -> Tokens {
        self.core.0.tokens.clone()
    }

    pub fn sockets(&self) -> Sockets {
        self.core.0.sockets.clone()
    }

    pub fn calls(&self) -> Calls {
        self.core.0.calls.clone()
    }

    pub fn messages(&self) -> Messages {
        self.core.0.messages.clone()
    }

    pub fn journal(&self) -> Journal {
        self.core.0.journal.clone()
    }

    pub fn faults(&self) -> Faults {
        self.core.0.faults.clone()
    }

    pub fn clock(&self) -> Clock {
        self.core.0.clock.clone()
    }

    /// Lets statistics show the centre as it was this long ago.
    pub fn set_statistics_lag(&self, lag: Duration) {
        self.core.0.world.set_statistics_lag(lag);
    }

    /// Lets a product take this long for each request, which takes effect after half of it.
    pub fn set_latency(&self, api: Api, latency: Duration) {
        self.core.0.tuning().latency[api as usize] = latency;
    }

    pub fn set_limits(&self, limits: Limits) {
        self.core.0.tuning().limits = limits;
    }

    pub fn limits(&self) -> Limits {
        self.core.0.tuning().limits
    }

    pub fn set_answers(&self, answers: Answers) {
        self.core.0.tuning().answers = answers;
    }

    pub fn answers(&self) -> Answers {
        self.core.0.tuning().answers
    }

    /// Lets the centre live by itself at `rate` steps a second; 0 stops it. `World::drive` does
    /// the same for as long as its handle is held.
    pub fn drive(&self, steps_per_second: f64) {
        self.core.0.drive_at(steps_per_second);
    }

    /// Stops listening and sending, and waits until both have ended.
    pub async fn shutdown(self) {
        self.core.0.drive_at(0.0);
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

fn check(settings: &Settings) -> Result<(), StartError> {
    let account = &settings.account;
    for (name, kind, value) in [
        ("account_sid", Kind::Account, &account.account_sid),
        ("api_key_sid", Kind::ApiKey, &account.api_key_sid),
        ("workspace_sid", Kind::Workspace, &account.workspace_sid),
        ("sync_service_sid", Kind::SyncService, &account.sync_service_sid),
    ] {
        if !Sid::is(kind, value) {
            return Err(StartError::Sid { name, prefix: kind.prefix(), value: value.clone() });
        }
    }
    Ok(())
}

/// Expires Sync objects on time, for subscribers.
async fn sweep(core: Shared, stop: CancellationToken) {
    let mut timer = tokio::time::interval(SWEEP);
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = timer.tick() => core.sync.with(|_, _| ()),
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.core.0.drive_at(0.0);
        self.stop.cancel();
    }
}
