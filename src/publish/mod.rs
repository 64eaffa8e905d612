//! Brings Sync to what the newest snapshot shows, within Sync's limits.
//!
//! Snapshots come in through a watch channel, so only the newest counts. The layouts turn each into wanted values; the
//! outbox compares them with what Sync holds, lets a newer value take an older one's place, and hands out one write
//! after another as budgets allow; the worker sends them. What Sync holds is read at the start and periodically (an
//! audit), so a restart rewrites nothing that is right, and what other writers delete or change comes back. A write
//! that fails is tried until it lands or a newer value is wanted.

mod audit;
mod fitted;
mod flush;
mod limit_log;
mod object;
mod objects;
mod outage;
mod outbox;
mod pacer;
mod readers;
mod seen_documents;
mod snapshot_change;
mod steps;
mod wanted;
mod worker;
mod writer;

use serde::Serialize;
use tokio::sync::{mpsc, oneshot, watch};

pub use worker::PublishWorker;

/// The publisher's handle: its status, and waiting for writes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Publisher {
    flush: mpsc::Sender<flush::Flush>,
    status: watch::Receiver<PublishStatus>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct PublishStatus {
    /// Number of the snapshot that was laid out last.
    pub laid_out: u64,
    pub audited: bool,
    /// Targets whose newest change is not written yet.
    pub unwritten: usize,
    /// Targets whose last write failed.
    pub failing: usize,
    /// The object that has more changes to write than Sync takes, if any has.
    pub at_limit: Option<BeyondLimit>,
}

/// An object with more changes than Sync's limit lets through.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BeyondLimit {
    pub object: String,
    /// Targets whose newest change waits.
    pub waiting: usize,
    /// Writes of their size that Sync takes a second.
    pub writes_a_second: f64,
}

/// The publishing task is stopping or has too many callers, so it is unknown when the writes are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the service is stopping or overloaded")]
pub struct FlushError;

/// Writes a second of values of this size that this service sends to one object at most.
pub fn writes_a_second(bytes: usize) -> f64 {
    pacer::writes_a_second(bytes)
}

impl Publisher {
    /// Waits until all that a snapshot changed has been written, or something newer in its place. What Sync refuses
    /// for good does not hold this up.
    pub async fn written(&self, snapshot: u64) -> Result<(), FlushError> {
        self.flushed(snapshot, false).await
    }

    /// The same, after looking at what Sync holds: what another writer has deleted meanwhile is there again, too.
    pub async fn restored(&self, snapshot: u64) -> Result<(), FlushError> {
        self.flushed(snapshot, true).await
    }

    async fn flushed(&self, snapshot: u64, audit: bool) -> Result<(), FlushError> {
        let (done, answer) = oneshot::channel();
        self.flush.send(flush::Flush { snapshot, audit, done }).await.map_err(|_| FlushError)?;
        answer.await.map_err(|_| FlushError)
    }

    pub fn status(&self) -> watch::Receiver<PublishStatus> {
        self.status.clone()
    }
}
