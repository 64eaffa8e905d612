//! Questions that only the leader can answer, put to it by any replica, and its answers.
//!
//! Each is put to one leader by name, and done by that one at most once. Whoever asks watches the lease meanwhile: when
//! another leads, a question that may be asked twice is put to that one, and of any other it is told that nobody knows what
//! became of it. Where nobody leads for two leases nobody is waited for, nor where Redis can't be reached for one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::{Semaphore, broadcast, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::link::{Key, Link, LinkError, Reach};
use super::news::{News, next};
use crate::pipeline::{Answer, Refusal, RequestError};

/// Questions under way at once, of one replica, and at the leader.
const MOST_QUESTIONS: usize = 64;

/// What the leader said.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// JSON, with its members in their order.
    pub body: Box<RawValue>,
}

impl From<Result<Answer, RequestError>> for Reply {
    fn from(answered: Result<Answer, RequestError>) -> Self {
        match answered.map_err(Refusal::from) {
            Ok(body) => Self { status: 200, body },
            Err(refusal) => Self { status: refusal.status, body: to_raw_value(&refusal).unwrap_or_default() },
        }
    }
}

/// Whether the same may be asked twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// It is only read, or comes to the same.
    Harmless,
    /// It changes something, and somebody else may have changed it again meanwhile.
    Never,
}

/// Asks. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Asker {
    link: Link,
    waiting: Arc<Mutex<HashMap<String, oneshot::Sender<Reply>>>>,
    places: Arc<Semaphore>,
}

/// There was no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AskError {
    /// Too many ask.
    #[error("too many questions to the leader are under way")]
    Full,
    /// Redis does not pass it on.
    #[error(transparent)]
    Refused(LinkError),
    /// Whoever leads can't be asked, and may lead all the same.
    #[error("Redis can't be reached; ask that one itself, or bring Redis back")]
    Unreachable,
    /// There is none.
    #[error("no replica leads; one will within seconds")]
    NobodyLeads,
    /// Another leads now.
    #[error("the replica that led ended before it answered; look whether it was done, and ask again if not")]
    Ended,
    /// It said nothing.
    #[error("the replica that leads did not answer in time")]
    Silent,
}

impl From<LinkError> for AskError {
    fn from(error: LinkError) -> Self {
        if error.is_unreachable() { Self::Unreachable } else { Self::Refused(error) }
    }
}

/// What became of a question to one leader.
enum Put {
    Answered(Reply),
    /// Another one leads.
    Ended,
}

impl Asker {
    /// One that asks through this link.
    pub fn new(link: Link) -> Self {
        Self { link, waiting: Arc::default(), places: Arc::new(Semaphore::new(MOST_QUESTIONS)) }
    }

    /// Asks, and waits so long for the answer at the most; less where nobody leads.
    pub async fn ask(&self, question: Value, repeat: Repeat, limit: Duration) -> Result<Reply, AskError> {
        let _place = self.places.try_acquire().map_err(|_| AskError::Full)?;
        timeout(limit, self.ask_whoever_leads(&question, repeat)).await.unwrap_or(Err(AskError::Silent))
    }

    async fn ask_whoever_leads(&self, question: &Value, repeat: Repeat) -> Result<Reply, AskError> {
        let mut seen = Seen::now(&self.link);
        loop {
            let Some(leader) = seen.look().await? else {
                sleep(self.link.timing().beat()).await;
                continue;
            };
            match self.put(question, &leader, &mut seen).await? {
                Put::Answered(reply) => return Ok(reply),
                Put::Ended if repeat == Repeat::Harmless => {}
                Put::Ended => return Err(AskError::Ended),
            }
        }
    }

    /// Puts it to one leader, and waits as long as no other leads.
    async fn put(&self, question: &Value, leader: &str, seen: &mut Seen<'_>) -> Result<Put, AskError> {
        let id = format!("{:032x}", rand::random::<u128>());
        let (answer, mut answered) = oneshot::channel();
        self.waiting().insert(id.clone(), answer);
        let _forget = Forget { asker: self, id: &id };
        let question =
            News::Question { id: id.clone(), question: question.clone(), to: Some(leader.to_owned()) };
        publish(&self.link, &question).await?;
        loop {
            tokio::select! {
                reply = &mut answered => return reply.map(Put::Answered).map_err(|_| AskError::Silent),
                () = sleep(self.link.timing().beat()) => {}
            }
            // A lease that is gone may come back to who had it, as when Redis has just forgotten everything.
            if seen.look().await?.is_some_and(|now| now != leader) {
                return Ok(Put::Ended);
            }
        }
    }

    /// Takes answers in until told to stop.
    pub async fn hear(self, mut news: broadcast::Receiver<Arc<News>>, stop: CancellationToken) {
        loop {
            let piece = tokio::select! {
                () = stop.cancelled() => return,
                piece = next(&mut news) => piece,
            };
            match piece.as_deref() {
                Some(News::Answer { id, status, body }) => {
                    if let Some(waiting) = self.waiting().remove(id) {
                        // Whoever asked may be gone.
                        let _ = waiting.send(Reply { status: *status, body: body.clone() });
                    }
                }
                Some(_) => {}
                None => return stop.cancelled().await,
            }
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, HashMap<String, oneshot::Sender<Reply>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Forget<'a> {
    asker: &'a Asker,
    id: &'a str,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.asker.waiting().remove(self.id);
    }
}

/// Who leads, and when that was last known.
struct Seen<'a> {
    link: &'a Link,
    at: Instant,
    /// When Redis answered last.
    heard: Instant,
    /// Whether it was silent before it was asked here.
    silent: bool,
}

impl<'a> Seen<'a> {
    fn now(link: &'a Link) -> Self {
        let silent = *link.reach().borrow() == Reach::Silent;
        Self { link, at: Instant::now(), heard: Instant::now(), silent }
    }

    /// Who leads now, as in the lease; an error once nobody was seen to for two leases, or Redis not heard for one.
    async fn look(&mut self) -> Result<Option<String>, AskError> {
        let mut get = redis::cmd("GET");
        get.arg(self.link.key(Key::Lease));
        let timing = self.link.timing();
        match self.link.short_command::<Option<String>>(&get).await {
            Ok(found) => {
                (self.heard, self.silent) = (Instant::now(), false);
                if found.is_some() {
                    self.at = self.heard;
                } else if self.at.elapsed() >= timing.patience() {
                    return Err(AskError::NobodyLeads);
                }
                Ok(found)
            }
            Err(error) if error.is_unreachable() => {
                if self.silent || self.heard.elapsed() >= timing.lease() {
                    return Err(AskError::Unreachable);
                }
                Ok(None)
            }
            Err(error) if self.at.elapsed() >= timing.patience() => Err(error.into()),
            Err(_) => Ok(None),
        }
    }
}

/// Answers questions until told to stop: those to this leader, named as in the lease, and those to nobody by name.
pub async fn answer_all<F>(
    link: Link,
    leader: Arc<str>,
    mut news: broadcast::Receiver<Arc<News>>,
    answer: impl Fn(Value) -> F,
    stop: CancellationToken,
) where
    F: Future<Output = Reply> + Send + 'static,
{
    let mut answers = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            Some(_) = answers.join_next() => {}
            piece = next(&mut news), if answers.len() < MOST_QUESTIONS => match piece.as_deref() {
                Some(News::Question { to: Some(to), .. }) if **to != *leader => {}
                Some(News::Question { id, question, .. }) => {
                    let (answering, link, id) = (answer(question.clone()), link.clone(), id.clone());
                    answers.spawn(async move {
                        let Reply { status, body } = answering.await;
                        // Whoever asked finds that out by itself.
                        let _ = publish(&link, &News::Answer { id, status, body }).await;
                    });
                }
                Some(_) => {}
                None => return stop.cancelled().await,
            },
        }
    }
}

pub(super) async fn publish(link: &Link, news: &News) -> Result<(), LinkError> {
    let mut publish = redis::cmd("PUBLISH");
    publish.arg(link.key(Key::News)).arg(news.encode());
    link.command::<i64>(&publish).await.map(drop)
}
