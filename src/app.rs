//! Builds the parts, joins their channels, and starts them. `main`, the tests and the demo all start the service here.
//!
//! What a part does is in its own module, and how its tasks end in [`lifecycle`](crate::lifecycle).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing::info;

use crate::call_quality::Voice;
use crate::cluster::{Exchanged, LinkError, Member, ReplicaOutputs};
use crate::config::{Config, SharingConfig};
use crate::coordination::gossip::{Broadcaster, SharedFact};
use crate::coordination::rate_limit::Quota;
use crate::dialling::Dialler;
use crate::feed;
use crate::history::{Archive, ArchiveWorker, BACKFILL_PAUSE};
use crate::layout;
use crate::lifecycle::{Stage, TaskError, Tasks};
use crate::pipeline::Pipeline;
use crate::refresh::Refresher;
use crate::server::{
    Access, DefaultHeaders, FlexGate, Handles, LeaderClient, Refusals, SignatureAlarm, Sockets, SyncGate,
    router, serve,
};
use crate::telemetry::metrics::Monitor;
use crate::twilio::signature::SignatureVerifier;
use crate::twilio::{Apis, ClientError};

/// The whole service, running.
#[derive(Debug)]
pub struct App {
    local_address: SocketAddr,
    tasks: Tasks,
    ready: watch::Sender<bool>,
    #[cfg(feature = "demo")]
    leader: Arc<LeaderClient>,
}

/// The service could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("the listener can't be used: {0}")]
    Listener(#[from] std::io::Error),
    #[error(transparent)]
    Link(#[from] LinkError),
}

impl App {
    pub fn start(config: &Config, listener: TcpListener) -> Result<Self, StartError> {
        let local_address = listener.local_addr()?;
        let mut tasks = Tasks::default();
        let monitor = Monitor::default();
        let apis = Apis::new(&config.core, monitor.clone())?;
        let twilio = &config.core.twilio;
        let (ready, is_ready) = watch::channel(false);
        let (broadcaster, quota, shared) = match &config.sharing {
            Some(sharing) => {
                let secret = twilio.auth_tokens.first().map_or("", ExposeSecret::expose_secret);
                let ((broadcaster, facts), (quota, limits)) = (Broadcaster::shared(), Quota::shared(secret));
                (broadcaster, quota, Some((sharing, facts, limits)))
            }
            None => (Broadcaster::default(), Quota::default(), None),
        };
        let (voice, webhooks, alerts) = Voice::new(
            config.voice.clone(),
            config.core.statistics.clone(),
            apis.messages.clone(),
            broadcaster.clone(),
            quota.clone(),
        )?;
        tasks.spawn(Stage::Intake, "call quality webhooks", |stop| webhooks.run(stop));
        let sockets = Sockets::new(&config.sockets, &config.server.public_url, tasks.token(Stage::Intake));
        let open_sockets = sockets.clone();
        tasks.spawn(Stage::Sockets, "websockets", |stop| async move {
            stop.cancelled().await;
            open_sockets.ended().await;
        });
        let mut access = Access::new(&config.server, &twilio.auth_tokens[0], broadcaster.clone());
        // Replicas share sign-outs in Redis. Only the one that leads writes to Sync.
        let keeper = if shared.is_none() {
            access.keep_sign_outs(apis.sync.clone())
        } else {
            access.share_sign_outs();
            None
        };
        let access = Arc::new(access);
        if let Some(keeper) = keeper {
            let access = access.clone();
            tasks.spawn(Stage::Writes, "sign-outs", |stop| keeper.run(access, stop));
        }
        let dialler = config.dialling.clone().map(|dialling| {
            let public_url = config.server.public_url.clone();
            let (calls, taskrouter) = (apis.calls.clone(), apis.taskrouter.clone());
            Arc::new(Dialler::new(calls, taskrouter, dialling, public_url, broadcaster, quota))
        });
        let (feed, pictures) = feed::Pictures::new();
        let archive = Archive::new(&config.core, &config.history, monitor.clone());
        let watched = ReplicaOutputs {
            pictures,
            alerts,
            ready: ready.clone(),
            monitor: monitor.clone(),
            archive: archive.clone(),
        };
        let (refresher, leader) = match shared {
            None => alone(config, &apis, watched, &mut tasks),
            Some((sharing, facts, limits)) => {
                let deliver = deliver(access.clone(), dialler.clone(), voice.clone());
                let known = access.clone();
                let caught_up = Box::new(move || known.sign_outs_are_known());
                let exchanged = Exchanged { facts, deliver: Box::new(deliver), caught_up, limits };
                replicated(config, sharing, watched, exchanged, &mut tasks)?
            }
        };
        let leader = Arc::new(leader);
        let handles = Handles {
            verifier: Arc::new(SignatureVerifier::new(
                twilio.auth_tokens.clone(),
                twilio.shared_keys.clone(),
            )),
            public_url: Arc::new(config.server.public_url.clone()),
            twilio: Arc::new(twilio.clone()),
            statistics: Arc::new(config.core.statistics.clone()),
            rhythm: config.core.refresh,
            access,
            centre_name: config.server.centre_name.as_deref().map(Arc::from),
            trusted_proxies: config.server.trusted_proxies.clone(),
            headers: Arc::new(DefaultHeaders::new(&config.server.public_url, &config.server.frame_ancestors)),
            sync_gate: Arc::new(SyncGate::new(apis.sync.clone())),
            flex: Arc::new(FlexGate::new(apis.flex_users)),
            sockets,
            dialler,
            voice,
            refresher,
            leader: leader.clone(),
            sync: Arc::new(config.core.sync.clone()),
            feed,
            archive,
            shows_events: layout::needs(&layout::all(&config.core)).latest_event,
            refusals: Refusals::new(monitor.clone()),
            signature_alarm: SignatureAlarm::default(),
            monitor,
            ready: is_ready,
        };
        tasks.spawn_fallible(Stage::Intake, "listener", |stop| serve(listener, router(handles.into()), stop));
        Ok(Self {
            local_address,
            tasks,
            ready,
            #[cfg(feature = "demo")]
            leader,
        })
    }

    /// Puts curves before those that were drawn so far.
    #[cfg(feature = "demo")]
    pub fn take_over(&self, curves: crate::wallboard::Curves) {
        if let Some(pipeline) = self.leader.local() {
            pipeline.take_over(curves);
        }
    }

    pub fn local_address(&self) -> SocketAddr {
        self.local_address
    }

    /// Waits until the service is ready, as `/readyz` says it.
    pub async fn ready(&self) {
        // The sender lives as long as the app.
        let _ = self.ready.subscribe().wait_for(|ready| *ready).await;
    }

    /// Runs until `stop` is done, then stops in order. An error means that a task ended before it was stopped.
    pub async fn run_until(mut self, stop: impl Future<Output = ()>) -> Result<(), TaskError> {
        self.tasks.run_until(stop).await?;
        info!("Stopping: finishing what is pending");
        self.ready.send_replace(false);
        self.tasks.stop().await
    }
}

/// This process reads and writes, always.
fn alone(
    config: &Config,
    apis: &Apis,
    watched: ReplicaOutputs,
    tasks: &mut Tasks,
) -> (Refresher, LeaderClient) {
    let ReplicaOutputs { pictures, alerts, ready, monitor, archive } = watched;
    let grace = config.server.shutdown_grace;
    let pipeline = Pipeline::start(&config.core, apis.clone(), grace, &monitor, tasks);
    let document = &config.core.sync.dashboard_metrics_document;
    let (snapshots, tiles) = (pipeline.refresher.snapshots(), pipeline.tiles.clone());
    let (status, interval) = (pipeline.publisher.status(), config.core.refresh.realtime_interval);
    let unanswered = apis.client.taskrouter_unanswered();
    let drawing = feed::FeedWorker::new(pictures, snapshots, tiles, status, alerts, document, interval)
        .judging_by(unanswered);
    let storing =
        ArchiveWorker::new(archive, pipeline.refresher.snapshots(), pipeline.tiles.clone(), interval);
    let (storing, backfill) = storing.with_backfill(apis.taskrouter.clone(), BACKFILL_PAUSE);
    tasks.spawn(Stage::Reads, "reading the past", |stop| backfill.run(stop));
    tasks.spawn(Stage::Writes, "storing history", |stop| storing.run(stop));
    // Watchers hold their connections open, so the feed ends with the listener and not after it.
    tasks.spawn(Stage::Intake, "feed", |stop| drawing.run(stop));
    tasks.spawn(Stage::Intake, "becoming ready", |stop| pipeline.becoming_ready(ready, stop));
    let handle = pipeline.handle(&config.core);
    (pipeline.refresher, LeaderClient::alone(handle))
}

/// The replica that leads reads and writes.
fn replicated(
    config: &Config,
    sharing: &SharingConfig,
    watched: ReplicaOutputs,
    exchanged: Exchanged,
    tasks: &mut Tasks,
) -> Result<(Refresher, LeaderClient), StartError> {
    let (handles, member) = Member::new(config, sharing, watched, exchanged)?;
    tasks.spawn_fallible(Stage::Reads, "replica", |stop| member.run(stop));
    let leader = LeaderClient::shared(handles.pipeline, handles.rpc);
    Ok((handles.refresher, leader))
}

/// Delivers another replica's fact, with its age in seconds, to the part that needs it.
fn deliver(
    access: Arc<Access>,
    dialler: Option<Arc<Dialler>>,
    voice: Arc<Voice>,
) -> impl Fn(SharedFact, u64) + Send + Sync {
    move |fact, age| match (fact, &dialler) {
        (SharedFact::WrongCredentials { address, account }, _) => access.hear_wrong(address, account),
        (SharedFact::SignedOut { nonce }, _) => access.hear_signed_out(nonce),
        (SharedFact::Alert(alert), _) => voice.hear(alert),
        (SharedFact::CallPlaced { call, worker, status }, Some(dialler)) => {
            dialler.hear_placed(call, worker, &status, Duration::from_secs(age));
        }
        (SharedFact::CallProgress { call, status, sequence }, Some(dialler)) => {
            dialler.hear_call(call, &status, sequence);
        }
        (SharedFact::CallPlaced { .. } | SharedFact::CallProgress { .. }, None) => {}
    }
}
