//! Reads the open Tasks and who has them.
//!
//! The list of Tasks does not say who has one; each Task's Reservations do, at a call a Task. So a Worker's name is kept
//! as long as its Task does not change, and only so many calls are made in one go; the next read goes on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, stream};

use crate::sid::TaskSid;
use crate::stats::TaskState;
use crate::twilio::taskrouter::{Reservation, Task, TaskRouter};
use crate::twilio::{Next, TwilioError};

/// Reservations read in one go.
const MOST_LOOKUPS: usize = 25;
/// Of which so many are under way at once: whoever asks for the list waits for them, and events' reads go on beside them.
const LOOKUPS_AT_ONCE: usize = 5;
/// What takes longer than this is left for the next read.
const LONGEST_LOOKUPS: Duration = Duration::from_secs(5);

/// Reads Tasks, and remembers Workers.
#[derive(Debug)]
pub(super) struct TaskReader {
    taskrouter: TaskRouter,
    /// As many as there are open Tasks.
    workers: Mutex<BTreeMap<TaskSid, Known>>,
}

#[derive(Debug, Clone)]
struct Known {
    status: Box<str>,
    date_updated: Option<Box<str>>,
    worker_name: Option<Arc<str>>,
}

impl TaskReader {
    pub(super) fn new(taskrouter: TaskRouter) -> Self {
        Self { taskrouter, workers: Mutex::default() }
    }

    /// All open Tasks.
    pub(super) async fn read(&self) -> Result<BTreeMap<TaskSid, TaskState>, TwilioError> {
        let tasks = self.taskrouter.open_tasks().await?;
        let known = self.workers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let is_news = |task: &&Task| known.get(&task.sid).is_none_or(|known| !known.is_of(task));
        let news = tasks.iter().filter(|task| has_worker(task)).filter(is_news).take(MOST_LOOKUPS);
        let mut found = self.look_up_all(news).await?;
        let (mut states, mut next_known) = (BTreeMap::new(), BTreeMap::new());
        for task in tasks {
            let worker = match found.remove(&task.sid) {
                _ if !has_worker(&task) => None,
                Some(found) => found,
                // The last name is better than none until there is time to look.
                None => known.get(&task.sid).cloned(),
            };
            let worker_name = worker.as_ref().and_then(|known| known.worker_name.clone());
            next_known.extend(worker.map(|known| (task.sid, known)));
            states.insert(task.sid, TaskState { worker_name, task });
        }
        *self.workers.lock().unwrap_or_else(PoisonError::into_inner) = next_known;
        Ok(states)
    }

    /// As many of these as there is time for.
    async fn look_up_all(
        &self,
        tasks: impl Iterator<Item = &Task>,
    ) -> Result<BTreeMap<TaskSid, Option<Known>>, TwilioError> {
        let look_ups: Vec<_> = tasks.map(|task| self.look_up(task)).collect();
        let mut look_ups = stream::iter(look_ups).buffer_unordered(LOOKUPS_AT_ONCE);
        let mut found = BTreeMap::new();
        let enough = tokio::time::sleep(LONGEST_LOOKUPS);
        tokio::pin!(enough);
        loop {
            let next = tokio::select! {
                next = look_ups.next() => next,
                () = &mut enough => None,
            };
            match next {
                Some(looked_up) => found.extend([looked_up?]),
                None => return Ok(found),
            }
        }
    }

    /// `None` when the Task is gone by now, which the next list will tell.
    async fn look_up(&self, task: &Task) -> Result<(TaskSid, Option<Known>), TwilioError> {
        let reservations = match self.taskrouter.task_reservations(task.sid).await {
            Ok(reservations) => reservations,
            Err(error) if error.next() == Next::Missing => return Ok((task.sid, None)),
            Err(error) => return Err(error),
        };
        let known = Known {
            status: task.assignment_status.clone(),
            date_updated: task.date_updated.clone(),
            worker_name: holder(&reservations).map(Arc::from),
        };
        Ok((task.sid, Some(known)))
    }
}

impl Known {
    fn is_of(&self, task: &Task) -> bool {
        self.status == task.assignment_status && self.date_updated == task.date_updated
    }
}

fn has_worker(task: &Task) -> bool {
    matches!(&*task.assignment_status, "reserved" | "assigned" | "wrapping")
}

/// Whoever accepted, or else is being asked.
fn holder(reservations: &[Reservation]) -> Option<&str> {
    let with = |statuses: &[&str]| {
        let mut fitting = reservations.iter().filter(|r| statuses.contains(&&*r.reservation_status));
        fitting.next_back().and_then(|reservation| reservation.worker_name.as_deref())
    };
    with(&["accepted", "wrapping"]).or_else(|| with(&["pending"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_belongs_to_whoever_accepted_it() {
        let reservation = |status: &str, name: &str| Reservation {
            reservation_status: status.into(),
            worker_name: Some(name.into()),
        };
        let asked = [reservation("rejected", "Ann"), reservation("pending", "Ben")];
        assert_eq!(holder(&asked), Some("Ben"));
        let accepted =
            [reservation("accepted", "Cem"), reservation("rescinded", "Dee"), reservation("pending", "Eva")];
        assert_eq!(holder(&accepted), Some("Cem"));
        assert_eq!(holder(&[reservation("timeout", "Ann")]), None);
    }
}
