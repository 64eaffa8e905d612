//! Whether this replica is configured like the leader: the leader stores a hash of its configuration in Redis, and
//! followers compare it with their own.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::keys::RedisKey;
use super::redis::{Link, LinkError};
use crate::config::Config;
use crate::telemetry::metrics::Monitor;

/// How long Redis keeps the identity, which the leader stores repeatedly.
const KEPT_SECONDS: u64 = 86_400;

/// A replica's program version and configuration hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    by: String,
    pub version: String,
    configuration: String,
    lease_ms: u64,
}

/// How one replica's configuration compares with another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drift {
    None,
    /// Another version of the program, whose hash covers other settings.
    OtherVersion,
    Configuration,
    /// Another `LEADER_LEASE`: two replicas may lead at once.
    Lease,
}

impl Identity {
    pub fn new(by: &str, config: &Config) -> Self {
        let lease = config.sharing.as_ref().map(|sharing| sharing.lease).unwrap_or_default();
        Self {
            by: by.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            configuration: config.fingerprint(),
            lease_ms: milliseconds(lease),
        }
    }

    /// How another replica's configuration compares with this one's.
    pub fn drift(&self, other: &Self) -> Drift {
        match () {
            () if self.lease_ms != other.lease_ms => Drift::Lease,
            () if self.version != other.version => Drift::OtherVersion,
            () if self.configuration != other.configuration => Drift::Configuration,
            () => Drift::None,
        }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Stores this replica's identity while it leads, and compares it with the leader's while it follows, until `stop`.
pub async fn compare(
    link: Link,
    own: Identity,
    mut leads: watch::Receiver<bool>,
    monitor: Monitor,
    stop: CancellationToken,
) {
    let mut looks = interval(link.timing().lease());
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut differs = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = leads.changed() => if changed.is_err() { return stop.cancelled().await },
            _ = looks.tick() => {}
        }
        let found = if *leads.borrow_and_update() {
            store(&link, &own).await.map(|()| Some(Drift::None))
        } else {
            leader(&link).await.map(|leader| leader.map(|leader| own.drift(&leader)))
        };
        match found {
            Ok(Some(drift)) => {
                let found = matches!(drift, Drift::Configuration | Drift::Lease);
                if found && !differs {
                    let lease = drift == Drift::Lease;
                    warn!(lease, "This replica's configuration differs from the leader's");
                } else if differs && !found {
                    info!("This replica's configuration no longer differs from the leader's");
                }
                differs = found;
                monitor.differing_settings(found);
            }
            // No replica leads, or the leader's version does not say.
            Ok(None) => {}
            Err(error) => debug!(%error, "Comparing the configuration with the leader's failed"),
        }
    }
}

async fn store(link: &Link, own: &Identity) -> Result<(), LinkError> {
    let mut set = redis::cmd("SET");
    set.arg(link.key(RedisKey::Settings)).arg(serde_json::to_vec(own).unwrap_or_default());
    set.arg("EX").arg(KEPT_SECONDS);
    link.command::<()>(&set).await
}

/// The leader's identity; `None` where no replica leads, or the leader's version does not say.
pub async fn leader(link: &Link) -> Result<Option<Identity>, LinkError> {
    let (mut lease, mut identity) = (redis::cmd("GET"), redis::cmd("GET"));
    lease.arg(link.key(RedisKey::Lease));
    identity.arg(link.key(RedisKey::Settings));
    let lease: Option<String> = link.command(&lease).await?;
    let identity: Option<Vec<u8>> = link.command(&identity).await?;
    let identity = identity.and_then(|identity| serde_json::from_slice::<Identity>(&identity).ok());
    Ok(identity.filter(|identity| {
        lease.is_some_and(|lease| lease.rsplit_once('/').is_some_and(|(id, _)| id == identity.by))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_replicas_of_one_version_compare_configurations_and_all_compare_the_lease() {
        let own = Identity {
            by: "a".to_owned(),
            version: "1.0.0".to_owned(),
            configuration: "1234".to_owned(),
            lease_ms: 5000,
        };
        let (by, configuration) = ("b".to_owned(), "5678".to_owned());
        assert_eq!(own.drift(&Identity { by: by.clone(), ..own.clone() }), Drift::None);
        let other = Identity { by, configuration, ..own.clone() };
        assert_eq!(own.drift(&other), Drift::Configuration);
        let newer = Identity { version: "1.1.0".to_owned(), ..other };
        assert_eq!(own.drift(&newer), Drift::OtherVersion);
        assert_eq!(own.drift(&Identity { lease_ms: 6000, ..newer }), Drift::Lease);
    }
}
