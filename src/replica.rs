//! One of several replicas: leads for a term, or follows.
//!
//! Its listener, its marks on their way to Redis and the picture it shows go on whatever happens. What reads and writes is
//! built anew for each term and torn down at its end: dropped where it stands when the lease is lost, finished in good order
//! when the process is stopped or hands the work over.

mod exchange;
mod renewal;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

pub use exchange::{Exchanged, Hearing, Watched};
use renewal::{Over, Renewal};

use crate::cluster::{
    Asker, Candidate, Link, LinkError, News, Reach, Seat, Settings, Stand, Timing, answer_all, carry,
    channel, compare, deliver, exchange, follow, grant, keep_curves, listen, publish, space,
};
use crate::config::{Config, SharingConfig};
use crate::feed;
use crate::lifecycle::{Stage, TaskError, Tasks};
use crate::pipeline::{self, Pipeline};
use crate::refresh::{Outgoing, Refresher};
use crate::telemetry::metrics::Monitor;
use crate::twilio::sync::SyncService;
use crate::twilio::{Apis, Client, ClientError, Next};

/// Between two probes of Twilio, while the leader is cut off from it.
const PROBED_AGAIN: Duration = Duration::from_secs(2);
/// Deleting an earlier version's Document.
const LONGEST_DELETION: Duration = Duration::from_secs(10);
/// Who handed the work over does not take it back so soon.
const RESTS: Duration = Duration::from_secs(15);

/// The replica, to be run once.
#[derive(Debug)]
pub struct Replica {
    shared: Shared,
    outgoing: Outgoing,
    asker: Asker,
    exchanged: Exchanged,
    candidate: Candidate,
    rests_until: Option<Instant>,
    probed_at: Option<Instant>,
    /// Since when Redis has not been heard, as far as that was told.
    silent: bool,
}

/// What every term needs.
#[derive(Debug, Clone)]
struct Shared {
    config: Arc<Config>,
    link: Link,
    news: broadcast::Sender<Arc<News>>,
    watched: Watched,
    handle: Arc<watch::Sender<Option<pipeline::Handle>>>,
    leads: Arc<watch::Sender<bool>>,
}

impl Shared {
    fn handing_over(&self) -> HandingOver {
        HandingOver { link: self.link.clone(), grace: self.config.server.shutdown_grace }
    }
}

/// What others use of a replica.
#[derive(Debug)]
pub struct Handles {
    /// Marks, for whoever leads.
    pub refresher: Refresher,
    /// The part that reads and writes, while it is here.
    pub pipeline: watch::Receiver<Option<pipeline::Handle>>,
    /// The way to it while it is not.
    pub asker: Asker,
}

/// How a term ended.
#[derive(Debug)]
enum End {
    /// The lease expired.
    Lost,
    /// Another replica takes over.
    HandedOver,
    /// The process is stopping.
    Stopped,
}

impl From<Over> for End {
    fn from(over: Over) -> Self {
        match over {
            Over::Lost => Self::Lost,
            Over::HandedOver => Self::HandedOver,
        }
    }
}

impl Replica {
    /// A replica and its handles.
    pub fn new(
        config: &Config,
        sharing: &SharingConfig,
        watched: Watched,
        exchanged: Exchanged,
    ) -> Result<(Handles, Self), LinkError> {
        let link = Link::new(&sharing.redis_url, &space(config), Timing::of(sharing.lease))?;
        let (refresher, outgoing) = Outgoing::new();
        let (handle, here) = watch::channel(None);
        let asker = Asker::new(link.clone());
        let id: Arc<str> = format!("{:016x}", rand::random::<u64>()).into();
        let shared = Shared {
            config: Arc::new(config.clone()),
            link: link.clone(),
            news: channel(),
            watched,
            handle: Arc::new(handle),
            leads: Arc::new(watch::channel(false).0),
        };
        let replica = Self {
            shared,
            outgoing,
            asker: asker.clone(),
            exchanged,
            candidate: Candidate::new(link, id),
            rests_until: None,
            probed_at: None,
            silent: false,
        };
        Ok((Handles { refresher, pipeline: here, asker }, replica))
    }

    /// Leads and follows until told to stop. An error means that a part ended by itself.
    pub async fn run(self, stop: CancellationToken) -> Result<(), ReplicaError> {
        let Self { shared, outgoing, asker, exchanged, .. } = self;
        let Shared { link, news, watched, leads, .. } = shared.clone();
        let handing_over = shared.handing_over();
        let ended = CancellationToken::new();
        let mut parts = Parts::default();
        parts.spawn("hearing answers", asker.hear(news.subscribe(), ended.clone()));
        let shown = (watched.pictures, watched.monitor.clone());
        let following = follow(link.clone(), shown, news.subscribe(), leads.subscribe(), ended.clone());
        parts.spawn("following the leader", following);
        parts.spawn("carrying marks", carry(link.clone(), outgoing, ended.clone()));
        let Exchanged { said, hearing, asked } = exchanged;
        parts.spawn("sharing limits", grant(link.clone(), asked, ended.clone()));
        let hear = move |word, ago| hearing.hear(word, ago);
        let words = exchange(link.clone(), said, news.subscribe(), hear, ended.clone());
        parts.spawn("talking to other replicas", words);
        let settings = Settings::of(&shared.config.in_common());
        let (id, monitor) = (self.candidate.id(), watched.monitor);
        parts.spawn("counting Redis", count_redis(link.clone(), monitor.clone(), ended.clone()));
        let comparing = compare(link.clone(), id, settings, leads.subscribe(), monitor, ended.clone());
        parts.spawn("comparing configurations", comparing);
        parts.spawn("becoming ready", ready_by_following(shared.clone(), ended.clone()));
        let stander = Stander {
            news: news.subscribe(),
            shared,
            candidate: self.candidate,
            rests_until: self.rests_until,
            probed_at: self.probed_at,
            silent: self.silent,
        };
        // Last, so that nobody misses what it tells first.
        parts.spawn("listening to Redis", listen(link, news, ended.clone()));
        let result = tokio::select! {
            result = stander.run(stop) => result,
            early = parts.early() => Err(early),
        };
        ended.cancel();
        parts.end(handing_over.patience()).await?;
        result
    }
}

/// How long parts that were told to end are waited for.
#[derive(Debug, Clone)]
struct HandingOver {
    link: Link,
    grace: Duration,
}

impl HandingOver {
    /// Where Redis answers, one short command; where it does not, hardly at all, since nothing can be handed over to it.
    /// A leader ends twice, so each time it is less than half of the time in which the process should have ended.
    fn patience(&self) -> Duration {
        let timing = self.link.timing();
        let limit = match *self.link.reach().borrow() {
            Reach::Answers => timing.command(),
            Reach::Silent => timing.beat(),
        };
        limit.min(self.grace / 4)
    }

    /// Done once what is asked of Redis is waited for no longer.
    async fn over(self, stop: &CancellationToken) {
        stop.cancelled().await;
        sleep(self.patience()).await;
    }
}

/// Shows whether Redis answers, for whoever watches over it.
async fn count_redis(link: Link, monitor: Monitor, stop: CancellationToken) {
    let mut reach = link.reach();
    loop {
        let answers = *reach.borrow_and_update() == Reach::Answers;
        monitor.redis_answers(answers);
        tokio::select! {
            () = stop.cancelled() => return,
            changed = reach.changed() => if changed.is_err() { return stop.cancelled().await },
        }
    }
}

/// A replica that does not lead is ready once it knows what to show; it stays so.
async fn ready_by_following(shared: Shared, stop: CancellationToken) {
    let (mut newest, leads) = (shared.watched.pictures.watch(), shared.leads.subscribe());
    loop {
        if !*leads.borrow() && newest.borrow_and_update().knows_queues() {
            shared.watched.ready.send_replace(true);
            return stop.cancelled().await;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            changed = newest.changed() => if changed.is_err() { return stop.cancelled().await },
        }
    }
}

/// Stands for the lease, and leads where it gets it.
#[derive(Debug)]
struct Stander {
    shared: Shared,
    news: broadcast::Receiver<Arc<News>>,
    candidate: Candidate,
    rests_until: Option<Instant>,
    probed_at: Option<Instant>,
    silent: bool,
}

impl Stander {
    async fn run(mut self, stop: CancellationToken) -> Result<(), ReplicaError> {
        let beat = self.shared.link.timing().beat();
        while !stop.is_cancelled() {
            let rests = self.rests_until.is_some_and(|until| Instant::now() < until);
            // From before the lease can be seen to be this one's: whoever sees it asks at once.
            let questions = self.shared.news.subscribe();
            let found = tokio::select! {
                found = self.candidate.stand(!rests) => found,
                () = self.shared.handing_over().over(&stop) => return Ok(()),
            };
            if found.is_ok() && std::mem::take(&mut self.silent) {
                info!("Redis answers again: this replica stands for election");
            }
            let wait = match found {
                Ok(Stand::Won { seat, after_another }) => {
                    if self.led(&seat, after_another, questions, &stop).await? {
                        return Ok(());
                    }
                    continue;
                }
                Ok(Stand::Held { left, asks_for_help }) => {
                    if asks_for_help && !rests {
                        self.help().await;
                    }
                    // A moment later than Redis lets it run out.
                    beat.min(left + Duration::from_millis(2))
                }
                Ok(Stand::Young(left)) => beat.min(left),
                Ok(Stand::Free) => beat,
                Err(error) => {
                    if !std::mem::replace(&mut self.silent, true) {
                        warn!(%error, "Redis fails: no replica can be elected; this one follows until Redis answers");
                    }
                    beat
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(wait) => {}
                () = freed(&mut self.news) => {}
            }
        }
        Ok(())
    }

    /// Leads for one term; whether the process is stopped.
    async fn led(
        &mut self,
        seat: &Seat,
        after_another: bool,
        questions: broadcast::Receiver<Arc<News>>,
        stop: &CancellationToken,
    ) -> Result<bool, ReplicaError> {
        match self.lead(seat, after_another, questions, stop).await? {
            End::Stopped => return Ok(true),
            End::HandedOver => self.rests_until = Some(Instant::now() + RESTS),
            End::Lost => {}
        }
        Ok(false)
    }

    /// Leads for one term.
    async fn lead(
        &mut self,
        seat: &Seat,
        after_another: bool,
        questions: broadcast::Receiver<Arc<News>>,
        stop: &CancellationToken,
    ) -> Result<End, ReplicaError> {
        info!(term = seat.term(), "Elected: this replica reads TaskRouter and writes Sync");
        let timing = self.shared.link.timing();
        let mut term = Term::start(&self.shared, seat, after_another, questions)?;
        let mut renewal = Renewal::new(seat.clone(), timing, term.client.clone());
        let end = tokio::select! {
            over = renewal.run() => over.into(),
            () = stop.cancelled() => End::Stopped,
            early = term.early() => {
                term.abort().await;
                // This process ends, so another replica may lead at once.
                let _ = seat.release().await;
                return Err(early);
            }
        };
        match end {
            End::Lost => {
                seat.lease().end();
                let redis_failed_ms = u64::try_from(renewal.failing_for().as_millis()).unwrap_or(u64::MAX);
                warn!(term = seat.term(), redis_failed_ms, "Lost leadership: the lease expired");
                term.abort().await;
                return Ok(end);
            }
            End::HandedOver => {
                warn!(
                    term = seat.term(),
                    "Twilio is unreachable from here: handing over to a replica that reaches it"
                );
                seat.lease().end();
                term.abort().await;
                // Requests in flight may still arrive.
                sleep(timing.overlap()).await;
            }
            End::Stopped => {
                let finished = tokio::select! {
                    finished = term.stop() => { finished?; true }
                    () = renewal.run_to_the_end() => false,
                };
                if !finished {
                    warn!(
                        term = seat.term(),
                        "Lost leadership while stopping; the next leader writes what is pending"
                    );
                    return Ok(end);
                }
                info!(term = seat.term(), "Stepped down: pending writes are done");
            }
        }
        let limit = self.shared.handing_over().patience();
        let released = timeout(limit, seat.release()).await;
        if let Err(error) = released.unwrap_or(Err(LinkError::Slow(limit))) {
            warn!(%error, "Releasing the lease failed; it expires by itself");
        }
        Ok(end)
    }

    /// The leader is cut off from Twilio: offers to lead, if this one is not.
    async fn help(&mut self) {
        if self.probed_at.is_some_and(|at| at.elapsed() < PROBED_AGAIN) {
            return;
        }
        self.probed_at = Some(Instant::now());
        let limit = self.shared.link.timing().own();
        let Ok(apis) = Apis::new(&self.shared.config.core, self.shared.watched.monitor.clone()) else {
            return;
        };
        // Any answer will do, whatever it says.
        let asking = async { drop(apis.taskrouter.workspace().await) };
        let _ = timeout(limit, asking).await;
        if apis.client.unanswered_since().is_none() {
            info!("The leader is cut off from Twilio and this replica is not: offering to lead");
            if let Err(error) = self.candidate.volunteer().await {
                warn!(%error, "Could not offer to lead");
            }
        }
    }
}

/// Waits until somebody says that nobody leads.
async fn freed(news: &mut broadcast::Receiver<Arc<News>>) {
    loop {
        match news.recv().await {
            Ok(piece) if matches!(*piece, News::Free) => return,
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => return std::future::pending().await,
        }
    }
}

/// All that reads and writes, for one term.
#[derive(Debug)]
struct Term {
    work: Option<Tasks>,
    client: Arc<Client>,
    parts: Parts,
    ended: CancellationToken,
    shared: Shared,
}

impl Term {
    fn start(
        shared: &Shared,
        seat: &Seat,
        after_another: bool,
        questions: broadcast::Receiver<Arc<News>>,
    ) -> Result<Self, ReplicaError> {
        let (config, link, monitor) = (&shared.config, &shared.link, &shared.watched.monitor);
        let apis = Apis::leased(&config.core, monitor.clone(), seat.lease().clone())?;
        // Requests of the leader before may still be in flight, unless it stepped down in good order.
        let overlap = if after_another { link.timing().overlap() } else { Duration::ZERO };
        let admitted = sleep(overlap);
        let grace = config.server.shutdown_grace;
        let mut work = Tasks::default();
        let core = Pipeline::start_term(&config.core, apis.clone(), grace, monitor, &mut work, admitted);
        let handle = core.handle(&config.core);
        let ended = CancellationToken::new();
        let mut parts = Parts::default();
        let old_document = format!("taskrouter_sync_leader_{}", config.core.twilio.workspace_sid);
        let deleting = delete_old_document(apis.sync.clone(), old_document, overlap, ended.clone());
        parts.spawn("deleting an earlier version's Document", deleting);
        let document = &config.core.sync.dashboard_metrics_document;
        let drawing = feed::Worker::new(
            shared.watched.pictures.clone(),
            core.shown.clone(),
            core.publisher.status(),
            shared.watched.alerts.clone(),
            document,
            config.core.refresh.realtime_interval,
        );
        shared.leads.send_replace(true);
        parts.spawn("the feed", drawing.taking_over(core.needs()).run(ended.clone()));
        let drawn = publish(link.clone(), seat.clone(), shared.watched.pictures.clone(), ended.clone());
        parts.spawn("showing pictures to others", drawn);
        let marks = deliver(link.clone(), core.refresher.clone(), shared.news.subscribe(), ended.clone());
        parts.spawn("taking marks", marks);
        let answering = {
            let handle = handle.clone();
            let answer = move |request| {
                let handle = handle.clone();
                async move { handle.answer_json(request).await.into() }
            };
            answer_all(link.clone(), seat.name(), questions, answer, ended.clone())
        };
        parts.spawn("answering", answering);
        if let Some(metrics) = core.metrics.clone() {
            parts.spawn("keeping curves", keep_curves(link.clone(), metrics, ended.clone()));
        }
        parts.spawn("becoming ready", core.becoming_ready(shared.watched.ready.clone(), ended.clone()));
        shared.handle.send_replace(Some(handle));
        Ok(Self { work: Some(work), client: apis.client, parts, ended, shared: shared.clone() })
    }

    /// A part that ended before it was told to.
    async fn early(&mut self) -> ReplicaError {
        let Some(work) = &mut self.work else { return std::future::pending().await };
        tokio::select! {
            early = work.ended_early() => early.into(),
            early = self.parts.early() => early,
        }
    }

    /// Ends its reading and writing where they stand.
    async fn abort(mut self) {
        self.step_down();
        if let Some(work) = self.work.take() {
            work.abort().await;
        }
        self.ended.cancel();
        // How they end no longer matters.
        let _ = self.parts.end(self.shared.handing_over().patience()).await;
    }

    /// Writes what is pending, and shows it.
    async fn stop(&mut self) -> Result<(), ReplicaError> {
        let Some(work) = self.work.take() else { return Ok(()) };
        let stopped = work.stop().await;
        self.step_down();
        self.ended.cancel();
        self.parts.end(self.shared.handing_over().patience()).await?;
        Ok(stopped?)
    }

    fn step_down(&self) {
        self.shared.handle.send_replace(None);
        self.shared.leads.send_replace(false);
    }
}

impl Drop for Term {
    fn drop(&mut self) {
        self.step_down();
        self.ended.cancel();
    }
}

/// Earlier versions kept a Document in Sync that named the leader. Deletes it once a term, after the first moment at which this
/// term may write; a failure leaves it to the next term, since nothing reads the Document any more.
async fn delete_old_document(
    sync: SyncService,
    document: String,
    overlap: Duration,
    stop: CancellationToken,
) {
    let deleting = async {
        sleep(overlap).await;
        match timeout(LONGEST_DELETION, sync.delete_document(&document)).await {
            Ok(Ok(())) => info!(document, "Deleted the Document that an earlier version left in Sync"),
            Ok(Err(error)) if matches!(error.next(), Next::Missing) => {}
            Ok(Err(error)) => debug!(document, %error, "Deleting an earlier version's Document failed"),
            Err(_) => debug!(document, "Deleting an earlier version's Document timed out"),
        }
    };
    tokio::select! {
        () = stop.cancelled() => return,
        () = deleting => {}
    }
    stop.cancelled().await;
}

/// Tasks of a replica, or of a term, which share one token.
#[derive(Debug, Default)]
struct Parts(Tasks);

impl Parts {
    fn spawn(&mut self, name: &'static str, part: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(Stage::Intake, name, |_| part);
    }

    async fn early(&mut self) -> ReplicaError {
        self.0.ended_early().await.into()
    }

    /// Waits for all of them, whose token is cancelled. After `patience` those that wait for Redis are aborted: a Redis that
    /// hangs would keep one command after another waiting.
    async fn end(&mut self, patience: Duration) -> Result<(), ReplicaError> {
        let parts = std::mem::take(&mut self.0).stop_within(patience).await?;
        if parts > 0 {
            info!(parts, "Redis does not answer; what is left to be told to it is given up");
        }
        Ok(())
    }
}

/// A replica ended although it was not stopped.
#[derive(Debug, thiserror::Error)]
pub enum ReplicaError {
    /// One of its tasks ended.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// A term could not begin.
    #[error(transparent)]
    Client(#[from] ClientError),
}
