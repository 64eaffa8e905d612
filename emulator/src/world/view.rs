//! What the handle shows of the state: plain copies with text SIDs, for tests and the control pages.

use serde::Serialize;

use super::{ReservationStatus, World};
use crate::state::{Queue, Reservation, State, Task, TaskStatus, Worker};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QueueView {
    /// `WQ…`
    pub sid: String,
    pub friendly_name: String,
    pub target_workers: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkerView {
    /// `WK…`
    pub sid: String,
    pub friendly_name: String,
    pub activity: String,
    pub available: bool,
    pub attributes: String,
    /// SIDs of the queues whose expression the Worker satisfies.
    pub queues: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TaskView {
    /// `WT…`
    pub sid: String,
    /// `WQ…`, unless the queue is gone.
    pub queue: Option<String>,
    pub channel: String,
    pub status: TaskStatus,
    pub priority: i64,
    /// Age in seconds.
    pub age: i64,
    pub attributes: String,
    /// Its Reservations, oldest first.
    pub reservations: Vec<ReservationView>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReservationView {
    /// `WR…`
    pub sid: String,
    /// `WK…`
    pub worker: String,
    pub status: ReservationStatus,
}

impl World {
    /// All TaskQueues, oldest first.
    pub fn queues(&self) -> Vec<QueueView> {
        self.read(|state| state.queues.iter().map(QueueView::of).collect())
    }

    /// All Workers, oldest first.
    pub fn workers(&self) -> Vec<WorkerView> {
        self.read(|state| state.workers.iter().map(|worker| WorkerView::of(state, worker)).collect())
    }

    /// All Tasks that have not been cleaned up, oldest first.
    pub fn tasks(&self) -> Vec<TaskView> {
        let now = self.clock().now_ms();
        self.read(|state| state.tasks.iter().map(|task| TaskView::of(state, task, now)).collect())
    }

    pub fn workflows(&self) -> Vec<String> {
        self.read(|state| state.workflows.iter().map(|workflow| workflow.sid.to_string()).collect())
    }

    pub fn channels(&self) -> Vec<String> {
        self.read(|state| state.channels.iter().map(|c| c.unique_name.clone()).collect())
    }

    pub fn activities(&self) -> Vec<String> {
        self.read(|state| state.activities.iter().map(|a| a.name.clone()).collect())
    }
}

impl QueueView {
    fn of(queue: &Queue) -> Self {
        Self {
            sid: queue.sid.to_string(),
            friendly_name: queue.name.clone(),
            target_workers: queue.expression.to_string(),
        }
    }
}

impl WorkerView {
    fn of(state: &State, worker: &Worker) -> Self {
        let activity = state.activities.get(worker.activity);
        let suits = state.queues.iter().filter(|queue| state.is_eligible(worker, queue));
        Self {
            sid: worker.sid.to_string(),
            friendly_name: worker.name.clone(),
            activity: activity.map(|a| a.name.clone()).unwrap_or_default(),
            available: activity.is_some_and(|a| a.available),
            attributes: worker.attributes.text().to_owned(),
            queues: suits.map(|queue| queue.sid.to_string()).collect(),
        }
    }
}

impl TaskView {
    fn of(state: &State, task: &Task, now: i64) -> Self {
        let reservations = task.reservations.iter().filter_map(|sid| state.reservations.get(*sid));
        Self {
            sid: task.sid.to_string(),
            queue: task.queue.map(|queue| queue.to_string()),
            channel: state.channels.get(task.channel).map(|c| c.unique_name.clone()).unwrap_or_default(),
            status: task.status,
            priority: task.priority,
            age: task.age(now),
            attributes: task.attributes.clone(),
            reservations: reservations.map(ReservationView::of).collect(),
        }
    }
}

impl ReservationView {
    fn of(reservation: &Reservation) -> Self {
        Self {
            sid: reservation.sid.to_string(),
            worker: reservation.worker.to_string(),
            status: reservation.status,
        }
    }
}
