//! The life of a Task: created, entering queues, changed, canceled, transferred, timed out, deleted, cleaned up.

use crate::sid::{Kind, Sid};
use crate::state::change::{Change, End};
use crate::state::{ReservationStatus, Task, TaskStatus};
use crate::world::life::{Outcome, Transaction, WorldError};

/// Finished Tasks are cleaned up after this long (an older TaskRouter limits page says 15 minutes) …
const FINISHED_KEPT_MS: i64 = 15 * 60 * 1000;
/// … and sooner when there are more than this many, so that a fast centre does not grow without bound.
const FINISHED_KEPT: usize = 20_000;
/// Default lifetime of a Task in seconds (Task resource reference).
pub(crate) const TASK_TIMEOUT: i64 = 86_400;

#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) queue: Sid,
    pub(crate) channel: usize,
    pub(crate) workflow: usize,
    pub(crate) priority: i64,
    pub(crate) attributes: String,
    pub(crate) timeout: i64,
    /// Milliseconds that it is older than now.
    pub(crate) age: i64,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct TaskUpdate {
    pub(crate) attributes: Option<String>,
    pub(crate) priority: Option<i64>,
}

impl Transaction<'_> {
    pub(crate) fn task(&mut self, task: Sid) -> Outcome<&mut Task> {
        self.state.tasks.get_mut(task).ok_or_else(|| WorldError::missing("Task", &task))
    }

    /// A Task appears and waits in its queue. The order of the events is the one seen live: the Task enters Workflow
    /// and queue before `task.created` is sent.
    pub(crate) fn create_task(&mut self, draft: Draft) -> Outcome<Sid> {
        let queue_name = self.queue_name(draft.queue)?;
        let sid = self.draw(Kind::Task);
        let created = self.at - draft.age.max(0);
        let task = Task {
            sid,
            attributes: draft.attributes,
            channel: draft.channel,
            priority: draft.priority,
            queue: Some(draft.queue),
            workflow: draft.workflow,
            status: TaskStatus::Pending,
            reason: None,
            timeout: draft.timeout,
            created,
            updated: created,
            entered: created,
            virtual_start: created,
            ended: None,
            version: 0,
            reservations: Vec::new(),
            transfer: None,
        };
        self.state.tasks.insert(sid, task);
        self.state.open.insert(sid);
        self.changes.push(Change::TaskCreated {
            task: sid,
            channel: draft.channel,
            priority: draft.priority,
            created,
        });
        self.changes.push(Change::TaskEntered {
            task: sid,
            queue: draft.queue,
            entered: created,
            moved: false,
        });
        self.task_event("workflow.entered", sid, format!("Task {sid} entered Workflow"), Vec::new());
        self.task_event(
            "task-queue.entered",
            sid,
            format!("Task {sid} entered TaskQueue {queue_name}"),
            Vec::new(),
        );
        self.task_event("task.created", sid, format!("Task {sid} created"), Vec::new());
        self.task_event(
            "workflow.target-matched",
            sid,
            format!("Task {sid} matched a routing target"),
            Vec::new(),
        );
        Ok(sid)
    }

    /// Changes attributes or priority; also allowed after the end.
    pub(crate) fn update_task(&mut self, task: Sid, update: TaskUpdate) -> Outcome {
        let at = self.at;
        let t = self.task(task)?;
        t.version += 1;
        t.updated = at;
        let mut more = Vec::new();
        if let Some(attributes) = update.attributes {
            t.attributes = attributes;
        }
        if let Some(priority) = update.priority {
            more.push(("PreviousTaskPriority", t.priority.to_string()));
            t.priority = priority;
            self.changes.push(Change::TaskPriority { task, priority });
        }
        self.task_event("task.updated", task, format!("Task {task} updated"), more);
        Ok(())
    }

    /// The customer gives up, or someone cancels. Only pending and reserved Tasks can be canceled.
    pub(crate) fn cancel(&mut self, task: Sid, reason: &str) -> Outcome {
        self.cancel_with(task, reason, End::Canceled)
    }

    /// The Workflow ran out of steps or time: the Task leaves its queue and is canceled.
    pub(crate) fn time_out_in_workflow(&mut self, task: Sid) -> Outcome {
        let status = self.task(task)?.status;
        if status != TaskStatus::Pending {
            return Err(WorldError::Refused(format!("Task {task} is {}", status.as_str())));
        }
        self.task_event(
            "task-queue.timeout",
            task,
            format!("Task {task} timed out of its TaskQueue"),
            Vec::new(),
        );
        self.task_event(
            "workflow.timeout",
            task,
            format!("Task {task} timed out of its Workflow"),
            Vec::new(),
        );
        self.cancel_with(task, "Task canceled on Workflow timeout", End::TimedOut)
    }

    fn cancel_with(&mut self, task: Sid, reason: &str, end: End) -> Outcome {
        let t = self.task(task)?;
        if !matches!(t.status, TaskStatus::Pending | TaskStatus::Reserved) {
            return Err(WorldError::Refused(format!("Task {task} is {}", t.status.as_str())));
        }
        for reservation in t.reservations.clone() {
            self.withdraw(reservation, ReservationStatus::Canceled);
        }
        self.finish(task, TaskStatus::Canceled, Some(reason), end)?;
        self.task_event(
            "task.canceled",
            task,
            format!("Task {task} canceled: {reason}"),
            vec![("TaskCanceledReason", reason.to_owned())],
        );
        Ok(())
    }

    /// Ends a Task in state and figures; the caller tells the event.
    pub(crate) fn finish(
        &mut self,
        task: Sid,
        status: TaskStatus,
        reason: Option<&str>,
        end: End,
    ) -> Outcome {
        let at = self.at;
        let t = self.task(task)?;
        t.status = status;
        t.reason = reason.map(str::to_owned).or_else(|| t.reason.take());
        t.version += 1;
        t.updated = at;
        t.ended = Some(at);
        self.changes.push(Change::TaskEnded { task, end });
        self.state.open.remove(&task);
        self.state.finished.push_back((at, task));
        Ok(())
    }

    /// Sends a Task to another queue. A waiting Task just moves; an assigned one is transferred as in Flex: the Worker
    /// is done with it, and it waits in the new queue until it is accepted.
    pub(crate) fn transfer(&mut self, task: Sid, queue: Sid) -> Outcome {
        let name = self.queue_name(queue)?;
        let t = self.task(task)?;
        let (status, reservations) = (t.status, t.reservations.clone());
        if status.is_final() {
            return Err(WorldError::Refused(format!("Task {task} is {}", status.as_str())));
        }
        let held: Vec<_> = reservations.iter().copied().filter(|r| self.is_open(*r)).collect();
        if let Some(worker) = held.first().and_then(|r| self.state.reservations.get(*r)).map(|r| r.worker)
            && status != TaskStatus::Reserved
        {
            let transfer = self.draw(Kind::Transfer);
            self.task(task)?.transfer = Some((transfer, worker));
            let more = vec![
                ("TaskTransferSid", transfer.to_string()),
                ("TransferMode", "COLD".to_owned()),
                ("TransferType", "QUEUE".to_owned()),
                ("TransferTo", queue.to_string()),
                ("TransferInitiatingWorkerSid", worker.to_string()),
            ];
            self.task_event(
                "task.transfer-initiated",
                task,
                format!("Transfer of Task {task} initiated"),
                more,
            );
        }
        for reservation in held {
            let pending = self.state.reservations.get(reservation).map(|r| r.status)
                == Some(ReservationStatus::Pending);
            self.withdraw(
                reservation,
                if pending { ReservationStatus::Canceled } else { ReservationStatus::Completed },
            );
        }
        self.task_event(
            "task-queue.moved",
            task,
            format!("Task {task} moved to TaskQueue {name}"),
            Vec::new(),
        );
        let at = self.at;
        let t = self.task(task)?;
        t.queue = Some(queue);
        t.status = TaskStatus::Pending;
        t.entered = at;
        t.updated = at;
        t.version += 1;
        self.changes.push(Change::TaskEntered { task, queue, entered: at, moved: true });
        self.task_event(
            "task-queue.entered",
            task,
            format!("Task {task} entered TaskQueue {name}"),
            Vec::new(),
        );
        Ok(())
    }

    pub(crate) fn delete_task(&mut self, task: Sid) -> Outcome {
        for reservation in self.task(task)?.reservations.clone() {
            self.withdraw(reservation, ReservationStatus::Canceled);
        }
        self.task_event("task.deleted", task, format!("Task {task} deleted"), Vec::new());
        self.changes.push(Change::TaskEnded { task, end: End::Deleted });
        self.forget(task);
        Ok(())
    }

    /// Cleans up finished Tasks that are old enough. Twilio tells no event for it.
    pub(crate) fn clean_up(&mut self) {
        while let Some((ended, task)) = self.state.finished.front().copied() {
            if ended > self.at - FINISHED_KEPT_MS && self.state.finished.len() <= FINISHED_KEPT {
                break;
            }
            self.state.finished.pop_front();
            self.forget(task);
        }
    }

    fn forget(&mut self, task: Sid) {
        self.state.open.remove(&task);
        if let Some(task) = self.state.tasks.remove(task) {
            for reservation in task.reservations {
                self.state.reservations.remove(reservation);
            }
        }
    }

    pub(crate) fn queue_name(&self, queue: Sid) -> Outcome<String> {
        self.state
            .queues
            .get(queue)
            .map(|q| q.name.clone())
            .ok_or_else(|| WorldError::missing("TaskQueue", &queue))
    }
}
