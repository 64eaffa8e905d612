//! Questions that only the leader can answer, put to it by any replica, and its answers. At most once each: a question that
//! nobody answers in time is told to whoever asked, who may ask again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::{Semaphore, broadcast, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::link::{Key, Link, LinkError};
use super::news::{News, next};

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
    /// It could not be asked.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// It said nothing.
    #[error("the replica that leads did not answer in time")]
    Silent,
}

impl Asker {
    /// One that asks through this link.
    pub fn new(link: Link) -> Self {
        Self { link, waiting: Arc::default(), places: Arc::new(Semaphore::new(MOST_QUESTIONS)) }
    }

    /// Asks, and waits so long for the answer.
    pub async fn ask(&self, question: Value, limit: Duration) -> Result<Reply, AskError> {
        let _place = self.places.try_acquire().map_err(|_| AskError::Full)?;
        let id = format!("{:032x}", rand::random::<u128>());
        let (answer, answered) = oneshot::channel();
        self.waiting().insert(id.clone(), answer);
        let _forget = Forget { asker: self, id: &id };
        publish(&self.link, &News::Question { id: id.clone(), question }).await?;
        let answered = tokio::time::timeout(limit, answered).await;
        answered.ok().and_then(Result::ok).ok_or(AskError::Silent)
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

/// Answers questions until told to stop.
pub async fn answer_all<F>(
    link: Link,
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
                Some(News::Question { id, question }) => {
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
