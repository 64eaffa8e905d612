//! A replica that does not lead: shows the leader's feed, and marks it as stale while no leader is heard of.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::keys::RedisKey;
use super::message::{Message, next};
use super::redis::{Link, LinkError};
use super::replication::{AT, BY, fetch};
use crate::feed::{Change, Head, Pictures, new_epoch};
use crate::telemetry::metrics::Monitor;

/// Shows the leader's feed until `stop`, unless this replica leads. Marks it as stale, with the reason, while no leader
/// is heard of.
pub async fn follow(
    link: Link,
    (pictures, monitor): (Pictures, Monitor),
    mut messages: broadcast::Receiver<Arc<Message>>,
    leads: watch::Receiver<bool>,
    stop: CancellationToken,
) {
    let mut looks = interval(link.timing().beat());
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut follower = Follower {
        link,
        pictures,
        monitor,
        heard: Instant::now(),
        behind: true,
        looked_behind: false,
        stale: None,
    };
    follower.monitor.stale(None);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            message = next(&mut messages) => match message.as_deref() {
                _ if *leads.borrow() => continue,
                Some(Message::StateChanged(change)) => follower.take(change),
                Some(Message::StateReplaced | Message::Missed) => follower.behind = true,
                Some(_) => continue,
                None => return stop.cancelled().await,
            },
            _ = looks.tick() => {
                if *leads.borrow() {
                    (follower.heard, follower.behind) = (Instant::now(), false);
                    follower.no_longer_stale();
                    continue;
                }
                follower.look().await;
            }
        }
        if follower.behind && !*leads.borrow() {
            follower.catch_up(&leads).await;
        }
    }
}

/// Takes the state that Redis holds, before this replica leads and continues from it: a follower may lag behind, and
/// clients of the leader before could not resume from a state that the new one has not seen.
pub(super) async fn catch_up(link: &Link, pictures: &Pictures) {
    let Ok(Ok(Some(stored))) = timeout(link.timing().beat(), fetch(link)).await else { return };
    let (ours, theirs) = (pictures.newest().at(), stored.at());
    // A leader that is elected again may be ahead of what it had stored.
    if ours.0 != theirs.0 || ours.1 < theirs.1 {
        pictures.show(stored);
    }
}

struct Stored {
    /// Of the state, if there is one that this version can read.
    head: Option<Head>,
    is_current: bool,
}

struct Follower {
    link: Link,
    pictures: Pictures,
    monitor: Monitor,
    /// When the leader was last heard of.
    heard: Instant,
    behind: bool,
    /// Whether the last look found another state than ours.
    looked_behind: bool,
    /// Why what is shown is marked as stale, where it is.
    stale: Option<StaleReason>,
}

impl Follower {
    fn take(&mut self, change: &Change) {
        match self.pictures.newest().changed(change) {
            Some(picture) => {
                self.heard = Instant::now();
                self.pictures.show(picture);
                self.no_longer_stale();
            }
            None => self.behind = true,
        }
    }

    async fn look(&mut self) {
        let stored = self.stored().await;
        let reason = if stored.is_err() { StaleReason::RedisFails } else { StaleReason::NoLeader };
        match stored {
            Ok(Stored { head: Some(head), is_current }) if head == self.pictures.newest().head() => {
                self.looked_behind = false;
                if is_current {
                    self.heard = Instant::now();
                    self.back();
                }
            }
            Ok(Stored { head: Some(_), .. }) => {
                // Its message may be on the way.
                self.behind = std::mem::replace(&mut self.looked_behind, true);
            }
            Ok(Stored { head: None, .. }) | Err(_) => {}
        }
        if self.heard.elapsed() > self.link.timing().patience() {
            self.mark_stale(reason);
        }
    }

    async fn stored(&self) -> Result<Stored, LinkError> {
        let (mut lease, mut picture) = (redis::cmd("GET"), redis::cmd("HMGET"));
        lease.arg(self.link.key(RedisKey::Lease));
        picture.arg(self.link.key(RedisKey::Picture)).arg(AT).arg(BY);
        let lease: Option<String> = self.link.command(&lease).await?;
        let (at, by): (Option<String>, Option<String>) = self.link.command(&picture).await?;
        let head = at.and_then(|at| serde_json::from_str(&at).ok());
        // A leader of another version does not write this key, so the state grows stale.
        Ok(Stored { head, is_current: lease.is_some() && lease == by })
    }

    async fn catch_up(&mut self, leads: &watch::Receiver<bool>) {
        match fetch(&self.link).await {
            Ok(Some(picture)) => {
                self.behind = false;
                self.looked_behind = false;
                if *leads.borrow() {
                    return;
                }
                // The leader's state counts, even where it is older than ours.
                if picture.at() != self.pictures.newest().at() {
                    self.heard = Instant::now();
                    self.pictures.show(picture);
                    self.no_longer_stale();
                }
            }
            // The leader will store one; until then the last known state stays.
            Ok(None) => self.behind = false,
            Err(error) => debug!(%error, "Fetching the feed's state failed"),
        }
    }

    fn mark_stale(&mut self, reason: StaleReason) {
        let picture = self.pictures.newest();
        let is_marked = self.stale == Some(reason) && (picture.is_overlaid() || !picture.knows_queues());
        if is_marked {
            return;
        }
        if self.stale.replace(reason) != Some(reason) {
            warn!(reason = reason.text(), "Statistics are stale: no leader is heard of");
        }
        self.monitor.stale(Some(reason.label()));
        if !picture.knows_queues() {
            return;
        }
        let mut health: Value =
            picture.part("health").and_then(|health| serde_json::from_str(health).ok()).unwrap_or_default();
        health["taskrouter"] = json!({ "ok": false, "since": Timestamp::now(), "reason": reason.text() });
        self.pictures.show(picture.with_health(Some((new_epoch(), &health))));
    }

    fn back(&mut self) {
        let picture = self.pictures.newest();
        if picture.is_overlaid() {
            self.pictures.show(picture.with_health(None));
        }
        self.no_longer_stale();
    }

    /// A leader was heard of, by a message, in Redis, or because this replica leads now.
    fn no_longer_stale(&mut self) {
        if self.stale.take().is_some() {
            self.monitor.stale(None);
            info!("Statistics are current again: a leader is heard of");
        }
    }
}

/// Why a replica marks what it shows as stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StaleReason {
    RedisFails,
    NoLeader,
}

impl StaleReason {
    /// As `/metrics` names it.
    fn label(self) -> &'static str {
        match self {
            Self::RedisFails => "redis",
            Self::NoLeader => "no_leader",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::RedisFails => "Redis does not answer this replica; the last known statistics are shown",
            Self::NoLeader => "no leader is heard of; the last known statistics are shown",
        }
    }
}
