//! The metrics' curves, kept in Redis for whoever leads next.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::link::{Key, Link, LinkError};
use crate::wallboard::{Curves, Metrics};

/// What is lost of a curve when a leader dies.
const SAVED: Duration = Duration::from_secs(20);
/// A curve is four hours long.
const KEPT_SECONDS: u64 = 4 * 3600;

/// Takes over what the leader before has kept, and keeps the curves from then on, until told to stop.
pub async fn keep_curves(link: Link, metrics: Metrics, stop: CancellationToken) {
    match load(&link).await {
        Ok(curves) => metrics.take_over(curves),
        Err(error) => debug!(%error, "The metrics' curves can't be read from Redis; beginning anew"),
    }
    loop {
        let last = tokio::select! {
            () = stop.cancelled() => true,
            () = tokio::time::sleep(SAVED) => false,
        };
        if let Err(error) = save(&link, &metrics.curves()).await {
            debug!(%error, "The metrics' curves can't be kept in Redis");
        }
        if last {
            return;
        }
    }
}

async fn load(link: &Link) -> Result<Curves, LinkError> {
    let mut get = redis::cmd("GET");
    get.arg(link.key(Key::History));
    let kept: Option<Vec<u8>> = link.command(&get).await?;
    Ok(kept.and_then(|kept| serde_json::from_slice(&kept).ok()).unwrap_or_default())
}

async fn save(link: &Link, curves: &Curves) -> Result<(), LinkError> {
    let mut set = redis::cmd("SET");
    set.arg(link.key(Key::History)).arg(serde_json::to_vec(curves).unwrap_or_default());
    set.arg("EX").arg(KEPT_SECONDS);
    link.command::<()>(&set).await
}
