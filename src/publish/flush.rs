//! Callers that wait until a snapshot has been written.

use std::collections::BTreeSet;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::outbox::Outbox;
use crate::layout::Target;

/// A caller waits until a snapshot has been written.
#[derive(Debug)]
pub(super) struct Flush {
    pub(super) snapshot: u64,
    /// Whether what Sync holds has to be looked at again before.
    pub(super) audit: bool,
    pub(super) done: oneshot::Sender<()>,
}

#[derive(Debug, Default)]
pub(super) struct Flushes(Vec<PendingFlush>);

#[derive(Debug)]
struct PendingFlush {
    flush: Flush,
    /// What remains to be written, and since when; `None` until the snapshot was laid out.
    remaining: Option<(Instant, BTreeSet<Target>)>,
}

impl Flushes {
    pub(super) fn add(&mut self, flush: Flush) {
        self.0.push(PendingFlush { flush, remaining: None });
    }

    /// Answers those whose snapshot has been written. `laid_out` is the newest snapshot that is in the outbox whole, if
    /// any is; `looking` says that some object is still to be looked at by request.
    pub(super) fn answer(&mut self, outbox: &Outbox, laid_out: Option<u64>, looking: bool, now: Instant) {
        if self.0.is_empty() {
            return;
        }
        let unwritten = outbox.unwritten();
        for waiting in std::mem::take(&mut self.0) {
            let held_up = waiting.flush.audit && looking;
            let laid_out = laid_out.filter(|_| !held_up);
            if let Some(waiting) = waiting.looked_at(outbox, &unwritten, laid_out, now) {
                self.0.push(waiting);
            }
        }
    }
}

impl PendingFlush {
    /// `None` when this caller need not wait any longer.
    fn looked_at(
        mut self,
        outbox: &Outbox,
        unwritten: &BTreeSet<Target>,
        laid_out: Option<u64>,
        now: Instant,
    ) -> Option<Self> {
        if self.remaining.is_none() && laid_out >= Some(self.flush.snapshot) {
            self.remaining = Some((now, unwritten.clone()));
        }
        if let Some((since, remaining)) = &mut self.remaining {
            let landed = |target: &Target| outbox.last_landed(target).is_some_and(|at| at > *since);
            remaining.retain(|target| unwritten.contains(target) && !landed(target));
            if remaining.is_empty() && outbox.maps_are_there() {
                // A caller that has left needs no answer.
                let _ = self.flush.done.send(());
                return None;
            }
        }
        (!self.flush.done.is_closed()).then_some(self)
    }
}
