//! Events by type and outcome: a table of plain numbers, known beforehand, so that counting is one atomic addition.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

/// The types in Twilio's "TaskRouter Events reference", sorted by bytes for the search.
const TYPES: [&str; 50] = [
    "activity.created",
    "activity.deleted",
    "activity.updated",
    "reservation.accepted",
    "reservation.canceled",
    "reservation.completed",
    "reservation.created",
    "reservation.failed",
    "reservation.rejected",
    "reservation.rescinded",
    "reservation.timeout",
    "reservation.wrapup",
    "task-channel.created",
    "task-channel.deleted",
    "task-channel.updated",
    "task-queue.created",
    "task-queue.deleted",
    "task-queue.entered",
    "task-queue.expression-updated",
    "task-queue.expression.updated",
    "task-queue.moved",
    "task-queue.timeout",
    "task.canceled",
    "task.completed",
    "task.created",
    "task.deleted",
    "task.system-deleted",
    "task.transfer-attempt-failed",
    "task.transfer-canceled",
    "task.transfer-completed",
    "task.transfer-failed",
    "task.transfer-initiated",
    "task.updated",
    "task.wrapup",
    "worker.activity.update",
    "worker.attributes.update",
    "worker.capacity.update",
    "worker.channel.availability.update",
    "worker.created",
    "worker.deleted",
    "workflow.created",
    "workflow.deleted",
    "workflow.entered",
    "workflow.skipped",
    "workflow.target-matched",
    "workflow.timeout",
    "workflow.updated",
    "workspace.created",
    "workspace.deleted",
    "workspace.updated",
];
const OTHER: usize = TYPES.len();
/// The index for events without a type.
const NONE: usize = TYPES.len() + 1;

/// An event's type as labels have it: one of Twilio's, else `other`.
pub fn event_type_label(event_type: Option<&str>) -> &'static str {
    let known = event_type.and_then(|name| TYPES.binary_search(&name).ok());
    known.map_or("other", |place| TYPES[place])
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventOutcome {
    Taken,
    /// The event belongs to another Account or Workspace.
    Foreign,
    /// Not signed by Twilio, or changed on its way.
    Signature,
    /// The request can't be decoded, or was cut off.
    Malformed,
}

const OUTCOMES: [&str; 4] = ["taken", "foreign", "signature", "malformed"];

#[derive(Debug)]
pub(super) struct EventCounts([[AtomicU64; OUTCOMES.len()]; TYPES.len() + 2]);

impl Default for EventCounts {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Default::default()))
    }
}

impl EventCounts {
    pub(super) fn count(&self, event_type: Option<&str>, outcome: EventOutcome) {
        let place = event_type.map_or(NONE, |name| TYPES.binary_search(&name).unwrap_or(OTHER));
        self.0[place][outcome as usize].fetch_add(1, Ordering::Relaxed);
    }
}

impl Collector for EventCounts {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let help =
            "Events by type and what became of them; one that is refused names no type that can be believed";
        let mut counters = encoder.encode_descriptor("events", help, None, MetricType::Counter)?;
        for (place, counts) in self.0.iter().enumerate() {
            let name = TYPES.get(place).copied().unwrap_or(if place == OTHER { "other" } else { "none" });
            for (outcome, count) in OUTCOMES.iter().zip(counts) {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    let labels = [("type", name), ("outcome", *outcome)];
                    counters.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&count, None)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_found() {
        assert!(TYPES.is_sorted(), "or the search would miss some");
        let counts = EventCounts::default();
        for name in TYPES {
            counts.count(Some(name), EventOutcome::Taken);
        }
        assert!(counts.0[..OTHER].iter().all(|counts| counts[0].load(Ordering::Relaxed) == 1));
        assert_eq!(counts.0[OTHER][0].load(Ordering::Relaxed), 0);
    }
}
