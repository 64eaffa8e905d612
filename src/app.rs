//! Builds the parts, joins their channels, starts them, and stops them in order. `main`, the tests and the demo all
//! start the service here.
//!
//! Stop order: the listener first, so that nothing new comes in; then the reads; then the writes, which finish what is
//! pending within the grace period. A part that ends by itself is a fault: the others are stopped and the process fails,
//! so that whoever runs it starts it anew instead of wondering why numbers stand still.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::call_quality::Voice;
use crate::cluster::LinkError;
use crate::config::{Config, CoreConfig, LayoutName, SharingConfig};
use crate::coordination::gossip::{Speaker, Word};
use crate::coordination::lease::Lease;
use crate::coordination::rate_limit::{Ask, Quota};
use crate::dialling::Dialler;
use crate::feed::{self, Pictures};
use crate::layout;
use crate::publish::{self, Publisher};
use crate::refresh::{self, Refresher, Roster};
use crate::replica::Replica;
use crate::server::{Access, Desk, FlexGate, Handles, Head, Refusals, Signatures, Sockets, router, serve};
use crate::stats::{Needs, Snapshot};
use crate::telemetry::metrics::Monitor;
use crate::twilio::access_token::DASHBOARD_IDENTITY;
use crate::twilio::calls::Calls;
use crate::twilio::flex_token::FlexUsers;
use crate::twilio::messages::Messages;
use crate::twilio::signature::SignatureVerifier;
use crate::twilio::sync::SyncService;
use crate::twilio::taskrouter::TaskRouter;
use crate::twilio::{Client, ClientError};
use crate::wallboard::{self, Metrics};

/// The reading and writing half, which the bootstrap from a shell uses alone.
#[derive(Debug)]
pub struct Core {
    /// Marks what is stale and watches what is known.
    pub refresher: Refresher,
    /// Watches and waits for the writes.
    pub publisher: Publisher,
    /// Snapshots with metrics, where there are any.
    pub shown: watch::Receiver<Arc<Snapshot>>,
    /// Definitions and previews; `None` where the layout is not wanted.
    pub metrics: Option<Metrics>,
    needs: Needs,
    stop_reads: CancellationToken,
    stop_evaluation: CancellationToken,
    stop_writes: CancellationToken,
    reads: JoinHandle<()>,
    evaluation: JoinHandle<()>,
    writes: JoinHandle<()>,
}

/// Twilio's REST APIs, for the configured account.
#[derive(Debug, Clone)]
pub struct Apis {
    /// What they all go through.
    pub client: Arc<Client>,
    /// TaskRouter.
    pub taskrouter: TaskRouter,
    /// Sync.
    pub sync: SyncService,
    /// Flex users' tokens.
    pub flex_users: FlexUsers,
    /// Calls.
    pub calls: Calls,
    /// Messages.
    pub messages: Messages,
}

/// The whole service, running.
#[derive(Debug)]
pub struct App {
    local_address: SocketAddr,
    work: Work,
    server: JoinHandle<std::io::Result<()>>,
    responding: JoinHandle<()>,
    sockets: Sockets,
    stop_server: CancellationToken,
    ready: watch::Sender<bool>,
}

/// Who reads and writes.
#[derive(Debug)]
enum Work {
    /// This process, always.
    Alone { core: Box<Core>, drawing: JoinHandle<()>, becoming_ready: JoinHandle<()> },
    /// One of several replicas.
    Shared { replica: JoinHandle<Result<(), AppError>>, stop: CancellationToken },
}

impl Work {
    async fn early(&mut self) -> AppError {
        match self {
            Self::Alone { core, drawing, becoming_ready } => {
                let panicked = async {
                    match becoming_ready.await {
                        Ok(()) => std::future::pending().await,
                        Err(source) => AppError::Panicked { task: "becoming ready", source },
                    }
                };
                tokio::select! {
                    early = core.early() => early,
                    ended = drawing => early("the feed", ended),
                    panicked = panicked => panicked,
                }
            }
            Self::Shared { replica, .. } => match replica.await {
                Ok(Ok(())) => AppError::Ended("sharing the work"),
                Ok(Err(error)) => error,
                Err(source) => AppError::Panicked { task: "sharing the work", source },
            },
        }
    }

    async fn stop(self) -> Result<(), AppError> {
        match self {
            Self::Alone { core, .. } => core.stop().await,
            Self::Shared { replica, stop } => {
                stop.cancel();
                let ended = replica.await;
                ended.map_err(|source| AppError::Panicked { task: "sharing the work", source })?
            }
        }
    }
}

/// The service ended although nobody stopped it.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// A task panicked.
    #[error("{task} ended abnormally: {source}")]
    Panicked {
        /// Which.
        task: &'static str,
        /// How.
        source: JoinError,
    },
    /// A task returned.
    #[error("{0} ended by itself")]
    Ended(&'static str),
    /// The listener failed.
    #[error("the listener failed: {0}")]
    Listener(#[from] std::io::Error),
    /// A leader could not begin.
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl Apis {
    /// One client for all of them, so that its limits hold over all of them.
    pub fn new(config: &CoreConfig, monitor: Monitor) -> Result<Self, ClientError> {
        Self::leased(config, monitor, Lease::alone())
    }

    /// The same, with nothing sent any more once the lease is over.
    pub fn leased(config: &CoreConfig, monitor: Monitor, lease: Lease) -> Result<Self, ClientError> {
        Ok(Self::of(config, Arc::new(Client::leased(&config.twilio, monitor, lease)?)))
    }

    /// The same over a client of one's own.
    pub fn of(config: &CoreConfig, client: Arc<Client>) -> Self {
        let taskrouter = TaskRouter::new(client.clone(), config.twilio.workspace_sid);
        let flex_users = FlexUsers::new(client.clone(), config.twilio.account_sid);
        let calls = Calls::new(client.clone(), config.twilio.account_sid);
        let messages = Messages::new(client.clone(), config.twilio.account_sid);
        let sync = SyncService::new(client.clone(), config.twilio.sync_service);
        Self { client, taskrouter, sync, flex_users, calls, messages }
    }
}

impl Core {
    /// Starts reading and writing; `grace` is how long pending writes may take when it is stopped.
    pub fn start(config: &CoreConfig, apis: Apis, grace: Duration, monitor: &Monitor) -> Self {
        Self::begin(config, apis, grace, monitor, None::<std::future::Ready<()>>)
    }

    /// The same for one term of many: the first write comes not before `admitted` is done, since what somebody else wrote last
    /// may still be on its way, and nothing is left of any object's budget at first.
    pub fn start_term(
        config: &CoreConfig,
        apis: Apis,
        grace: Duration,
        monitor: &Monitor,
        admitted: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        Self::begin(config, apis, grace, monitor, Some(admitted))
    }

    fn begin(
        config: &CoreConfig,
        apis: Apis,
        grace: Duration,
        monitor: &Monitor,
        admitted: Option<impl Future<Output = ()> + Send + 'static>,
    ) -> Self {
        let layouts = layout::all(config);
        let needs = layout::needs(&layouts);
        let (refresher, reader) = refresh::Worker::new(
            apis.taskrouter,
            config.refresh,
            config.statistics.clone(),
            needs,
            monitor.clone(),
        );
        let (stop_reads, stop_writes) = (CancellationToken::new(), CancellationToken::new());
        let stop_evaluation = CancellationToken::new();
        let (metrics, shown, evaluation) = if config.sync.layouts.contains(&LayoutName::DashboardMetrics) {
            let (metrics, shown, worker) =
                wallboard::Worker::new(config, apis.sync.clone(), refresher.snapshots());
            (Some(metrics), shown, tokio::spawn(worker.run(stop_evaluation.clone())))
        } else {
            let stopped = stop_evaluation.clone();
            let nothing = async move { stopped.cancelled().await };
            (None, refresher.snapshots(), tokio::spawn(nothing))
        };
        let readers = config.twilio.api_key.as_ref().map(|_| DASHBOARD_IDENTITY);
        let (publisher, mut writer) =
            publish::Worker::new(apis.sync, &config.sync, layouts, shown.clone(), readers, monitor.clone());
        if admitted.is_some() {
            writer.budgets_are_spent();
        }
        let reads = tokio::spawn(reader.run(stop_reads.clone()));
        let until = stop_writes.clone();
        let writes = tokio::spawn(async move {
            if let Some(admitted) = admitted {
                let stopped = async {
                    until.cancelled().await;
                    tokio::time::sleep(grace).await;
                };
                tokio::select! {
                    () = admitted => {}
                    // Whoever leads next writes it.
                    () = stopped => return,
                }
            }
            writer.run(until, grace).await;
        });
        Self {
            refresher,
            publisher,
            shown,
            metrics,
            needs,
            stop_reads,
            stop_evaluation,
            stop_writes,
            reads,
            evaluation,
            writes,
        }
    }

    /// Stops reading, then writes what is pending.
    pub async fn stop(self) -> Result<(), AppError> {
        self.stop_reads.cancel();
        self.reads.await.map_err(|source| AppError::Panicked { task: "reading", source })?;
        self.stop_evaluation.cancel();
        self.evaluation.await.map_err(|source| AppError::Panicked { task: "evaluating", source })?;
        self.stop_writes.cancel();
        self.writes.await.map_err(|source| AppError::Panicked { task: "writing", source })
    }

    /// What handlers ask of it.
    pub fn head(&self, config: &CoreConfig, apis: &Apis) -> Head {
        Head {
            refresher: self.refresher.clone(),
            shown: self.shown.clone(),
            publisher: self.publisher.clone(),
            metrics: self.metrics.clone(),
            roster: Roster::new(apis.taskrouter.clone()),
            account: config.twilio.account_sid,
            workspace: config.twilio.workspace_sid,
            zone: config.statistics.time_zone.clone(),
            needs: self.needs,
        }
    }

    /// What is read.
    pub fn needs(&self) -> Needs {
        self.needs
    }

    /// Waits for a part to end, which none does before it is told to.
    pub async fn early(&mut self) -> AppError {
        tokio::select! {
            ended = &mut self.reads => early("reading", ended),
            ended = &mut self.evaluation => early("evaluating", ended),
            ended = &mut self.writes => early("writing", ended),
        }
    }

    /// Ends it where it stands: what is on its way to Twilio is cut off, what is pending is not written.
    pub async fn abort(self) {
        for part in [self.reads, self.evaluation, self.writes] {
            part.abort();
            // It was told to end, so how it does is no news.
            let _ = part.await;
        }
    }

    /// Waits for a first whole snapshot to be read and written.
    pub fn first_snapshot_written(&self) -> impl Future<Output = ()> + Send + 'static {
        let (mut snapshots, publisher, needs) =
            (self.refresher.snapshots(), self.publisher.clone(), self.needs);
        async move {
            let first = snapshots.wait_for(|snapshot| snapshot.is_complete(needs)).await;
            let number = first.map(|snapshot| snapshot.number);
            if let Ok(number) = number {
                // An error means that the service is stopping.
                let _ = publisher.written(number).await;
            }
        }
    }
}

impl App {
    /// Starts everything on a listener that is bound already.
    pub fn start(config: &Config, listener: TcpListener) -> Result<Self, StartError> {
        let local_address = listener.local_addr()?;
        let monitor = Monitor::default();
        let apis = Apis::new(&config.core, monitor.clone())?;
        let (ready, is_ready) = watch::channel(false);
        let (speaker, quota, exchanged) = match &config.sharing {
            Some(_) => {
                let secret = config.core.twilio.auth_tokens.first().map_or("", ExposeSecret::expose_secret);
                let ((speaker, said), (quota, asked)) = (Speaker::heard(), Quota::shared(secret));
                (speaker, quota, Some((said, asked)))
            }
            None => (Speaker::default(), Quota::default(), None),
        };
        let (voice, responding, alerts) = Voice::new(
            config.voice.clone(),
            config.core.statistics.clone(),
            apis.messages.clone(),
            speaker.clone(),
            quota.clone(),
        )?;
        let (feed, pictures) = feed::Pictures::new();
        let stop_server = CancellationToken::new();
        let responding = tokio::spawn(responding.run(stop_server.clone()));
        let twilio = &config.core.twilio;
        let sockets = Sockets::new(&config.sockets, &config.server.public_url, stop_server.clone());
        let accounts = config.server.administrator.clone();
        let access = Arc::new(Access::new(accounts, &twilio.auth_tokens[0], speaker.clone()));
        let dialler = config.dialling.clone().map(|dialling| {
            let public_url = config.server.public_url.clone();
            let (calls, taskrouter) = (apis.calls.clone(), apis.taskrouter.clone());
            Arc::new(Dialler::new(calls, taskrouter, dialling, public_url, speaker.clone(), quota.clone()))
        });
        let (work, refresher, desk) = match &config.sharing {
            None => {
                let watched = Watched { pictures, alerts, ready: ready.clone(), monitor: monitor.clone() };
                alone(config, &apis, watched, &stop_server)
            }
            Some(sharing) => {
                let watched = Watched { pictures, alerts, ready: ready.clone(), monitor: monitor.clone() };
                let hearing =
                    Hearing { access: access.clone(), dialler: dialler.clone(), voice: voice.clone() };
                let exchanged = exchanged.map(|(said, asked)| Exchanged { said, hearing, asked });
                shared(config, sharing, watched, exchanged)?
            }
        };
        let state = Handles {
            verifier: Arc::new(SignatureVerifier::new(twilio.auth_tokens.clone(), twilio.shared_key.clone())),
            public_url: Arc::new(config.server.public_url.clone()),
            twilio: Arc::new(twilio.clone()),
            statistics: Arc::new(config.core.statistics.clone()),
            rhythm: config.core.refresh,
            access,
            flex: Arc::new(FlexGate::new(apis.flex_users.clone())),
            sockets: sockets.clone(),
            dialler,
            voice,
            refresher,
            desk,
            sync: Arc::new(config.core.sync.clone()),
            feed,
            shows_events: layout::needs(&layout::all(&config.core)).latest_event,
            refusals: Refusals::new(monitor.clone()),
            signatures: Signatures::default(),
            monitor,
            ready: is_ready,
        };
        let server = tokio::spawn(serve(listener, router(state.into()), stop_server.clone()));
        Ok(Self { local_address, work, server, responding, sockets, stop_server, ready })
    }

    /// Where it listens.
    pub fn local_address(&self) -> SocketAddr {
        self.local_address
    }

    /// Waits until the service is ready, as `/readyz` says it.
    pub async fn ready(&self) {
        // The sender lives as long as the app.
        let _ = self.ready.subscribe().wait_for(|ready| *ready).await;
    }

    /// Runs until `stop` is done, then stops in order. An error means that a part ended before it was told to.
    pub async fn run_until(mut self, stop: impl Future<Output = ()>) -> Result<(), AppError> {
        let failed = self.until_stopped_or_failed(stop).await;
        if let Some(error) = failed {
            error!(%error, "A part ended without being told to: the process ends, to be started anew");
            return Err(error);
        }
        info!("Stopping: finishing what is pending");
        if let Work::Alone { becoming_ready, .. } = &self.work {
            becoming_ready.abort();
        }
        self.ready.send_replace(false);
        self.stop_server.cancel();
        // The listener gives open requests a while to end, and not for ever.
        let ended = self.server.await;
        ended.map_err(|source| AppError::Panicked { task: "the listener", source })??;
        self.sockets.ended().await;
        self.work.stop().await
    }
}

impl App {
    /// Done when it is to be stopped, or with the part that ended before that.
    async fn until_stopped_or_failed(&mut self, stop: impl Future<Output = ()>) -> Option<AppError> {
        tokio::select! {
            () = stop => None,
            ended = &mut self.server => Some(match ended {
                Ok(Ok(())) => AppError::Ended("the listener"),
                Ok(Err(error)) => error.into(),
                Err(source) => AppError::Panicked { task: "the listener", source },
            }),
            ended = &mut self.responding => Some(early("the webhooks' task", ended)),
            error = self.work.early() => Some(error),
        }
    }
}

/// What is shown of the work, and where that is told.
#[derive(Debug, Clone)]
pub struct Watched {
    /// For all watchers.
    pub pictures: Pictures,
    /// Calls that were bad to hear.
    pub alerts: watch::Receiver<Value>,
    /// Whether `/readyz` says so.
    pub ready: watch::Sender<bool>,
    /// Counts.
    pub monitor: Monitor,
}

/// What is said here to other replicas, what is done with what they say, and what is asked of all together.
#[derive(Debug)]
pub struct Exchanged {
    /// What is said.
    pub said: mpsc::Receiver<Word>,
    /// What hears the others.
    pub hearing: Hearing,
    /// Limits that hold for all of them.
    pub asked: mpsc::Receiver<Ask>,
}

/// Those who have to know what other replicas say.
#[derive(Debug, Clone)]
pub struct Hearing {
    access: Arc<Access>,
    dialler: Option<Arc<Dialler>>,
    voice: Arc<Voice>,
}

impl Hearing {
    /// Takes in what another replica said so many seconds ago.
    pub fn hear(&self, word: Word, ago: u64) {
        match (word, &self.dialler) {
            (Word::Wrong { address, account }, _) => self.access.hear_wrong(address, account),
            (Word::SignedOut { nonce }, _) => self.access.hear_signed_out(nonce),
            (Word::Alert(alert), _) => self.voice.hear(alert),
            (Word::Placed { call, worker, status }, Some(dialler)) => {
                dialler.hear_placed(call, worker, &status, Duration::from_secs(ago));
            }
            (Word::Call { call, status, sequence }, Some(dialler)) => {
                dialler.hear_call(call, &status, sequence);
            }
            (Word::Placed { .. } | Word::Call { .. }, None) => {}
        }
    }
}

/// This process reads and writes.
fn alone(
    config: &Config,
    apis: &Apis,
    watched: Watched,
    stop_server: &CancellationToken,
) -> (Work, Refresher, Desk) {
    let Watched { pictures, alerts, ready, monitor } = watched;
    let core = Core::start(&config.core, apis.clone(), config.server.shutdown_grace, &monitor);
    let document = &config.core.sync.dashboard_metrics_document;
    let (shown, status, interval) =
        (core.shown.clone(), core.publisher.status(), config.core.refresh.realtime_interval);
    let drawing = feed::Worker::new(pictures, shown, status, alerts, document, interval);
    // Watchers hold their connections open, so the feed ends with the listener and not after it.
    let drawing = tokio::spawn(drawing.run(stop_server.clone()));
    let head = core.head(&config.core, apis);
    let becoming_ready = {
        let (first, ready) = (core.first_snapshot_written(), ready.clone());
        tokio::spawn(async move {
            first.await;
            ready.send_replace(true);
            info!("Ready: a first snapshot has been read and written");
        })
    };
    let refresher = core.refresher.clone();
    (Work::Alone { core: Box::new(core), drawing, becoming_ready }, refresher, Desk::Here(Box::new(head)))
}

/// Whoever leads reads and writes.
fn shared(
    config: &Config,
    sharing: &SharingConfig,
    watched: Watched,
    exchanged: Option<Exchanged>,
) -> Result<(Work, Refresher, Desk), StartError> {
    let (handles, replica) = Replica::new(config, sharing, watched, exchanged)?;
    let stop = CancellationToken::new();
    let replica = tokio::spawn(replica.run(stop.clone()));
    let desk = Desk::Shared { here: handles.head, asker: handles.asker };
    Ok((Work::Shared { replica, stop }, handles.refresher, desk))
}

/// The service could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The HTTP client.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The listener.
    #[error("the listener can't be used: {0}")]
    Listener(#[from] std::io::Error),
    /// Redis.
    #[error(transparent)]
    Link(#[from] LinkError),
}

fn early(task: &'static str, ended: Result<(), JoinError>) -> AppError {
    match ended {
        Ok(()) => AppError::Ended(task),
        Err(source) => AppError::Panicked { task, source },
    }
}
