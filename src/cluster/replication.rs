//! Replicates the leader's feed through Redis: the whole state in a hash, and each change as a message.
//!
//! A follower that missed a message fetches the whole. Every term, and every loss of Redis's data, begins a new branch of
//! numbers, so that no client resumes from a state that no other replica knows.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use redis::Script;
use serde_json::value::RawValue;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::election::Leadership;
use super::keys::RedisKey;
use super::message::Message;
use super::redis::{Link, LinkError};
use crate::feed::{Change, FeedState, Head, Pictures};

static STORE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/store.lua")));

/// A larger change is fetched instead of sent.
const LARGEST_MESSAGE: usize = 512 * 1024;
const AGAIN: Duration = Duration::from_millis(200);
pub(super) const AT: &str = "at";
/// The field with the leader that stored it, as in the lease.
pub(super) const BY: &str = "by";

/// Writes each state of the leader's feed to Redis until `stop`.
pub async fn replicate(link: Link, leadership: Leadership, pictures: Pictures, stop: CancellationToken) {
    let mut newest = pictures.watch();
    newest.mark_changed();
    let mut stored: Option<Arc<FeedState>> = None;
    // When it failed last, while it fails.
    let mut failing: Option<Instant> = None;
    let mut checks = interval(link.timing().beat() * 2);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = newest.changed() => if changed.is_err() { return stop.cancelled().await },
            _ = checks.tick() => {
                // Redis may have lost it, or hold foreign data.
                let found = match stored_head(&link).await {
                    Ok(at) => at,
                    Err(error) if error.is_wrong_type() => None,
                    Err(_) => continue,
                };
                if stored.as_ref().is_some_and(|stored| found == Some(head_of(stored))) {
                    // A Redis without memory takes a small change now and then, and refuses the next.
                    if failing.take_if(|failed| failed.elapsed() >= link.timing().lease()).is_some() {
                        info!("Replicating the feed succeeds again");
                    }
                    continue;
                }
                stored = None;
            }
        }
        let picture = newest.borrow_and_update().clone();
        let done = put(&link, &leadership, &picture, stored.as_deref()).await;
        match done {
            Ok(Put::Stored) => stored = Some(picture),
            Ok(Put::Other) => {
                stored = None;
                newest.mark_changed();
            }
            // Another replica leads, which the renewal finds out as well; or Redis has lost everything, and the renewal
            // is about to restore the lease.
            Ok(Put::Lost) => {
                stored = None;
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(AGAIN) => newest.mark_changed(),
                }
            }
            Err(error) => {
                if failing.replace(Instant::now()).is_none() {
                    warn!(%error, "Replicating the feed fails; other replicas show an older state until it succeeds");
                }
                if error.is_wrong_type() {
                    // A whole state replaces whatever is there.
                    stored = None;
                }
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(AGAIN) => newest.mark_changed(),
                }
            }
        }
    }
}

enum Put {
    Stored,
    /// Redis holds another state than expected.
    Other,
    Lost,
}

fn head_of(picture: &FeedState) -> String {
    serde_json::to_string(&picture.head()).unwrap_or_default()
}

async fn put(
    link: &Link,
    leadership: &Leadership,
    picture: &FeedState,
    stored: Option<&FeedState>,
) -> Result<Put, LinkError> {
    let change = picture.change_since(stored);
    let expected = change.from.and(stored).map_or_else(String::new, head_of);
    let whole = expected.is_empty();
    let message =
        if whole { Message::StateReplaced } else { Message::StateChanged(Box::new(change.clone())) };
    let mut message = message.encode();
    if message.len() > LARGEST_MESSAGE {
        message = Message::StateReplaced.encode();
    }
    let mut gone: Vec<String> = Vec::new();
    let mut fields: Vec<(String, String)> = Vec::new();
    for (sid, number, json) in &change.queues {
        fields.push((format!("q:{sid}"), format!("{number} {json}")));
        gone.extend((!whole).then(|| format!("g:{sid}")));
    }
    for (sid, number) in &change.gone {
        fields.push((format!("g:{sid}"), number.to_string()));
        gone.extend((!whole).then(|| format!("q:{sid}")));
    }
    for (name, number, json) in &change.parts {
        fields.push((format!("p:{name}"), format!("{number} {json}")));
    }
    let (head, count) = (head_of(picture), gone.len().to_string());
    let name = leadership.name();
    let mut arguments: Vec<&[u8]> =
        vec![name.as_bytes(), expected.as_bytes(), head.as_bytes(), &message, count.as_bytes()];
    arguments.extend(gone.iter().map(String::as_bytes));
    arguments.extend(fields.iter().flat_map(|(field, value)| [field.as_bytes(), value.as_bytes()]));
    let keys = [RedisKey::Picture, RedisKey::Lease, RedisKey::News];
    let done: String = link.run_large(&STORE, &keys, &arguments).await?;
    Ok(match done.as_str() {
        "drawn" => Put::Stored,
        "other" => Put::Other,
        _ => Put::Lost,
    })
}

async fn stored_head(link: &Link) -> Result<Option<String>, LinkError> {
    let mut get = redis::cmd("HGET");
    get.arg(link.key(RedisKey::Picture)).arg(AT);
    link.command(&get).await
}

/// The whole state as it stands in Redis; `None` where there is none that this version can read.
pub(super) async fn fetch(link: &Link) -> Result<Option<FeedState>, LinkError> {
    let mut get = redis::cmd("HGETALL");
    get.arg(link.key(RedisKey::Picture));
    let fields: BTreeMap<String, String> = link.command(&get).await?;
    Ok(read(&fields))
}

fn read(fields: &BTreeMap<String, String>) -> Option<FeedState> {
    let head: Head = serde_json::from_str(fields.get(AT)?).ok()?;
    let mut change = Change { from: None, head, queues: vec![], gone: vec![], parts: vec![] };
    for (field, value) in fields {
        let Some((kind, name)) = field.split_once(':') else { continue };
        if kind == "g" {
            change.gone.push((name.parse().ok()?, value.parse().ok()?));
            continue;
        }
        if kind != "q" && kind != "p" {
            continue;
        }
        let (number, json) = value.split_once(' ')?;
        let (number, json) = (number.parse().ok()?, RawValue::from_string(json.to_owned()).ok()?);
        if kind == "q" {
            change.queues.push((name.parse().ok()?, number, json));
        } else {
            change.parts.push((name.to_owned(), number, json));
        }
    }
    FeedState::default().changed(&change)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_that_can_not_be_read_is_none() {
        assert!(read(&BTreeMap::new()).is_none());
        let head = r#"{"epoch":1,"number":1,"branches":[],"oldest":0,"drawn_at":"2026-01-01T00:00:00Z"}"#;
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let whole = [field("at", head), field("p:health", "1 {\"x\":1}"), field("p:unheard-of", "1 2")];
        let picture = read(&whole.into()).unwrap();
        assert_eq!((picture.at(), picture.part("health")), ((1, 1), Some("{\"x\":1}")));
        assert!(read(&[field("at", head), field("q:WQ1", "1 {}")].into()).is_none());
        let newer = head.replace("\"oldest\"", "\"moon\":\"full\",\"oldest\"");
        let newer = [field("at", &newer), field("by", "x/1"), field("z:9", "[]"), field("p:health", "1 {}")];
        assert_eq!(read(&newer.into()).unwrap().head(), serde_json::from_str(head).unwrap());
    }
}
