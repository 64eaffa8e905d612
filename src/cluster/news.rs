//! What replicas tell each other at once. Nothing depends on it: whoever misses news finds the same in Redis a moment later.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::link::Link;
use super::words::Said;
use crate::event::Carried;
use crate::feed::Change;
use crate::stats::LatestEvent;

/// News that a part may be behind with; one that is further behind looks at Redis itself.
const MOST_WAITING: usize = 512;
/// Between two tries to listen.
const AGAIN: Duration = Duration::from_millis(200);

/// A piece of news.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// Something may have been missed.
    Missed,
    /// Nobody leads any more.
    Free,
    /// Something is stale.
    Marks(Marked),
    /// The picture changed.
    Picture(Box<Change>),
    /// The picture changed so much that it is better fetched.
    Redrawn,
    /// Somebody asks the leader.
    Question {
        /// Names the answer.
        id: String,
        /// What.
        question: Value,
        /// Who leads as far as the one who asks knows, as in the lease; a replica of an older version does not say.
        #[serde(default)]
        to: Option<String>,
    },
    /// The leader's answer.
    Answer {
        /// To which question.
        id: String,
        /// HTTP status.
        status: u16,
        /// JSON.
        body: Box<RawValue>,
    },
    /// Something that all of them have to know.
    Word(Said),
}

/// What became stale.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Marked {
    /// Each a [`Touch`](crate::event::Touch) as JSON, which is its name in the hash of marks.
    pub touches: Vec<String>,
    /// The events that made them, in the same order; a replica of an older version sends none.
    #[serde(default)]
    pub traces: Vec<Option<Carried>>,
    /// The latest event, for the layout that wants it.
    pub event: Option<LatestEvent>,
    /// Recordings, by Task.
    pub recordings: Vec<(String, String)>,
    /// The mark's number; each is one more than the last.
    pub number: String,
}

impl News {
    /// As it is sent.
    pub(super) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// A channel that news come out of; [`listen`] puts them in.
pub fn channel() -> broadcast::Sender<Arc<News>> {
    broadcast::channel(MOST_WAITING).0
}

/// Passes news on until told to stop; comes back by itself where the connection breaks.
pub async fn listen(link: Link, news: broadcast::Sender<Arc<News>>, stop: CancellationToken) {
    let mut failing = false;
    loop {
        let listening = tokio::select! {
            () = stop.cancelled() => return,
            listening = link.listening() => listening,
        };
        match listening {
            Ok(listening) => {
                if std::mem::take(&mut failing) {
                    info!("Redis can be used again");
                }
                tell(&news, News::Missed);
                let (mut asking, mut messages) = listening.split();
                loop {
                    let message = tokio::select! {
                        () = stop.cancelled() => return,
                        message = messages.next() => message,
                        // Whoever only listens never finds out by itself that nobody is there any more.
                        () = tokio::time::sleep(link.timing().patience()) => {
                            let answer = asking.ping::<redis::Value>();
                            match tokio::time::timeout(link.timing().command(), answer).await {
                                Ok(Ok(_)) => continue,
                                Ok(Err(_)) | Err(_) => break,
                            }
                        }
                    };
                    let Some(message) = message else { break };
                    // A newer version may have news that this one does not know.
                    match serde_json::from_slice(message.get_payload_bytes()) {
                        Ok(read) => tell(&news, read),
                        Err(_) => debug!("News that this version does not know"),
                    }
                }
                debug!("The connection to Redis ended");
            }
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    warn!(%error, "Redis can't be used; going on with what is known");
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}

fn tell(news: &broadcast::Sender<Arc<News>>, piece: News) {
    // Nobody may be listening yet.
    let _ = news.send(Arc::new(piece));
}

/// The next piece of news; having missed some is one, too. `None` when there will be none.
pub(super) async fn next(news: &mut broadcast::Receiver<Arc<News>>) -> Option<Arc<News>> {
    match news.recv().await {
        Ok(piece) => Some(piece),
        Err(broadcast::error::RecvError::Lagged(_)) => Some(Arc::new(News::Missed)),
        Err(broadcast::error::RecvError::Closed) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_of_an_older_version_is_to_nobody_by_name() {
        let older = r#"{"question":{"id":"7","question":"tasks"}}"#;
        let Ok(News::Question { id, question, to }) = serde_json::from_str(older) else { panic!() };
        assert_eq!((id.as_str(), question, to), ("7", Value::from("tasks"), None));
        let newer = r#"{"question":{"id":"7","question":"tasks","to":"a/1","moon":"full"}}"#;
        assert!(
            matches!(serde_json::from_str(newer), Ok(News::Question { to: Some(to), .. }) if to == "a/1")
        );
    }
}
