//! One of several replicas: stands for election, leads for a term, or follows.
//!
//! Its listener, its marks and its feed last as long as the process. The pipeline is built for each term and torn down with
//! it: dropped at once when the lease is lost, finished in order when the process stops or hands over.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::config_drift::{Identity, compare};
use super::election::{Candidate, Election, Leadership};
use super::follower::{catch_up, follow};
use super::gossip::exchange;
use super::keys::space;
use super::leader::Term;
use super::marks::carry;
use super::message::{Message, channel, listen};
use super::rate_limit::grant;
use super::redis::{Link, LinkError, Reach};
use super::renewal::{Renewal, RenewalEnd};
use super::rpc::LeaderRpc;
use super::tasks::ReplicaTasks;
use super::timing::Timing;
use crate::config::{Config, SharingConfig};
use crate::coordination::gossip::{OutgoingFacts, SharedFact};
use crate::coordination::rate_limit::Ask;
use crate::feed::Pictures;
use crate::history::Archive;
use crate::lifecycle::TaskError;
use crate::pipeline;
use crate::refresh::{Outgoing, Refresher};
use crate::telemetry::metrics::Monitor;
use crate::twilio::{Apis, ClientError};

/// Between two probes of Twilio while the leader is cut off from it.
const PROBED_AGAIN: Duration = Duration::from_secs(2);
/// A leader that handed over does not stand for election for this time.
const RESTS: Duration = Duration::from_secs(15);

/// The parts of a replica that outlive its terms. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ReplicaOutputs {
    pub pictures: Pictures,
    /// Reports of poor call quality.
    pub alerts: watch::Receiver<Value>,
    /// Whether `/readyz` answers ready.
    pub ready: watch::Sender<bool>,
    /// The counters behind `/metrics`.
    pub monitor: Monitor,
    /// Where the leader stores history.
    pub archive: Archive,
}

pub struct Exchanged {
    pub facts: OutgoingFacts,
    /// Receives the other replicas' facts, with their age in seconds.
    pub deliver: Box<dyn Fn(SharedFact, u64) + Send + Sync>,
    /// Called whenever all facts that Redis keeps were delivered.
    pub caught_up: Box<dyn Fn() + Send + Sync>,
    pub limits: mpsc::Receiver<Ask>,
}

impl std::fmt::Debug for Exchanged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchanged").finish_non_exhaustive()
    }
}

/// A replica, to be run once.
#[derive(Debug)]
pub struct Member {
    shared: ReplicaContext,
    outgoing: Outgoing,
    rpc: LeaderRpc,
    exchanged: Exchanged,
    candidate: Candidate,
}

/// The resources that each term uses.
#[derive(Debug, Clone)]
pub(super) struct ReplicaContext {
    pub(super) config: Arc<Config>,
    pub(super) link: Link,
    pub(super) messages: broadcast::Sender<Arc<Message>>,
    pub(super) watched: ReplicaOutputs,
    pub(super) handle: Arc<watch::Sender<Option<pipeline::Handle>>>,
    pub(super) leads: Arc<watch::Sender<bool>>,
}

#[derive(Debug)]
pub struct MemberHandles {
    pub refresher: Refresher,
    /// This process's pipeline, while it leads.
    pub pipeline: watch::Receiver<Option<pipeline::Handle>>,
    pub rpc: LeaderRpc,
}

/// A replica ended although it was not stopped.
#[derive(Debug, thiserror::Error)]
pub enum MemberError {
    #[error(transparent)]
    Task(#[from] TaskError),
    #[error(transparent)]
    Client(#[from] ClientError),
}

#[derive(Debug)]
enum TermEnd {
    Lost,
    HandedOver,
    Stopped,
}

impl From<RenewalEnd> for TermEnd {
    fn from(over: RenewalEnd) -> Self {
        match over {
            RenewalEnd::Lost => Self::Lost,
            RenewalEnd::HandedOver => Self::HandedOver,
        }
    }
}

impl ReplicaContext {
    /// How long a stop waits for Redis: one short command where Redis answers, hardly at all where it does not. A
    /// leader stops twice (the term, then the rest), so each time it is less than half of the time in which the process
    /// should end.
    pub(super) fn patience(&self) -> Duration {
        let timing = self.link.timing();
        let limit = match *self.link.reach().borrow() {
            Reach::Answers => timing.command(),
            Reach::Silent => timing.beat(),
        };
        limit.min(self.config.server.shutdown_grace / 4)
    }

    /// Done once a stop no longer waits for Redis.
    async fn stop_waits_no_longer(&self, stop: &CancellationToken) {
        stop.cancelled().await;
        sleep(self.patience()).await;
    }
}

impl Member {
    pub fn new(
        config: &Config,
        sharing: &SharingConfig,
        watched: ReplicaOutputs,
        exchanged: Exchanged,
    ) -> Result<(MemberHandles, Self), LinkError> {
        let link = Link::new(&sharing.redis_url, &space(config), Timing::of(sharing.lease))?;
        let (refresher, outgoing) = Outgoing::new();
        let (handle, pipeline) = watch::channel(None);
        let rpc = LeaderRpc::new(link.clone());
        let id: Arc<str> = format!("{:016x}", rand::random::<u64>()).into();
        let shared = ReplicaContext {
            config: Arc::new(config.clone()),
            link: link.clone(),
            messages: channel(),
            watched,
            handle: Arc::new(handle),
            leads: Arc::new(watch::channel(false).0),
        };
        let candidate = Candidate::new(link, id);
        let member = Self { shared, outgoing, rpc: rpc.clone(), exchanged, candidate };
        Ok((MemberHandles { refresher, pipeline, rpc }, member))
    }

    /// Leads and follows until `stop`.
    pub async fn run(self, stop: CancellationToken) -> Result<(), MemberError> {
        let Self { shared, outgoing, rpc, exchanged, candidate } = self;
        let ReplicaContext { config, link, messages, watched, leads, .. } = shared.clone();
        let ended = CancellationToken::new();
        let mut parts = ReplicaTasks::default();
        parts.spawn("receiving responses", rpc.receive(messages.subscribe(), ended.clone()));
        let shown = (watched.pictures, watched.monitor.clone());
        let following = follow(link.clone(), shown, messages.subscribe(), leads.subscribe(), ended.clone());
        parts.spawn("following the leader", following);
        parts.spawn("sending marks", carry(link.clone(), outgoing, ended.clone()));
        let Exchanged { facts, deliver, caught_up, limits } = exchanged;
        parts.spawn("sharing limits", grant(link.clone(), limits, ended.clone()));
        let sharing =
            exchange(link.clone(), facts, messages.subscribe(), (deliver, caught_up), ended.clone());
        parts.spawn("sharing facts", sharing);
        let own = Identity::new(&candidate.id(), &config);
        let monitor = watched.monitor;
        parts.spawn("watching Redis", watch_redis(link.clone(), monitor.clone(), ended.clone()));
        let comparing = compare(link.clone(), own, leads.subscribe(), monitor, ended.clone());
        parts.spawn("comparing configurations", comparing);
        parts.spawn("becoming ready", ready_by_following(shared.clone(), ended.clone()));
        let standing = ElectionLoop {
            messages: messages.subscribe(),
            shared: shared.clone(),
            candidate,
            rests_until: None,
            probed_at: None,
            redis_fails: false,
        };
        // Last, so that no task misses the first messages.
        parts.spawn("listening to Redis", listen(link, messages, ended.clone()));
        let result = tokio::select! {
            result = standing.run(stop) => result,
            early = parts.ended_early() => Err(early),
        };
        ended.cancel();
        parts.end(shared.patience()).await?;
        result
    }
}

/// Counts whether Redis answers.
async fn watch_redis(link: Link, monitor: Monitor, stop: CancellationToken) {
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

/// A follower is ready once it has statistics to show, and stays so.
async fn ready_by_following(shared: ReplicaContext, stop: CancellationToken) {
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

/// Stands for election again and again, and leads where it wins.
#[derive(Debug)]
struct ElectionLoop {
    shared: ReplicaContext,
    messages: broadcast::Receiver<Arc<Message>>,
    candidate: Candidate,
    rests_until: Option<Instant>,
    probed_at: Option<Instant>,
    redis_fails: bool,
}

impl ElectionLoop {
    async fn run(mut self, stop: CancellationToken) -> Result<(), MemberError> {
        let beat = self.shared.link.timing().beat();
        while !stop.is_cancelled() {
            let rests = self.rests_until.is_some_and(|until| Instant::now() < until);
            // Subscribed before the lease is taken, since others send requests as soon as they see it.
            let requests = self.shared.messages.subscribe();
            let found = tokio::select! {
                found = self.candidate.stand(!rests) => found,
                () = self.shared.stop_waits_no_longer(&stop) => return Ok(()),
            };
            if found.is_ok() && std::mem::take(&mut self.redis_fails) {
                info!("Redis answers again: this replica stands for election");
            }
            let wait = match found {
                Ok(Election::Won { leadership, after_another }) => {
                    match self.lead(&leadership, after_another, requests, &stop).await? {
                        TermEnd::Stopped => return Ok(()),
                        TermEnd::HandedOver => self.rests_until = Some(Instant::now() + RESTS),
                        TermEnd::Lost => {}
                    }
                    continue;
                }
                Ok(Election::Held { left, asks_for_help }) => {
                    if asks_for_help && !rests {
                        self.help().await;
                    }
                    // A moment after the lease expires in Redis.
                    beat.min(left + Duration::from_millis(2))
                }
                Ok(Election::Quarantine(left)) => beat.min(left),
                Ok(Election::Free) => beat,
                Err(error) => {
                    if !std::mem::replace(&mut self.redis_fails, true) {
                        warn!(%error, "Redis fails: no replica can be elected; this one follows until Redis answers");
                    }
                    beat
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(wait) => {}
                () = released(&mut self.messages) => {}
            }
        }
        Ok(())
    }

    async fn lead(
        &mut self,
        leadership: &Leadership,
        after_another: bool,
        requests: broadcast::Receiver<Arc<Message>>,
        stop: &CancellationToken,
    ) -> Result<TermEnd, MemberError> {
        let (timing, number) = (self.shared.link.timing(), leadership.term());
        info!(term = number, "Elected: this replica reads TaskRouter and writes Sync");
        catch_up(&self.shared.link, &self.shared.watched.pictures).await;
        let mut term = Term::start(&self.shared, leadership, after_another, requests)?;
        let mut renewal = Renewal::new(leadership.clone(), timing, term.client.clone());
        let end = tokio::select! {
            over = renewal.run() => over.into(),
            () = stop.cancelled() => TermEnd::Stopped,
            early = term.ended_early() => {
                term.abort().await;
                // This process ends, so another replica may lead at once.
                let _ = leadership.release().await;
                return Err(early);
            }
        };
        match end {
            TermEnd::Lost => {
                leadership.lease().end();
                let redis_failed_ms = u64::try_from(renewal.failing_for().as_millis()).unwrap_or(u64::MAX);
                warn!(term = number, redis_failed_ms, "Lost leadership: the lease expired");
                term.abort().await;
                return Ok(end);
            }
            TermEnd::HandedOver => {
                warn!(term = number, "Twilio is unreachable: handing over to a replica that reaches it");
                leadership.lease().end();
                term.abort().await;
                // Requests in flight may still arrive.
                sleep(timing.overlap()).await;
            }
            TermEnd::Stopped => {
                let finished = tokio::select! {
                    finished = term.stop() => { finished?; true }
                    () = renewal.run_to_the_end() => false,
                };
                if !finished {
                    warn!(
                        term = number,
                        "Lost leadership while stopping; the next leader writes what is pending"
                    );
                    return Ok(end);
                }
                info!(term = number, "Stepped down: pending writes are done");
            }
        }
        let limit = self.shared.patience();
        let released = timeout(limit, leadership.release()).await;
        if let Err(error) = released.unwrap_or(Err(LinkError::Slow(limit))) {
            warn!(%error, "Releasing the lease failed; it expires by itself");
        }
        Ok(end)
    }

    /// The leader is cut off from Twilio: offers to lead, if this replica is not.
    async fn help(&mut self) {
        if self.probed_at.is_some_and(|at| at.elapsed() < PROBED_AGAIN) {
            return;
        }
        self.probed_at = Some(Instant::now());
        let limit = self.shared.link.timing().own();
        let Ok(apis) = Apis::new(&self.shared.config.core, self.shared.watched.monitor.clone()) else {
            return;
        };
        // Any answer shows that Twilio is reachable, whatever its status.
        let asking = async { drop(apis.taskrouter.workspace().await) };
        let _ = timeout(limit, asking).await;
        if apis.client.unanswered_since().is_none() {
            info!("The leader is cut off from Twilio and this replica is not: offering to lead");
            if let Err(error) = self.candidate.volunteer().await {
                warn!(%error, "Offering to lead failed");
            }
        }
    }
}

/// Waits until a leader releases its lease.
async fn released(messages: &mut broadcast::Receiver<Arc<Message>>) {
    loop {
        match messages.recv().await {
            Ok(message) if matches!(*message, Message::LeaseReleased) => return,
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => return std::future::pending().await,
        }
    }
}
