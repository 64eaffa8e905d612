//! Marks that are not read here but sent to the leader.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;

use super::Refresher;
use super::marks::Marks;
use crate::event::Invalidation;
use crate::sid::TaskSid;
use crate::stats::{LatestEvent, Snapshot};

/// Takes marks out of a [`Refresher`] that reads nothing itself.
#[derive(Debug)]
pub struct Outgoing(Arc<Marks>);

#[derive(Debug, Default)]
pub struct Sent {
    /// What is stale, each place once.
    pub touches: Vec<Invalidation>,
    pub event: Option<LatestEvent>,
    pub recordings: Vec<(TaskSid, Arc<str>)>,
}

impl Outgoing {
    /// The handle that marks, and what takes the marks out. The handle's snapshot is always empty.
    pub fn new() -> (Refresher, Self) {
        let marks = Arc::new(Marks::default());
        let (_, snapshots) = watch::channel(Arc::new(Snapshot::empty(&[], Timestamp::UNIX_EPOCH)));
        (Refresher { marks: marks.clone(), snapshots }, Self(marks))
    }

    /// Waits for marks and takes them all. Callers that wait for a refresh here are turned away.
    pub async fn next(&self) -> Sent {
        loop {
            // A mark set before has left its permit, so looking after waking misses nothing.
            self.0.wake.notified().await;
            let waiting = self.0.take();
            let sent = Sent {
                touches: waiting.touches().collect(),
                recordings: waiting.recordings.into_iter().collect(),
                event: waiting.latest_event,
            };
            if !sent.is_empty() {
                return sent;
            }
        }
    }

    /// Puts marks back that could not be sent; they are merged with what has come meanwhile.
    pub fn give_back(&self, sent: Sent) {
        sent.touches.iter().for_each(|touch| self.0.mark(touch));
        sent.event.into_iter().for_each(|event| self.0.show_event(event));
        sent.recordings.into_iter().for_each(|(task, url)| self.0.note_recording(task, url));
    }
}

impl Sent {
    pub fn mark(&self, refresher: &Refresher) {
        self.touches.iter().for_each(|touch| refresher.mark(touch));
        self.event.iter().for_each(|event| refresher.show_event(event.clone()));
        self.recordings.iter().for_each(|(task, url)| refresher.note_recording(*task, url));
    }

    fn is_empty(&self) -> bool {
        self.touches.is_empty() && self.event.is_none() && self.recordings.is_empty()
    }
}
