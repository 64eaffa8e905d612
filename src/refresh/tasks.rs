//! Reads the Tasks and which Worker has each.
//!
//! The list of Tasks does not name a Task's Worker; each Task's Reservations do, at a call a Task. So a Worker's name is
//! cached as long as its Task does not change, and each read makes a limited number of calls; the next read goes on.
//!
//! Twilio lists a finished Task for about five minutes and then deletes it. Front ends show finished Tasks, for whose
//! sake each is kept here for `TASKS_KEPT` from when it was first seen finished.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

use crate::sid::TaskSid;
use crate::stats::TaskState;
use crate::twilio::taskrouter::{Reservation, Task, TaskRouter};
use crate::twilio::{Next, TwilioError};

const MOST_LOOKUPS: usize = 25;
/// Of which this many are under way at once: a caller waits for them, and events' reads go on beside them.
const LOOKUPS_AT_ONCE: usize = 5;
/// What takes longer than this is left for the next read.
const LONGEST_LOOKUPS: Duration = Duration::from_secs(5);
/// Finished Tasks kept, the latest; a Sync Map with more items would be slow to open.
pub(super) const MOST_FINISHED: usize = 1000;

#[derive(Debug)]
pub(super) struct TaskReader {
    taskrouter: TaskRouter,
    kept: Duration,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default, Clone)]
struct Memory {
    /// As many as there are open Tasks.
    workers: BTreeMap<TaskSid, KnownTask>,
    finished: BTreeMap<TaskSid, Finished>,
}

#[derive(Debug, Clone)]
struct KnownTask {
    status: Box<str>,
    date_updated: Option<Box<str>>,
    worker_name: Option<Arc<str>>,
}

/// A finished Task, from when it was first seen finished.
#[derive(Debug, Clone)]
struct Finished {
    since: Instant,
    state: TaskState,
}

impl TaskReader {
    pub(super) fn new(taskrouter: TaskRouter, kept: Duration) -> Self {
        Self { taskrouter, kept, memory: Mutex::default() }
    }

    pub(super) async fn read(&self) -> Result<BTreeMap<TaskSid, TaskState>, TwilioError> {
        let tasks = if self.kept.is_zero() {
            self.taskrouter.open_tasks().await?
        } else {
            self.taskrouter.tasks().await?
        };
        let before = self.memory().clone();
        let is_new = |task: &&Task| before.is_new(task);
        let open = tasks.iter().filter(|task| has_worker(task));
        let completed = tasks.iter().filter(|task| *task.assignment_status == *COMPLETED);
        let found =
            self.look_up_all(open.filter(is_new).chain(completed.filter(is_new)).take(MOST_LOOKUPS)).await?;
        Ok(self.memory().take_in(tasks, found, self.kept, Instant::now()))
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock()
    }

    /// Looks up as many of these as time allows.
    async fn look_up_all(
        &self,
        tasks: impl Iterator<Item = &Task>,
    ) -> Result<BTreeMap<TaskSid, Option<KnownTask>>, TwilioError> {
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
    async fn look_up(&self, task: &Task) -> Result<(TaskSid, Option<KnownTask>), TwilioError> {
        let reservations = match self.taskrouter.task_reservations(task.sid).await {
            Ok(reservations) => reservations,
            Err(error) if error.next() == Next::Missing => return Ok((task.sid, None)),
            Err(error) => return Err(error),
        };
        let known = KnownTask {
            status: task.assignment_status.clone(),
            date_updated: task.date_updated.clone(),
            worker_name: holder(&reservations).map(Arc::from),
        };
        Ok((task.sid, Some(known)))
    }
}

impl Memory {
    /// Whether the Worker of a Task has to be looked up.
    fn is_new(&self, task: &Task) -> bool {
        let known = self.workers.get(&task.sid);
        if is_finished(task) {
            let name = known.and_then(|known| known.worker_name.as_ref());
            return name.is_none() && !self.finished.contains_key(&task.sid);
        }
        known.is_none_or(|known| !known.is_of(task))
    }

    /// Takes in a list of Tasks, and returns the Tasks to show.
    fn take_in(
        &mut self,
        tasks: Vec<Task>,
        mut found: BTreeMap<TaskSid, Option<KnownTask>>,
        kept: Duration,
        now: Instant,
    ) -> BTreeMap<TaskSid, TaskState> {
        let (mut states, mut workers) = (BTreeMap::new(), BTreeMap::new());
        let mut listed = std::collections::BTreeSet::new();
        for task in tasks {
            let sid = task.sid;
            let looked_up = found.remove(&sid);
            // The last name is better than none until there is time to look.
            let last = || self.workers.get(&sid).cloned();
            if is_finished(&task) {
                listed.insert(sid);
                let earlier = self.finished.get(&sid);
                let of_earlier = earlier.and_then(|earlier| earlier.state.worker_name.clone());
                let known = looked_up.flatten().or_else(last).and_then(|known| known.worker_name);
                let worker_name = of_earlier.or(known).filter(|_| *task.assignment_status == *COMPLETED);
                let since = earlier.map_or(now, |earlier| earlier.since);
                self.finished.insert(sid, Finished { since, state: TaskState { task, worker_name } });
                continue;
            }
            let worker = match looked_up {
                _ if !has_worker(&task) => None,
                Some(found) => found,
                None => last(),
            };
            let worker_name = worker.as_ref().and_then(|known| known.worker_name.clone());
            workers.extend(worker.map(|known| (sid, known)));
            states.insert(sid, TaskState { worker_name, task });
        }
        self.workers = workers;
        let lasts = |finished: &Finished| now.duration_since(finished.since) < kept;
        // One that Twilio still lists would count as just finished if it were forgotten.
        self.finished.retain(|sid, finished| listed.contains(sid) || lasts(finished));
        let mut shown: Vec<_> = self.finished.iter().filter(|(_, finished)| lasts(finished)).collect();
        if shown.len() > MOST_FINISHED {
            shown.sort_by(|(_, a), (_, b)| b.state.task.date_updated.cmp(&a.state.task.date_updated));
            shown.truncate(MOST_FINISHED);
        }
        for (sid, finished) in shown {
            states.entry(*sid).or_insert_with(|| finished.state.clone());
        }
        if self.finished.len() > 2 * MOST_FINISHED {
            self.finished.retain(|sid, _| listed.contains(sid) || states.contains_key(sid));
        }
        states
    }
}

impl KnownTask {
    fn is_of(&self, task: &Task) -> bool {
        self.status == task.assignment_status && self.date_updated == task.date_updated
    }
}

const COMPLETED: &str = "completed";

fn is_finished(task: &Task) -> bool {
    matches!(&*task.assignment_status, COMPLETED | "canceled")
}

fn has_worker(task: &Task) -> bool {
    matches!(&*task.assignment_status, "reserved" | "assigned" | "wrapping")
}

/// The Worker who accepted the Task, or else the one to whom it is offered.
fn holder(reservations: &[Reservation]) -> Option<&str> {
    let with = |statuses: &[&str]| {
        let mut fitting = reservations.iter().filter(|r| statuses.contains(&&*r.reservation_status));
        fitting.next_back().and_then(|reservation| reservation.worker_name.as_deref())
    };
    with(&["accepted", "wrapping", "completed"]).or_else(|| with(&["pending"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_belongs_to_the_worker_who_accepted_it() {
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

    fn task(n: u8, status: &str) -> Task {
        let task = serde_json::json!({
            "sid": format!("WT{n:032x}"), "assignment_status": status, "attributes": "{}",
            "date_updated": format!("2026-01-01T00:00:{n:02}Z"),
        });
        serde_json::from_value(task).unwrap()
    }

    fn statuses(states: &BTreeMap<TaskSid, TaskState>) -> Vec<(&str, Option<&str>)> {
        states.values().map(|state| (&*state.task.assignment_status, state.worker_name.as_deref())).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_finished_task_stays_for_its_time_with_its_worker_whether_twilio_lists_it_or_not() {
        let (mut memory, kept) = (Memory::default(), Duration::from_secs(900));
        let worker = KnownTask {
            status: "assigned".into(),
            date_updated: task(1, "assigned").date_updated,
            worker_name: Some("Ann".into()),
        };
        let found = BTreeMap::from([(task(1, "assigned").sid, Some(worker))]);
        let begin = Instant::now();
        let mut see = |tasks: &[Task], found, seconds| {
            memory.take_in(tasks.to_vec(), found, kept, begin + Duration::from_secs(seconds))
        };
        let open = see(&[task(1, "assigned"), task(2, "pending")], found, 0);
        assert_eq!(statuses(&open), [("assigned", Some("Ann")), ("pending", None)]);
        let done = [("completed", Some("Ann")), ("canceled", None)];
        let both = [task(1, "completed"), task(2, "canceled")];
        assert_eq!(statuses(&see(&both, BTreeMap::new(), 10)), done);
        assert_eq!(statuses(&see(&[], BTreeMap::new(), 909)), done, "Twilio lists them no more");
        assert_eq!(statuses(&see(&both, BTreeMap::new(), 910)), [], "their time is over");
        assert_eq!(statuses(&see(&both, BTreeMap::new(), 911)), [], "and does not begin again");
    }

    #[tokio::test(start_paused = true)]
    async fn finished_tasks_are_bounded_and_the_latest_stay() {
        let mut memory = Memory::default();
        let tasks: Vec<Task> = (0..3 * MOST_FINISHED)
            .map(|n| {
                let mut task = task(1, "completed");
                task.sid = format!("WT{n:032x}").parse().unwrap();
                task.date_updated = Some(format!("2026-01-01T00:00:00.{n:06}Z").into());
                task
            })
            .collect();
        let newest = tasks.last().unwrap().sid;
        let shown = memory.take_in(tasks, BTreeMap::new(), Duration::from_secs(900), Instant::now());
        assert_eq!(shown.len(), MOST_FINISHED);
        assert!(shown.contains_key(&newest));
        memory.take_in(Vec::new(), BTreeMap::new(), Duration::from_secs(900), Instant::now());
        assert_eq!(memory.finished.len(), MOST_FINISHED);
    }
}
