//! The picture in Redis: put there by the leader, taken from there by everybody else.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use jiff::Timestamp;
use redis::Script;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::link::{Key, Link, LinkError};
use super::news::{News, next};
use super::stand::Seat;
use crate::feed::{Change, Head, Picture, Pictures, new_epoch};
use crate::telemetry::metrics::Monitor;

static DRAW: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/draw.lua")));

/// A larger change is not sent to everybody, but fetched.
const LARGEST_NEWS: usize = 512 * 1024;
/// After the picture could not be put down.
const AGAIN: Duration = Duration::from_millis(200);
const AT: &str = "at";
/// In which field whoever drew it stands, as in the lease.
const BY: &str = "by";

/// Puts each picture down that is drawn here, until told to stop or another one leads.
pub async fn publish(link: Link, seat: Seat, pictures: Pictures, stop: CancellationToken) {
    let mut newest = pictures.watch();
    newest.mark_changed();
    let mut down: Option<Arc<Picture>> = None;
    // When it failed last, as long as that is not over.
    let mut failing: Option<Instant> = None;
    let mut checks = interval(link.timing().beat() * 2);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = newest.changed() => if changed.is_err() { return stop.cancelled().await },
            _ = checks.tick() => {
                // Redis may have lost it, or somebody has put something else there.
                let stands = match stands(&link).await {
                    Ok(at) => at,
                    Err(error) if error.is_wrong_type() => None,
                    Err(_) => continue,
                };
                if down.as_ref().is_some_and(|down| stands == Some(head_of(down))) {
                    // One that has no memory left takes a small change now and then, and not the next one.
                    if failing.take_if(|failed| failed.elapsed() >= link.timing().lease()).is_some() {
                        info!("Other replicas can be shown what is read again");
                    }
                    continue;
                }
                down = None;
            }
        }
        let picture = newest.borrow_and_update().clone();
        let done = put(&link, &seat, &picture, down.as_deref()).await;
        match done {
            Ok(Put::Drawn) => down = Some(picture),
            Ok(Put::Other) => {
                down = None;
                newest.mark_changed();
            }
            // Either another leads, and whoever keeps the lease finds that out, too; or Redis has forgotten everything, and
            // the lease is about to come back.
            Ok(Put::Lost) => {
                down = None;
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(AGAIN) => newest.mark_changed(),
                }
            }
            Err(error) => {
                if failing.replace(Instant::now()).is_none() {
                    warn!(%error, "Other replicas can't be shown what is read; trying again and again");
                }
                if error.is_wrong_type() {
                    // A whole one takes the place of whatever is there.
                    down = None;
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
    Drawn,
    /// Another picture stands there than we thought.
    Other,
    Lost,
}

fn head_of(picture: &Picture) -> String {
    serde_json::to_string(&picture.head()).unwrap_or_default()
}

async fn put(link: &Link, seat: &Seat, picture: &Picture, down: Option<&Picture>) -> Result<Put, LinkError> {
    let change = picture.change_since(down);
    let expected = change.from.and(down).map_or_else(String::new, head_of);
    let whole = expected.is_empty();
    let news = if whole { News::Redrawn } else { News::Picture(Box::new(change.clone())) };
    let mut news = news.encode();
    if news.len() > LARGEST_NEWS {
        news = News::Redrawn.encode();
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
    let mut arguments: Vec<&[u8]> =
        vec![seat.value().as_bytes(), expected.as_bytes(), head.as_bytes(), &news, count.as_bytes()];
    arguments.extend(gone.iter().map(String::as_bytes));
    arguments.extend(fields.iter().flat_map(|(field, value)| [field.as_bytes(), value.as_bytes()]));
    let keys = [Key::Picture, Key::Lease, Key::News];
    let done: String = link.run_large(&DRAW, &keys, &arguments).await?;
    Ok(match done.as_str() {
        "drawn" => Put::Drawn,
        "other" => Put::Other,
        _ => Put::Lost,
    })
}

async fn stands(link: &Link) -> Result<Option<String>, LinkError> {
    let mut get = redis::cmd("HGET");
    get.arg(link.key(Key::Picture)).arg(AT);
    link.command(&get).await
}

/// The whole picture as it stands in Redis; `None` where there is none that this version can read.
async fn fetch(link: &Link) -> Result<Option<Picture>, LinkError> {
    let mut get = redis::cmd("HGETALL");
    get.arg(link.key(Key::Picture));
    let fields: BTreeMap<String, String> = link.command(&get).await?;
    Ok(read(&fields))
}

fn read(fields: &BTreeMap<String, String>) -> Option<Picture> {
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
    Picture::default().changed(&change)
}

/// Shows the leader's pictures until `stop`, unless this replica leads. Marks them as stale, with the reason, while no leader is
/// heard of.
pub async fn follow(
    link: Link,
    (pictures, monitor): (Pictures, Monitor),
    mut news: broadcast::Receiver<Arc<News>>,
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
            piece = next(&mut news) => match piece.as_deref() {
                _ if *leads.borrow() => continue,
                Some(News::Picture(change)) => follower.take(change),
                Some(News::Redrawn | News::Missed) => follower.behind = true,
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

/// What stands in Redis.
struct Standing {
    /// The picture, if there is one that this version can read.
    head: Option<Head>,
    /// Whether it was drawn by whoever leads now.
    led: bool,
}

struct Follower {
    link: Link,
    pictures: Pictures,
    monitor: Monitor,
    /// When the picture was last known to be what a leader draws.
    heard: Instant,
    behind: bool,
    /// Whether the last look found another picture than ours.
    looked_behind: bool,
    /// Why what is shown is marked as stale, where it is.
    stale: Option<Stale>,
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
        let standing = self.standing().await;
        let reason = if standing.is_err() { Stale::RedisFails } else { Stale::NoLeader };
        match standing {
            Ok(Standing { head: Some(head), led }) if head == self.pictures.newest().head() => {
                self.looked_behind = false;
                if led {
                    self.heard = Instant::now();
                    self.back();
                }
            }
            Ok(Standing { head: Some(_), .. }) => {
                // The news of it may be on their way.
                self.behind = std::mem::replace(&mut self.looked_behind, true);
            }
            Ok(Standing { head: None, .. }) | Err(_) => {}
        }
        if self.heard.elapsed() > self.link.timing().patience() {
            self.mark_stale(reason);
        }
    }

    async fn standing(&self) -> Result<Standing, LinkError> {
        let (mut lease, mut picture) = (redis::cmd("GET"), redis::cmd("HMGET"));
        lease.arg(self.link.key(Key::Lease));
        picture.arg(self.link.key(Key::Picture)).arg(AT).arg(BY);
        let lease: Option<String> = self.link.command(&lease).await?;
        let (at, by): (Option<String>, Option<String>) = self.link.command(&picture).await?;
        let head = at.and_then(|at| serde_json::from_str(&at).ok());
        // A leader whose pictures have another form leaves this one alone, and it grows old.
        Ok(Standing { head, led: lease.is_some() && lease == by })
    }

    async fn catch_up(&mut self, leads: &watch::Receiver<bool>) {
        match fetch(&self.link).await {
            Ok(Some(picture)) => {
                self.behind = false;
                self.looked_behind = false;
                if *leads.borrow() {
                    return;
                }
                // A picture older than ours is what somebody else has put down meanwhile all the same.
                if picture.at() != self.pictures.newest().at() {
                    self.heard = Instant::now();
                    self.pictures.show(picture);
                    self.no_longer_stale();
                }
            }
            // There is none: whoever leads will draw one, and what is known here stays until then.
            Ok(None) => self.behind = false,
            Err(error) => debug!(%error, "The picture can't be fetched from Redis"),
        }
    }

    fn mark_stale(&mut self, reason: Stale) {
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
enum Stale {
    RedisFails,
    NoLeader,
}

impl Stale {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_picture_is_none() {
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
