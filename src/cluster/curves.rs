//! Keeps the curves of the wallboard's tiles in Redis for the next leader.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::keys::RedisKey;
use super::redis::{Link, LinkError};
use crate::wallboard::{Curves, Wallboard};

/// At most this much of a curve is lost with a leader.
const SAVED: Duration = Duration::from_secs(20);
/// A curve is four hours long.
const KEPT_SECONDS: u64 = 4 * 3600;

/// Loads the previous leader's curves, then saves them until `stop`.
pub async fn keep_curves(link: Link, wallboard: Wallboard, stop: CancellationToken) {
    match load(&link).await {
        Ok(curves) => wallboard.take_over(curves),
        Err(error) => debug!(%error, "Loading curves from Redis failed; they start empty"),
    }
    loop {
        let last = tokio::select! {
            () = stop.cancelled() => true,
            () = tokio::time::sleep(SAVED) => false,
        };
        if let Err(error) = save(&link, &wallboard.curves()).await {
            debug!(%error, "Saving curves to Redis failed");
        }
        if last {
            return;
        }
    }
}

async fn load(link: &Link) -> Result<Curves, LinkError> {
    let mut get = redis::cmd("GET");
    get.arg(link.key(RedisKey::History));
    let kept: Option<Vec<u8>> = link.command(&get).await?;
    Ok(kept.and_then(|kept| serde_json::from_slice(&kept).ok()).unwrap_or_default())
}

async fn save(link: &Link, curves: &Curves) -> Result<(), LinkError> {
    let mut set = redis::cmd("SET");
    set.arg(link.key(RedisKey::History)).arg(serde_json::to_vec(curves).unwrap_or_default());
    set.arg("EX").arg(KEPT_SECONDS);
    link.command::<()>(&set).await
}
