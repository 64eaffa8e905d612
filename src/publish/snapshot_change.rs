//! Which events a target's new value shows.
//!
//! A target that stands for a TaskQueue has its SID in its name, in every layout; its value changed by what was read of
//! that TaskQueue. Any other target shows the Workspace, or all of it.

use std::cell::OnceCell;

use crate::event::Trace;
use crate::layout::Target;
use crate::sid::{SID_LENGTH, TaskQueueSid, TaskSid};
use crate::stats::Snapshot;

/// The difference between two snapshots.
pub(super) struct SnapshotChange<'s> {
    before: Option<&'s Snapshot>,
    next: &'s Snapshot,
    /// Looked for once a snapshot, and only where it is wanted.
    of_all: OnceCell<Option<Trace>>,
}

impl<'s> SnapshotChange<'s> {
    pub(super) fn new(before: Option<&'s Snapshot>, next: &'s Snapshot) -> Self {
        Self { before, next, of_all: OnceCell::new() }
    }

    fn all(&self) -> Option<Trace> {
        *self.of_all.get_or_init(|| self.next.news(self.before))
    }

    /// The events that explain the change of a target's value.
    pub(super) fn of(&self, target: &Target) -> Option<Trace> {
        let name = match target {
            Target::Document(name) => name,
            Target::MapItem(_, key) => key,
        };
        match task_queue_in(name) {
            Some(queue) => {
                let before = self.before.and_then(|before| before.queues.get(&queue));
                self.next.queues.get(&queue)?.news(before.map(|before| &**before))
            }
            // An item of a Task shows what happened to it; whatever else is not a TaskQueue's shows the sum of all.
            None if is_task(name) => self.all(),
            None => self.all().map(Trace::of_all),
        }
    }
}

fn is_task(name: &str) -> bool {
    name.parse::<TaskSid>().is_ok()
}

fn task_queue_in(name: &str) -> Option<TaskQueueSid> {
    let at = name.find("WQ")?;
    name.get(at..at + SID_LENGTH)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_task_queue() {
        let sid = "WQ00000000000000000000000000000001";
        for name in [sid.to_owned(), format!("TASK_QUEUE_{sid}"), format!("queue-{sid}-x")] {
            assert_eq!(task_queue_in(&name).map(|sid| sid.to_string()).as_deref(), Some(sid), "{name}");
        }
        for name in ["WORKSPACE", "WQ1", "dashboard-data", "WQé"] {
            assert_eq!(task_queue_in(name), None, "{name}");
        }
    }
}
