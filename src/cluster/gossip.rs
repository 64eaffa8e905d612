//! Shares facts with the other replicas: as messages with those that run, and in lists for those that start later.
//!
//! Sign-outs have a list of their own. Running replicas remember both lists. Where Redis has lost them, one replica restores
//! them.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use jiff::Timestamp;
use redis::Script;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::keys::RedisKey;
use super::message::{Message, next};
use super::redis::{Link, LinkError};
use crate::coordination::gossip::{KeptIn, OutgoingFacts, SharedFact};

static SHARE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/share.lua")));
static RESTORE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/restore.lua")));

/// The newest facts in the list, and the newest sign-outs in theirs. A list expires a day after its last entry.
const MOST_KEPT: usize = 5_000;
const MOST_SIGN_OUTS: usize = 10_000;
/// Ids of facts that were delivered, so that none is delivered twice.
const MOST_SEEN: usize = 20_000;
/// Facts that wait for Redis. With more, wrong credentials are dropped first, then the oldest.
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

/// Sends the facts of this replica, and delivers those of the others with their age in seconds, until `stop`. Calls
/// `caught_up` whenever all that Redis keeps has been delivered.
pub async fn exchange(
    link: Link,
    mut outgoing: OutgoingFacts,
    mut messages: broadcast::Receiver<Arc<Message>>,
    (deliver, caught_up): (impl Fn(SharedFact, u64) + Send, impl Fn() + Send),
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
            Some(fact) = outgoing.next() => {
                let at = Timestamp::now().as_second();
                let envelope = Envelope { id: rand::random(), at, fact };
                seen.is_new(&envelope);
                if unsent.len() >= MOST_UNSENT {
                    make_room(&mut unsent);
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
                    caught_up();
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

/// Drops one fact that waits for Redis.
fn make_room(unsent: &mut VecDeque<Envelope>) {
    let guess = unsent.iter().position(|envelope| envelope.fact.kept_in() == KeptIn::Nothing);
    unsent.remove(guess.unwrap_or(0));
}

#[derive(Debug, Default)]
struct DeliveredFacts {
    ids: HashSet<u64>,
    order: VecDeque<u64>,
    facts: VecDeque<Envelope>,
    sign_outs: VecDeque<Envelope>,
}

impl DeliveredFacts {
    fn is_new(&mut self, envelope: &Envelope) -> bool {
        if !self.ids.insert(envelope.id) {
            return false;
        }
        let kept = match envelope.fact.kept_in() {
            KeptIn::Nothing => None,
            KeptIn::SignOuts => Some((&mut self.sign_outs, MOST_SIGN_OUTS)),
            KeptIn::Facts => Some((&mut self.facts, MOST_KEPT)),
        };
        if let Some((kept, most)) = kept {
            if kept.len() >= most {
                kept.pop_front();
            }
            kept.push_back(envelope.clone());
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
            delete(link, list_of(envelope).0).await?;
            share_once(link, envelope).await
        }
        shared => shared,
    }
}

/// The list that an envelope belongs to, and how many it takes.
fn list_of(envelope: &Envelope) -> (RedisKey, usize) {
    match envelope.fact.kept_in() {
        KeptIn::SignOuts => (RedisKey::SignOuts, MOST_SIGN_OUTS),
        KeptIn::Nothing | KeptIn::Facts => (RedisKey::Facts, MOST_KEPT),
    }
}

/// Foreign data stands where the list was.
async fn delete(link: &Link, list: RedisKey) -> Result<(), LinkError> {
    let mut delete = redis::cmd("DEL");
    delete.arg(link.key(list));
    link.command::<i64>(&delete).await.map(drop)
}

async fn share_once(link: &Link, envelope: &Envelope) -> Result<(), LinkError> {
    let text = serde_json::to_vec(envelope).unwrap_or_default();
    let (list, most) = list_of(envelope);
    let (message, most) = (Message::Fact(envelope.clone()).encode(), most.to_string());
    let kept: &[u8] = if envelope.fact.kept_in() == KeptIn::Nothing { b"" } else { &text };
    link.run::<i64>(&SHARE, &[list, RedisKey::News], &[&message, kept, most.as_bytes()]).await.map(drop)
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
    let missing = |kept: &VecDeque<Envelope>| -> Vec<Vec<u8>> {
        let missing = kept.iter().rev().filter(|kept| kept.at > day_ago && !there.contains(&kept.id));
        missing.map(|kept| serde_json::to_vec(kept).unwrap_or_default()).collect()
    };
    let (facts, sign_outs) = (missing(&seen.facts), missing(&seen.sign_outs));
    if facts.is_empty() && sign_outs.is_empty() {
        return Ok(());
    }
    let counts = [MOST_KEPT, MOST_SIGN_OUTS, facts.len()].map(|count| count.to_string());
    let mut arguments: Vec<&[u8]> = vec![now.as_bytes()];
    arguments.extend(counts.iter().map(String::as_bytes));
    arguments.extend(facts.iter().chain(&sign_outs).map(Vec::as_slice));
    let keys = [RedisKey::Facts, RedisKey::SignOuts, RedisKey::Born];
    let restored = link.run_large::<i64>(&RESTORE, &keys, &arguments).await;
    restored.map(drop).inspect_err(|_| *born = Some(before))
}

/// Sign-outs, then the other facts, oldest first, without those of other versions that this one does not know.
async fn kept(link: &Link) -> Result<Vec<Envelope>, LinkError> {
    let mut all = kept_in(link, RedisKey::SignOuts).await?;
    all.extend(kept_in(link, RedisKey::Facts).await?);
    Ok(all)
}

async fn kept_in(link: &Link, list: RedisKey) -> Result<Vec<Envelope>, LinkError> {
    let mut range = redis::cmd("LRANGE");
    range.arg(link.key(list)).arg(0).arg(-1);
    let kept: Vec<Vec<u8>> = match link.command(&range).await {
        Err(error) if error.is_wrong_type() => {
            delete(link, list).await?;
            Vec::new()
        }
        kept => kept?,
    };
    Ok(kept.iter().filter_map(|kept| serde_json::from_slice(kept).ok()).collect())
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
        assert_eq!(seen.sign_outs.len(), MOST_SIGN_OUTS);
        assert!(seen.is_new(&envelope(1)), "forgotten");
    }

    #[test]
    fn facts_that_wait_for_redis_make_room_by_dropping_guesses_first() {
        let envelope = |id, fact| Envelope { id, at: 0, fact };
        let guess = SharedFact::WrongCredentials { address: [192, 0, 2, 1].into(), account: [0; 16] };
        let out = |nonce| SharedFact::SignedOut { nonce };
        let mut unsent: VecDeque<Envelope> =
            [envelope(1, out(1)), envelope(2, guess), envelope(3, out(3))].into();
        let ids = |unsent: &VecDeque<Envelope>| unsent.iter().map(|envelope| envelope.id).collect::<Vec<_>>();
        make_room(&mut unsent);
        assert_eq!(ids(&unsent), [1, 3]);
        make_room(&mut unsent);
        assert_eq!(ids(&unsent), [3]);
    }
}
