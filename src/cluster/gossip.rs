//! Shares facts with the other replicas: as messages with those that run, and in a list for those that start later.
//!
//! Running replicas remember the list. Where Redis has lost it, one of them restores it.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use jiff::Timestamp;
use redis::Script;
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::keys::RedisKey;
use super::message::{Message, next};
use super::redis::{Link, LinkError};
use crate::coordination::gossip::SharedFact;

static SHARE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/share.lua")));
static RESTORE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/restore.lua")));

/// The newest facts in the list, which expires a day after the last.
const MOST_KEPT: usize = 5_000;
/// Ids of facts that were delivered, so that none is delivered twice.
const MOST_SEEN: usize = 20_000;
/// Facts that wait for Redis; with more the oldest are dropped.
const MOST_UNSENT: usize = 1_000;
const AGAIN: Duration = Duration::from_millis(250);
const SECONDS_KEPT: i64 = 86_400;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Envelope {
    id: u64,
    /// Seconds since 1970.
    at: i64,
    #[serde(rename = "word")]
    fact: SharedFact,
}

/// Sends the facts of this replica, and delivers those of the others with their age in seconds, until `stop`.
pub async fn exchange(
    link: Link,
    mut outgoing: mpsc::Receiver<SharedFact>,
    mut messages: broadcast::Receiver<Arc<Message>>,
    deliver: impl Fn(SharedFact, u64) + Send,
    stop: CancellationToken,
) {
    let mut seen = DeliveredFacts::default();
    let mut unsent: VecDeque<Envelope> = VecDeque::new();
    let mut behind = true;
    let mut born: Option<String> = None;
    let mut tries = tokio::time::interval(AGAIN);
    tries.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut looks = tokio::time::interval(link.timing().lease());
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            // Facts from before the stop are sent before it.
            biased;
            Some(fact) = outgoing.recv() => {
                let at = Timestamp::now().as_second();
                let envelope = Envelope { id: rand::random(), at, fact };
                seen.is_new(&envelope);
                if unsent.len() >= MOST_UNSENT {
                    unsent.pop_front();
                }
                unsent.push_back(envelope);
            }
            () = stop.cancelled() => return,
            _ = tries.tick(), if behind || !unsent.is_empty() => {}
            _ = looks.tick() => {
                if let Err(error) = restore(&link, &seen, &mut born).await {
                    debug!(%error, "Checking Redis for lost facts failed");
                }
            }
            message = next(&mut messages) => match message.as_deref() {
                Some(Message::Fact(envelope)) => take(&mut seen, envelope.clone(), &deliver),
                Some(Message::Missed) => behind = true,
                Some(_) => continue,
                None => return stop.cancelled().await,
            },
        }
        if behind {
            match kept(&link).await {
                Ok(kept) => {
                    behind = false;
                    kept.into_iter().for_each(|envelope| take(&mut seen, envelope, &deliver));
                }
                Err(error) => debug!(%error, "Reading shared facts failed"),
            }
        }
        while let Some(envelope) = unsent.front() {
            if let Err(error) = share(&link, envelope).await {
                debug!(%error, "Sharing a fact failed");
                break;
            }
            unsent.pop_front();
        }
    }
}

#[derive(Debug, Default)]
struct DeliveredFacts {
    ids: HashSet<u64>,
    order: VecDeque<u64>,
    kept: VecDeque<Envelope>,
}

impl DeliveredFacts {
    fn is_new(&mut self, envelope: &Envelope) -> bool {
        if !self.ids.insert(envelope.id) {
            return false;
        }
        if envelope.fact.is_kept() {
            if self.kept.len() >= MOST_KEPT {
                self.kept.pop_front();
            }
            self.kept.push_back(envelope.clone());
        }
        self.order.push_back(envelope.id);
        if self.order.len() > MOST_SEEN
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

fn take(seen: &mut DeliveredFacts, envelope: Envelope, deliver: &impl Fn(SharedFact, u64)) {
    if seen.is_new(&envelope) {
        let age = Timestamp::now().as_second().saturating_sub(envelope.at);
        deliver(envelope.fact, age.try_into().unwrap_or(0));
    }
}

async fn share(link: &Link, envelope: &Envelope) -> Result<(), LinkError> {
    match share_once(link, envelope).await {
        Err(error) if error.is_wrong_type() => {
            delete(link).await?;
            share_once(link, envelope).await
        }
        shared => shared,
    }
}

/// Foreign data stands where the list was.
async fn delete(link: &Link) -> Result<(), LinkError> {
    let mut delete = redis::cmd("DEL");
    delete.arg(link.key(RedisKey::Words));
    link.command::<i64>(&delete).await.map(drop)
}

async fn share_once(link: &Link, envelope: &Envelope) -> Result<(), LinkError> {
    let text = serde_json::to_vec(envelope).unwrap_or_default();
    let (message, most) = (Message::Fact(envelope.clone()).encode(), MOST_KEPT.to_string());
    let kept: &[u8] = if envelope.fact.is_kept() { &text } else { b"" };
    link.run::<i64>(&SHARE, &[RedisKey::Words, RedisKey::News], &[&message, kept, most.as_bytes()])
        .await
        .map(drop)
}

/// Restores what the list has lost, if this Redis is not the one of the last look.
async fn restore(link: &Link, seen: &DeliveredFacts, born: &mut Option<String>) -> Result<(), LinkError> {
    let mut get = redis::cmd("HMGET");
    get.arg(link.key(RedisKey::Born)).arg("run").arg("at");
    let (run, at): (Option<String>, Option<String>) = link.command(&get).await?;
    let (Some(run), Some(at)) = (run, at) else { return Ok(()) };
    let now = format!("{run} {at}");
    // At the first look this replica knows no more than the list.
    let Some(before) = born.replace(now.clone()).filter(|before| *before != now) else { return Ok(()) };
    let there = kept(link).await.inspect_err(|_| *born = Some(before.clone()))?;
    let there: HashSet<u64> = there.iter().map(|envelope| envelope.id).collect();
    let day_ago = Timestamp::now().as_second() - SECONDS_KEPT;
    let missing = seen.kept.iter().filter(|kept| kept.at > day_ago && !there.contains(&kept.id));
    let missing: Vec<Vec<u8>> = missing.map(|kept| serde_json::to_vec(kept).unwrap_or_default()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let most = MOST_KEPT.to_string();
    let mut arguments: Vec<&[u8]> = vec![now.as_bytes(), most.as_bytes()];
    arguments.extend(missing.iter().rev().map(Vec::as_slice));
    let restored = link.run_large::<i64>(&RESTORE, &[RedisKey::Words, RedisKey::Born], &arguments).await;
    restored.map(drop).inspect_err(|_| *born = Some(before))
}

/// The list, oldest first, without facts of other versions that this one does not know.
async fn kept(link: &Link) -> Result<Vec<Envelope>, LinkError> {
    let mut range = redis::cmd("LRANGE");
    range.arg(link.key(RedisKey::Words)).arg(0).arg(-1);
    let list: Vec<Vec<u8>> = match link.command(&range).await {
        Err(error) if error.is_wrong_type() => {
            delete(link).await?;
            Vec::new()
        }
        list => list?,
    };
    Ok(list.iter().filter_map(|kept| serde_json::from_slice(kept).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_is_delivered_once_and_memory_is_bounded() {
        let envelope = |id| Envelope { id, at: 0, fact: SharedFact::SignedOut { nonce: id } };
        let mut seen = DeliveredFacts::default();
        assert!(seen.is_new(&envelope(1)) && !seen.is_new(&envelope(1)));
        (2..MOST_SEEN as u64 + 2).for_each(|id| assert!(seen.is_new(&envelope(id))));
        assert_eq!((seen.ids.len(), seen.order.len()), (MOST_SEEN, MOST_SEEN));
        assert_eq!(seen.kept.len(), MOST_KEPT);
        assert!(seen.is_new(&envelope(1)), "forgotten");
    }
}
