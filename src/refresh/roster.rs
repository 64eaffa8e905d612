//! Tasks and Workers for whoever asks over HTTP, read when asked for and not otherwise.
//!
//! However many ask, TaskRouter is asked once at a time and not again while the answer is fresh.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::tasks::TaskReader;
use crate::sid::TaskSid;
use crate::stats::TaskState;
use crate::twilio::TwilioError;
use crate::twilio::taskrouter::{TaskRouter, Worker};

/// An answer is given again for this long; pages ask every few seconds.
const FRESH: Duration = Duration::from_secs(2);

/// The lists. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Roster(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    taskrouter: TaskRouter,
    reader: TaskReader,
    tasks: Mutex<Option<Kept<BTreeMap<TaskSid, TaskState>>>>,
    workers: Mutex<Option<Kept<Vec<Worker>>>>,
}

#[derive(Debug)]
struct Kept<T> {
    read_at: Instant,
    value: Arc<T>,
}

impl Roster {
    /// Lists of one Workspace.
    pub fn new(taskrouter: TaskRouter) -> Self {
        let reader = TaskReader::new(taskrouter.clone());
        Self(Arc::new(Inner { taskrouter, reader, tasks: Mutex::default(), workers: Mutex::default() }))
    }

    /// The open Tasks.
    pub async fn tasks(&self) -> Result<Arc<BTreeMap<TaskSid, TaskState>>, TwilioError> {
        fresh(&self.0.tasks, || self.0.reader.read()).await
    }

    /// All Workers.
    pub async fn workers(&self) -> Result<Arc<Vec<Worker>>, TwilioError> {
        fresh(&self.0.workers, || self.0.taskrouter.workers()).await
    }
}

async fn fresh<T>(
    kept: &Mutex<Option<Kept<T>>>,
    read: impl AsyncFnOnce() -> Result<T, TwilioError>,
) -> Result<Arc<T>, TwilioError> {
    // Held while reading, on purpose: whoever comes meanwhile waits for this answer instead of asking as well.
    let mut kept = kept.lock().await;
    if let Some(fresh) = kept.as_ref().filter(|kept| kept.read_at.elapsed() < FRESH) {
        return Ok(fresh.value.clone());
    }
    let value = Arc::new(read().await?);
    *kept = Some(Kept { read_at: Instant::now(), value: value.clone() });
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn many_who_ask_at_once_are_one_question() {
        let kept = Mutex::new(None);
        let asked = std::sync::atomic::AtomicU32::new(0);
        let ask = || {
            fresh(&kept, async || {
                tokio::time::sleep(Duration::from_millis(50)).await;
                Ok(asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
            })
        };
        let (first, second) = tokio::join!(ask(), ask());
        assert_eq!((*first.unwrap(), *second.unwrap()), (0, 0));
        tokio::time::advance(FRESH).await;
        assert_eq!(*ask().await.unwrap(), 1);
    }
}
