//! Decides when to read what, reads it, and folds the answers into the next snapshot.
//!
//! [`Refresher`] is the handle: events and callers mark what is stale, never waiting. Behind it one task owns the
//! schedule and the board. It takes what is due, lets the plan choose the fewest calls, runs
//! them side by side, and publishes a snapshot whenever one ends. A mark that comes while a read is under way stays
//! for one more read; a read that fails is tried again later; timers mark everything now and then, so that a lost event
//! only delays a change.

mod awaited;
mod channels;
mod key;
mod lag;
mod marks;
mod outgoing;
mod plan;
mod reader;
mod roster;
mod schedule;
mod siblings;
mod slot;
mod slots;
mod tasks;
mod ways;
mod worker;

use std::sync::Arc;

use tokio::sync::{Notify, oneshot, watch};

pub use marks::Marks;
pub use outgoing::{Outgoing, Sent};
pub use roster::Roster;
pub use worker::RefreshWorker;

use crate::event::Invalidation;
use crate::sid::TaskSid;
use crate::stats::{LatestEvent, Snapshot};

/// The handle: marks what is stale, and gives the snapshots. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Refresher {
    marks: Arc<Marks>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the service is stopping")]
pub struct Stopped;

impl Refresher {
    /// Marks what an event made stale; never waits.
    pub fn mark(&self, touch: &Invalidation) {
        self.marks.mark(touch);
    }

    /// Shows an event as the latest one, for the layout that wants it.
    pub fn show_event(&self, event: LatestEvent) {
        self.marks.show_event(event);
    }

    /// Shows where a Task's recording is, for the layout that wants it.
    pub fn note_recording(&self, task: TaskSid, url: &str) {
        self.marks.note_recording(task, url.into());
    }

    /// Reads everything again and answers with a snapshot in which each value was read after this call, or has failed
    /// since and says so.
    pub async fn refresh_all(&self) -> Result<Arc<Snapshot>, Stopped> {
        let (done, answer) = oneshot::channel();
        self.marks.refresh_all(done);
        answer.await.map_err(|_| Stopped)
    }

    /// Resolves when all that was marked before this call has been read; never where reading ends before that.
    pub fn when_read(&self) -> oneshot::Receiver<()> {
        let (told, read) = oneshot::channel();
        self.marks.when_read(told);
        read
    }

    /// The newest snapshot, and a way to wait for the next.
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }
}

/// Wakes the worker; a wake-up that comes while it is busy is not lost.
type Wake = Notify;
