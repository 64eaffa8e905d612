//! What replicas publish to each other. Messages may be lost: everything that matters stands in Redis as well, and is read
//! there after a [`Message::Missed`].

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::gossip::Envelope;
use super::keys::RedisKey;
use super::redis::{Link, LinkError};
use crate::event::Carried;
use crate::feed::Change;
use crate::pipeline::LeaderAnswer;
use crate::stats::LatestEvent;

/// Messages that a task may lag behind; one that lags further reads Redis.
const MOST_WAITING: usize = 512;
/// Between two attempts to subscribe.
const AGAIN: Duration = Duration::from_millis(200);

/// A message. The names on the wire are those of the first version, which other versions read.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// Messages may have been lost. Never sent.
    Missed,
    #[serde(rename = "free")]
    LeaseReleased,
    Marks(Marked),
    #[serde(rename = "picture")]
    StateChanged(Box<Change>),
    /// The feed's state changed so much that followers fetch it.
    #[serde(rename = "redrawn")]
    StateReplaced,
    #[serde(rename = "question")]
    Request {
        id: String,
        /// As the pipeline reads it.
        #[serde(rename = "question")]
        request: Value,
        /// The leader as in the lease; earlier versions do not say.
        #[serde(default)]
        to: Option<String>,
    },
    #[serde(rename = "answer")]
    Response {
        id: String,
        status: u16,
        body: LeaderAnswer,
    },
    /// A fact that all replicas share.
    #[serde(rename = "word")]
    Fact(Envelope),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Marked {
    /// Each an invalidation as JSON, which is its field in the hash of marks.
    pub touches: Vec<String>,
    /// The events that caused them, in the same order; earlier versions send none.
    #[serde(default)]
    pub traces: Vec<Option<Carried>>,
    pub event: Option<LatestEvent>,
    pub recordings: Vec<(String, String)>,
    /// The mark's number; each is one more than the last.
    pub number: String,
}

impl Message {
    pub(super) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// Distributes messages within this process; [`listen`] puts them in.
pub fn channel() -> broadcast::Sender<Arc<Message>> {
    broadcast::channel(MOST_WAITING).0
}

pub(super) async fn publish(link: &Link, message: &Message) -> Result<(), LinkError> {
    let mut publish = redis::cmd("PUBLISH");
    publish.arg(link.key(RedisKey::News)).arg(message.encode());
    link.command::<i64>(&publish).await.map(drop)
}

/// Distributes the messages of all replicas until `stop`, and resubscribes where the connection breaks.
pub async fn listen(link: Link, messages: broadcast::Sender<Arc<Message>>, stop: CancellationToken) {
    let mut failing = false;
    loop {
        let listening = tokio::select! {
            () = stop.cancelled() => return,
            listening = link.listening() => listening,
        };
        match listening {
            Ok(listening) => {
                if std::mem::take(&mut failing) {
                    info!("Subscribed to Redis again");
                }
                distribute(&messages, Message::Missed);
                let (mut sink, mut received) = listening.split();
                loop {
                    let message = tokio::select! {
                        () = stop.cancelled() => return,
                        message = received.next() => message,
                        // A dead connection delivers nothing and reports nothing.
                        () = tokio::time::sleep(link.timing().patience()) => {
                            let pong = sink.ping::<redis::Value>();
                            match tokio::time::timeout(link.timing().command(), pong).await {
                                Ok(Ok(_)) => continue,
                                Ok(Err(_)) | Err(_) => break,
                            }
                        }
                    };
                    let Some(message) = message else { break };
                    match serde_json::from_slice(message.get_payload_bytes()) {
                        Ok(read) => distribute(&messages, read),
                        Err(_) => debug!("Message of another version ignored"),
                    }
                }
                debug!("The subscription to Redis ended");
            }
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    warn!(%error, "Subscribing to Redis fails; this replica hears of no changes until it succeeds");
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}

fn distribute(messages: &broadcast::Sender<Arc<Message>>, message: Message) {
    // No task may be subscribed yet.
    let _ = messages.send(Arc::new(message));
}

/// The next message, which is [`Message::Missed`] after a lag; `None` when there will be none.
pub(super) async fn next(messages: &mut broadcast::Receiver<Arc<Message>>) -> Option<Arc<Message>> {
    match messages.recv().await {
        Ok(message) => Some(message),
        Err(broadcast::error::RecvError::Lagged(_)) => Some(Arc::new(Message::Missed)),
        Err(broadcast::error::RecvError::Closed) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_of_an_earlier_version_names_no_leader() {
        let older = r#"{"question":{"id":"7","question":"tasks"}}"#;
        let Ok(Message::Request { id, request, to }) = serde_json::from_str(older) else { panic!() };
        assert_eq!((id.as_str(), request, to), ("7", Value::from("tasks"), None));
        let newer = r#"{"question":{"id":"7","question":"tasks","to":"a/1","moon":"full"}}"#;
        assert!(
            matches!(serde_json::from_str(newer), Ok(Message::Request { to: Some(to), .. }) if to == "a/1")
        );
    }

    #[test]
    fn names_on_the_wire_stay_as_they_were() {
        let text = |message: Message| String::from_utf8(message.encode()).unwrap();
        assert_eq!(text(Message::LeaseReleased), r#""free""#);
        assert_eq!(text(Message::StateReplaced), r#""redrawn""#);
        let response = Message::Response { id: "7".to_owned(), status: 200, body: LeaderAnswer::of(&()) };
        assert_eq!(text(response), r#"{"answer":{"id":"7","status":200,"body":null}}"#);
        let request = Message::Request { id: "7".to_owned(), request: Value::from("tasks"), to: None };
        assert_eq!(text(request), r#"{"question":{"id":"7","question":"tasks","to":null}}"#);
    }
}
