//! Token buckets in Redis, for limits that hold over all replicas.

use std::sync::LazyLock;

use redis::Script;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::keys::RedisKey;
use super::redis::{Link, LinkError};
use crate::coordination::rate_limit::{Ask, BucketName, Rate};

static TAKE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/take.lua")));

/// Requests to Redis at once.
const MOST_AT_ONCE: usize = 64;

/// Answers requests until `stop`. A request without an answer from Redis stays unanswered, and callers take that as
/// allowed.
pub async fn grant(link: Link, mut asked: mpsc::Receiver<Ask>, stop: CancellationToken) {
    let mut asking = JoinSet::new();
    loop {
        let ask = tokio::select! {
            () = stop.cancelled() => return,
            Some(_) = asking.join_next() => continue,
            ask = asked.recv(), if asking.len() < MOST_AT_ONCE => match ask {
                Some(ask) => ask,
                None => return stop.cancelled().await,
            },
        };
        let link = link.clone();
        asking.spawn(async move {
            let done = match ask {
                Ask::Take { name, rate, answer } => take(&link, name, rate).await.map(|left| {
                    // The caller may be gone.
                    let _ = answer.send(left);
                }),
                Ask::GiveBack { name } => give_back(&link, name).await,
            };
            if let Err(error) = done {
                debug!(%error, "Rate limit not shared: it holds at this replica only");
            }
        });
    }
}

async fn take(link: &Link, name: BucketName, rate: Rate) -> Result<bool, LinkError> {
    let (most, every) = (rate.most.to_string(), rate.every.as_millis().max(1).to_string());
    link.run(&TAKE, &[RedisKey::Quota(name)], &[most.as_bytes(), every.as_bytes()]).await
}

async fn give_back(link: &Link, name: BucketName) -> Result<(), LinkError> {
    let mut delete = redis::cmd("DEL");
    delete.arg(link.key(RedisKey::Quota(name)));
    link.command::<i64>(&delete).await.map(drop)
}
