//! Tasks, Workers and a Worker's TaskQueues for callers over HTTP, read when a caller asks and not otherwise.
//!
//! For all callers together TaskRouter gets one request at a time for each kind of list, and none while the answer is fresh.
//! An answer given after an event comes from a read that began after it: the TaskRouter dashboard reads the list once per
//! event, and would otherwise stay one step behind.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::marks::Marks;
use super::tasks::TaskReader;
use crate::sid::{TaskSid, WorkerSid};
use crate::stats::TaskState;
use crate::twilio::TwilioError;
use crate::twilio::taskrouter::{TaskQueue, TaskRouter, Worker};

/// An answer is given again for this long while no event comes; pages ask every few seconds.
const FRESH: Duration = Duration::from_secs(2);
/// Between the starts of two reads of a list, however many events come.
const SPACING: Duration = Duration::from_millis(250);
/// Workers whose TaskQueues are kept: one list may hold 5,000.
const MOST_WORKERS: usize = 20;

/// The lists. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Roster(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    taskrouter: TaskRouter,
    reader: Arc<TaskReader>,
    marks: Arc<Marks>,
    tasks: Reads<(), BTreeMap<TaskSid, TaskState>>,
    workers: Reads<(), Vec<Worker>>,
    queues: Reads<WorkerSid, Vec<TaskQueue>>,
}

/// The last answers of one kind of list, each under what it is the list of, the oldest first.
#[derive(Debug)]
struct Reads<K, T> {
    most: usize,
    kept: Mutex<VecDeque<(K, Kept<T>)>>,
}

#[derive(Debug)]
struct Kept<T> {
    began_at: Instant,
    /// How many events had come when its read began.
    events: u64,
    read_at: Instant,
    value: Arc<T>,
}

impl Roster {
    /// Lists of one Workspace; `marks` counts the events.
    pub(super) fn new(taskrouter: TaskRouter, reader: Arc<TaskReader>, marks: Arc<Marks>) -> Self {
        Self(Arc::new(Inner {
            taskrouter,
            reader,
            marks,
            tasks: Reads::keep(1),
            workers: Reads::keep(1),
            queues: Reads::keep(MOST_WORKERS),
        }))
    }

    pub async fn tasks(&self) -> Result<Arc<BTreeMap<TaskSid, TaskState>>, TwilioError> {
        self.0.tasks.fresh((), || self.0.marks.events(), || self.0.reader.read()).await
    }

    /// All Workers, in TaskRouter's order.
    pub async fn workers(&self) -> Result<Arc<Vec<Worker>>, TwilioError> {
        self.0.workers.fresh((), || self.0.marks.events(), || self.0.taskrouter.workers()).await
    }

    /// The TaskQueues that a Worker is eligible for, in TaskRouter's order; none for a Worker that TaskRouter does not know.
    pub async fn queues_of(&self, worker: WorkerSid) -> Result<Arc<Vec<TaskQueue>>, TwilioError> {
        let read = || self.0.taskrouter.task_queues_of(worker);
        self.0.queues.fresh(worker, || self.0.marks.events(), read).await
    }
}

impl<K: PartialEq, T> Reads<K, T> {
    fn keep(most: usize) -> Self {
        Self { most, kept: Mutex::default() }
    }

    async fn fresh(
        &self,
        key: K,
        events: impl Fn() -> u64,
        read: impl AsyncFnOnce() -> Result<T, TwilioError>,
    ) -> Result<Arc<T>, TwilioError> {
        let seen = events();
        // Held while reading, on purpose: callers who come meanwhile wait for this answer, and those among them who have
        // seen a later event share the next read.
        let mut kept = self.kept.lock().await;
        if let Some((_, last)) = kept.iter().find(|(of, _)| *of == key)
            && last.events >= seen
            && last.read_at.elapsed() < FRESH
        {
            return Ok(last.value.clone());
        }
        if let Some((_, newest)) = kept.back() {
            tokio::time::sleep_until(newest.began_at + SPACING).await;
        }
        let (began_at, events) = (Instant::now(), events());
        let value = Arc::new(read().await?);
        kept.retain(|(of, _)| *of != key);
        if kept.len() >= self.most {
            kept.pop_front();
        }
        kept.push_back((key, Kept { began_at, events, read_at: Instant::now(), value: value.clone() }));
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn many_who_ask_at_once_are_one_question() {
        let kept = Reads::keep(1);
        let asked = AtomicU32::new(0);
        let ask = || {
            kept.fresh(
                (),
                || 0,
                async || {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    Ok(asked.fetch_add(1, Ordering::Relaxed))
                },
            )
        };
        let (first, second) = tokio::join!(ask(), ask());
        assert_eq!((*first.unwrap(), *second.unwrap()), (0, 0));
        tokio::time::advance(FRESH).await;
        assert_eq!(*ask().await.unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_given_after_an_event_shows_that_event_and_reads_stay_apart() {
        let (kept, events, reads) = (Reads::keep(1), AtomicU64::new(0), AtomicU32::new(0));
        let ask = || {
            kept.fresh(
                (),
                || events.load(Ordering::Relaxed),
                async || {
                    let shows = events.load(Ordering::Relaxed);
                    reads.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    Ok(shows)
                },
            )
        };
        let begin = Instant::now();
        assert_eq!(*ask().await.unwrap(), 0);
        events.store(1, Ordering::Relaxed);
        let during = async {
            tokio::time::sleep(SPACING).await;
            events.store(2, Ordering::Relaxed);
            *ask().await.unwrap()
        };
        let (first, second, third) = tokio::join!(ask(), during, ask());
        assert!(*first.unwrap() >= 1 && *third.unwrap() >= 1);
        assert_eq!(second, 2, "the read under way began before that event");
        assert_eq!(reads.load(Ordering::Relaxed), 3, "those who saw the same share a read");
        assert!(begin.elapsed() >= 2 * SPACING);
    }

    #[tokio::test(start_paused = true)]
    async fn each_key_has_its_own_answer_reads_stay_apart_and_the_oldest_answer_goes() {
        let (kept, reads) = (Reads::keep(2), AtomicU32::new(0));
        let ask = async |key: char| {
            let read = async || {
                reads.fetch_add(1, Ordering::Relaxed);
                Ok(key)
            };
            kept.fresh(key, || 0, read).await
        };
        let begin = Instant::now();
        for (key, read) in [('a', 1), ('b', 2), ('a', 2), ('c', 3), ('b', 3), ('a', 4)] {
            assert_eq!((*ask(key).await.unwrap(), reads.load(Ordering::Relaxed)), (key, read));
        }
        assert!(begin.elapsed() >= 3 * SPACING);
    }
}
