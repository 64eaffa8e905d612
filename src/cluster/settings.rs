//! Whether this replica is configured as the one that leads. The leader puts a hash of each setting down; the others compare
//! them with their own, and say which differ.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::link::{Key, Link, LinkError, hex};
use crate::telemetry::metrics::Monitor;

/// A leader puts them down anew again and again.
const KEPT_SECONDS: u64 = 86_400;

/// Settings by their variables' names, with a hash of each one's value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings(BTreeMap<String, String>);

/// What a leader says of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Told {
    /// Which replica.
    pub by: String,
    /// Of which version of this program.
    pub version: String,
    /// How it is configured.
    pub settings: Settings,
}

impl Settings {
    /// Of variables and their values, none of which is a secret.
    pub fn of(values: &[(&str, String)]) -> Self {
        let hashed = |value: &str| hex(&Sha256::digest(value)[..8]);
        Self(values.iter().map(|(name, value)| ((*name).to_owned(), hashed(value))).collect())
    }

    /// Those that both know, and that differ.
    pub fn differing(&self, other: &Self) -> Vec<String> {
        let differs = |name: &String, hash: &String| other.0.get(name).is_some_and(|other| other != hash);
        self.0.iter().filter(|(name, hash)| differs(name, hash)).map(|(name, _)| name.clone()).collect()
    }
}

/// Puts them down while this replica leads, and compares them while another does, until told to stop. `id` is this
/// replica's name in the lease.
pub async fn compare(
    link: Link,
    id: Arc<str>,
    settings: Settings,
    mut leads: watch::Receiver<bool>,
    monitor: Monitor,
    stop: CancellationToken,
) {
    let told = Told { by: (*id).to_owned(), version: env!("CARGO_PKG_VERSION").to_owned(), settings };
    let mut looks = interval(link.timing().lease());
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut differing: Vec<String> = Vec::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = leads.changed() => if changed.is_err() { return stop.cancelled().await },
            _ = looks.tick() => {}
        }
        let found = if *leads.borrow_and_update() {
            put(&link, &told).await.map(|()| Some(Vec::new()))
        } else {
            told_by_leader(&link)
                .await
                .map(|other| other.map(|other| told.settings.differing(&other.settings)))
        };
        match found {
            Ok(Some(found)) if found != differing => {
                if found.is_empty() {
                    info!("This replica is configured as the one that leads again");
                } else {
                    let names = found.join(", ");
                    warn!(differing = names, "This replica is configured otherwise than the one that leads");
                }
                monitor.differing_settings(found.len());
                differing = found;
            }
            // Nobody leads, or an older version that says nothing of itself: it stays as it was.
            Ok(_) => {}
            Err(error) => debug!(%error, "How the leader is configured can't be seen"),
        }
    }
}

async fn put(link: &Link, told: &Told) -> Result<(), LinkError> {
    let mut set = redis::cmd("SET");
    set.arg(link.key(Key::Settings)).arg(serde_json::to_vec(told).unwrap_or_default());
    set.arg("EX").arg(KEPT_SECONDS);
    link.command::<()>(&set).await
}

/// What whoever leads says of itself; `None` where nobody leads, or an older version does.
pub async fn told_by_leader(link: &Link) -> Result<Option<Told>, LinkError> {
    let (mut lease, mut told) = (redis::cmd("GET"), redis::cmd("GET"));
    lease.arg(link.key(Key::Lease));
    told.arg(link.key(Key::Settings));
    let lease: Option<String> = link.command(&lease).await?;
    let told: Option<Vec<u8>> = link.command(&told).await?;
    let told = told.and_then(|told| serde_json::from_slice::<Told>(&told).ok());
    Ok(told.filter(|told| {
        lease.is_some_and(|lease| lease.rsplit_once('/').is_some_and(|(id, _)| id == told.by))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_both_know_is_compared() {
        let of = |values: &[(&str, &str)]| {
            Settings::of(&values.iter().map(|(name, value)| (*name, (*value).to_owned())).collect::<Vec<_>>())
        };
        let ours = of(&[("A", "1"), ("B", "2"), ("OURS", "3")]);
        assert_eq!(ours.differing(&of(&[("A", "1"), ("B", "1"), ("THEIRS", "3")])), ["B"]);
        assert!(ours.differing(&Settings::default()).is_empty());
        assert!(!format!("{:?}", of(&[("A", "a-value")])).contains("a-value"));
    }
}
