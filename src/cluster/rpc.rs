//! Requests that only the leader can answer, sent to it by any replica, and its responses.
//!
//! A request goes to one leader by name, which carries it out at most once. The caller watches the lease meanwhile: when
//! another replica leads, an idempotent request goes to that one, and for any other the caller learns that its outcome is
//! unknown. Where no replica leads for two leases, or Redis is unreachable for one, the caller waits no longer.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, broadcast, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::keys::RedisKey;
use super::message::{Message, next, publish};
use super::redis::{Link, LinkError, Reach};
use crate::pipeline::{Handle, LeaderAnswer, Refusal, Request};

/// Requests in flight at once, of one replica, and at the leader.
const MOST_REQUESTS: usize = 64;

/// Calls the leader. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LeaderRpc {
    link: Link,
    waiting: Arc<Mutex<HashMap<String, oneshot::Sender<Response>>>>,
    places: Arc<Semaphore>,
}

#[derive(Debug, Clone, thiserror::Error)]
pub enum RpcError {
    #[error("too many requests to the leader are in flight")]
    Full,
    #[error(transparent)]
    Redis(LinkError),
    #[error("Redis can't be reached, so no replica leads; bring Redis back")]
    Unreachable,
    #[error("no replica leads; one will within seconds")]
    NoLeader,
    #[error("the replica that led ended before it answered; look whether it was done, and ask again if not")]
    LeaderEnded,
    #[error("the replica that leads did not answer in time")]
    TimedOut,
    #[error("the leader refused with status {status}")]
    Refused { status: u16, body: LeaderAnswer },
}

impl From<LinkError> for RpcError {
    fn from(error: LinkError) -> Self {
        if error.is_unreachable() { Self::Unreachable } else { Self::Redis(error) }
    }
}

/// A response as the leader sends it.
#[derive(Debug)]
struct Response {
    /// The HTTP status; 200 for an answer.
    status: u16,
    /// JSON, with its members in their order.
    body: LeaderAnswer,
}

enum CallOutcome {
    Answered(Response),
    LeaderEnded,
}

impl LeaderRpc {
    pub fn new(link: Link) -> Self {
        Self { link, waiting: Arc::default(), places: Arc::new(Semaphore::new(MOST_REQUESTS)) }
    }

    /// The leader's answer, within the request's time limit.
    pub async fn call(&self, request: &Request) -> Result<LeaderAnswer, RpcError> {
        let _place = self.places.try_acquire().map_err(|_| RpcError::Full)?;
        let calling = self.call_any_leader(request);
        match timeout(request.time_limit(), calling).await.unwrap_or(Err(RpcError::TimedOut))? {
            Response { status: 200, body } => Ok(body),
            Response { status, body } => Err(RpcError::Refused { status, body }),
        }
    }

    async fn call_any_leader(&self, request: &Request) -> Result<Response, RpcError> {
        let mut lease = LeaseWatch::new(&self.link);
        loop {
            let Some(leader) = lease.look().await? else {
                sleep(self.link.timing().beat()).await;
                continue;
            };
            match self.send(request, &leader, &mut lease).await? {
                CallOutcome::Answered(response) => return Ok(response),
                CallOutcome::LeaderEnded if request.is_idempotent() => {}
                CallOutcome::LeaderEnded => return Err(RpcError::LeaderEnded),
            }
        }
    }

    /// Sends it to one leader, and waits for the response while no other replica leads.
    async fn send(
        &self,
        request: &Request,
        leader: &str,
        lease: &mut LeaseWatch<'_>,
    ) -> Result<CallOutcome, RpcError> {
        let id = format!("{:032x}", rand::random::<u128>());
        let (answer, mut answered) = oneshot::channel();
        self.waiting().insert(id.clone(), answer);
        let _forget = Forget { rpc: self, id: &id };
        let message =
            Message::Request { id: id.clone(), request: json!(request), to: Some(leader.to_owned()) };
        publish(&self.link, &message).await?;
        loop {
            tokio::select! {
                response = &mut answered => {
                    return response.map(CallOutcome::Answered).map_err(|_| RpcError::TimedOut);
                }
                () = sleep(self.link.timing().beat()) => {}
            }
            // A lease that is gone may come back to its holder, as when Redis has just lost everything.
            if lease.look().await?.is_some_and(|now| now != leader) {
                return Ok(CallOutcome::LeaderEnded);
            }
        }
    }

    /// Hands responses to their callers until `stop`.
    pub async fn receive(self, mut messages: broadcast::Receiver<Arc<Message>>, stop: CancellationToken) {
        loop {
            let message = tokio::select! {
                () = stop.cancelled() => return,
                message = next(&mut messages) => message,
            };
            match message.as_deref() {
                Some(Message::Response { id, status, body }) => {
                    if let Some(waiting) = self.waiting().remove(id) {
                        // The caller may be gone.
                        let _ = waiting.send(Response { status: *status, body: body.clone() });
                    }
                }
                Some(_) => {}
                None => return stop.cancelled().await,
            }
        }
    }

    fn waiting(&self) -> parking_lot::MutexGuard<'_, HashMap<String, oneshot::Sender<Response>>> {
        self.waiting.lock()
    }
}

struct Forget<'a> {
    rpc: &'a LeaderRpc,
    id: &'a str,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.rpc.waiting().remove(self.id);
    }
}

/// Who leads, and when that was last known.
struct LeaseWatch<'a> {
    link: &'a Link,
    held_at: Instant,
    answered_at: Instant,
    /// Whether Redis was silent before this call.
    was_silent: bool,
}

impl<'a> LeaseWatch<'a> {
    fn new(link: &'a Link) -> Self {
        let was_silent = *link.reach().borrow() == Reach::Silent;
        Self { link, held_at: Instant::now(), answered_at: Instant::now(), was_silent }
    }

    /// The leader as in the lease. Fails once there was none for two leases, or no answer of Redis for one.
    async fn look(&mut self) -> Result<Option<String>, RpcError> {
        let mut get = redis::cmd("GET");
        get.arg(self.link.key(RedisKey::Lease));
        let timing = self.link.timing();
        match self.link.short_command::<Option<String>>(&get).await {
            Ok(found) => {
                (self.answered_at, self.was_silent) = (Instant::now(), false);
                if found.is_some() {
                    self.held_at = self.answered_at;
                } else if self.held_at.elapsed() >= timing.patience() {
                    return Err(RpcError::NoLeader);
                }
                Ok(found)
            }
            Err(error) if error.is_unreachable() => {
                if self.was_silent || self.answered_at.elapsed() >= timing.lease() {
                    return Err(RpcError::Unreachable);
                }
                Ok(None)
            }
            Err(error) if self.held_at.elapsed() >= timing.patience() => Err(error.into()),
            Err(_) => Ok(None),
        }
    }
}

/// Answers requests until `stop`: those to this leader, as in the lease, and those of earlier versions, which name none.
pub async fn serve(
    link: Link,
    leader: Arc<str>,
    mut messages: broadcast::Receiver<Arc<Message>>,
    pipeline: Handle,
    stop: CancellationToken,
) {
    let mut answers = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            Some(_) = answers.join_next() => {}
            message = next(&mut messages), if answers.len() < MOST_REQUESTS => match message.as_deref() {
                Some(Message::Request { to: Some(to), .. }) if **to != *leader => {}
                Some(Message::Request { id, request, .. }) => {
                    let (link, id) = (link.clone(), id.clone());
                    let answering = respond(pipeline.clone(), request.clone());
                    answers.spawn(async move {
                        let Response { status, body } = answering.await;
                        // A caller without a response finds that out by itself.
                        let _ = publish(&link, &Message::Response { id, status, body }).await;
                    });
                }
                Some(_) => {}
                None => return stop.cancelled().await,
            },
        }
    }
}

async fn respond(pipeline: Handle, request: Value) -> Response {
    match pipeline.answer_json(request).await.map_err(Refusal::from) {
        Ok(body) => Response { status: 200, body },
        Err(refusal) => Response { status: refusal.status, body: LeaderAnswer::of(&refusal) },
    }
}
