//! Maps an event to the statistics that it made stale.
//!
//! The table follows Twilio's "TaskRouter Events reference". An event type that it does not know touches everything:
//! too much is read then, never too little.

use serde::{Deserialize, Serialize};

use super::{Event, Trace};
use crate::sid::TaskQueueSid;

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invalidation {
    pub queues: Queues,
    /// The TaskChannel on which they moved; `None` means on any.
    pub channel: Option<String>,
    /// Whether today's cumulative counters moved too, and not only realtime values.
    pub counters: bool,
    pub workspace: bool,
    /// Whether a Task, or its Worker, may have changed.
    pub tasks: bool,
    /// Whether the list of TaskQueues, or one of their names, may have changed.
    pub directory: bool,
    #[serde(skip)]
    pub event: Option<Trace>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Queues {
    /// No TaskQueue.
    #[default]
    None,
    Some(Vec<TaskQueueSid>),
    All,
}

impl Invalidation {
    pub fn everything() -> Self {
        Self {
            queues: Queues::All,
            channel: None,
            counters: true,
            workspace: true,
            tasks: true,
            directory: true,
            event: None,
        }
    }
}

impl Event {
    /// The statistics that this event makes stale.
    pub fn touch(&self) -> Invalidation {
        let Some(event_type) = self.event_type.as_deref() else { return Invalidation::everything() };
        let all = Invalidation { queues: Queues::All, workspace: true, ..Invalidation::default() };
        match event_type {
            // Activities and availability: every TaskQueue that the Worker could serve shows them. Which those are
            // would cost a read to learn, and one list read refreshes them all.
            "worker.created"
            | "worker.deleted"
            | "worker.activity.update"
            | "worker.attributes.update"
            | "activity.created"
            | "activity.updated"
            | "activity.deleted" => all,
            "worker.capacity.update" | "worker.channel.availability.update" => {
                Invalidation { channel: self.channel.clone(), ..all }
            }
            "task-queue.created" | "task-queue.deleted" => {
                Invalidation { directory: true, ..self.its_queue() }
            }
            // Twilio's two lists of event types spell it in two ways.
            "task-queue.expression.updated" | "task-queue.expression-updated" => {
                Invalidation { directory: true, counters: false, ..self.its_queue() }
            }
            // Attributes only; priority may have moved with them, so its queue is read, but no counter counts it.
            "task.updated" => Invalidation { counters: false, ..self.its_queue() },
            "workflow.created"
            | "workflow.updated"
            | "workflow.deleted"
            | "task-channel.created"
            | "task-channel.updated"
            | "task-channel.deleted" => Invalidation::default(),
            // A Task before it reached a TaskQueue: only the Workspace counts it.
            "task.created" | "workflow.entered" | "workflow.target-matched" if self.task_queue.is_none() => {
                Invalidation { counters: true, workspace: true, tasks: true, ..Invalidation::default() }
            }
            // A Task that leaves the Workflow without a named TaskQueue was waiting in one of them.
            "workflow.timeout" | "workflow.skipped" if self.task_queue.is_none() => {
                Invalidation { counters: true, tasks: true, channel: self.channel.clone(), ..all }
            }
            _ if event_type.starts_with("task.")
                || event_type.starts_with("task-queue.")
                || event_type.starts_with("reservation.")
                || event_type.starts_with("workflow.") =>
            {
                self.its_queue()
            }
            _ => Invalidation::everything(),
        }
    }

    /// The TaskQueues that the event names, with their counters; all of them where it names none.
    fn its_queue(&self) -> Invalidation {
        let named: Vec<_> = self.task_queue.into_iter().chain(self.previous_task_queue).collect();
        let queues = if named.is_empty() { Queues::All } else { Queues::Some(named) };
        Invalidation {
            queues,
            channel: self.channel.clone(),
            counters: true,
            workspace: true,
            tasks: true,
            directory: false,
            event: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(event_type: &str, queue: bool) -> Event {
        Event {
            event_type: Some(event_type.to_owned()),
            task_queue: queue.then(|| "WQ00000000000000000000000000000001".parse().unwrap()),
            channel: Some("voice".to_owned()),
            ..Event::default()
        }
    }

    #[test]
    fn an_event_of_a_task_touches_its_queue_channel_and_counters() {
        for event_type in ["task-queue.entered", "reservation.accepted", "task.completed", "task.canceled"] {
            let touch = event(event_type, true).touch();
            assert!(matches!(&touch.queues, Queues::Some(queues) if queues.len() == 1), "{event_type}");
            assert_eq!(touch.channel.as_deref(), Some("voice"));
            assert!(touch.counters && touch.workspace && !touch.directory);
        }
    }

    #[test]
    fn a_moved_task_touches_both_queues() {
        let previous = "WQ00000000000000000000000000000002".parse().ok();
        let moved = Event { previous_task_queue: previous, ..event("task-queue.moved", true) };
        assert!(matches!(moved.touch().queues, Queues::Some(queues) if queues.len() == 2));
    }

    #[test]
    fn a_worker_touches_every_queue_but_no_counter() {
        let touch = event("worker.activity.update", false).touch();
        assert_eq!(touch.queues, Queues::All);
        assert_eq!(touch.channel, None, "an activity counts on every channel");
        assert!(!touch.counters);
    }

    #[test]
    fn a_queues_new_expression_refreshes_the_directory_in_either_spelling() {
        for event_type in ["task-queue.expression.updated", "task-queue.expression-updated"] {
            assert!(event(event_type, true).touch().directory, "{event_type}");
        }
    }

    #[test]
    fn the_unknown_touches_everything() {
        assert_eq!(event("workspace.updated", false).touch(), Invalidation::everything());
        assert_eq!(event("something.new", true).touch(), Invalidation::everything());
        assert_eq!(Event::default().touch(), Invalidation::everything());
        let unnamed = event("reservation.future-step", false).touch();
        assert_eq!(unnamed.queues, Queues::All);
    }
}
