//! Owns the tasks of the process: their names, the order in which they stop, and what happens when one ends too early.
//!
//! # Taking part
//!
//! ```ignore
//! tasks.spawn(Stage::Reads, "reading", |stop| worker.run(stop));
//! ```
//!
//! - A task runs until its token is cancelled, finishes what it has begun within a time that it bounds itself, and returns.
//!   A task that does all its work at once waits for the token afterwards.
//! - A task that returns, fails or panics before its token is cancelled is a fault: [`Tasks::run_until`] reports it by
//!   name, all others are dropped where they stand, and the process exits with status 1, so that its supervisor restarts
//!   it instead of leaving statistics standing still.
//! - What a task starts for itself (requests, clients' connections) lives in a `JoinSet`, `JoinMap` or `TaskTracker` that
//!   this task owns. Nothing else calls `tokio::spawn`.
//!
//! # Stopping
//!
//! Stages stop one after another in the order of [`Stage`]; a stage's tasks stop together, and the next stage is not
//! cancelled before all of them have returned. A part that lives shorter than the process, as a leader's term does, has
//! [`Tasks`] of its own and can also [abort](Tasks::abort) them.
//!
//! SIGTERM and SIGINT begin the stop; a second one ends the process at once with status 1.

use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

/// When a task stops. Stages stop in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The listener and what clients hold open: nothing new comes in afterwards.
    Intake,
    /// Closes websockets that the listener has handed over.
    Sockets,
    /// Reads TaskRouter; of several replicas, all that leads or follows.
    Reads,
    /// Evaluates formulas over what was read.
    Evaluation,
    Writes,
}

impl Stage {
    const ALL: [Self; 5] = [Self::Intake, Self::Sockets, Self::Reads, Self::Evaluation, Self::Writes];
}

/// Why a task ended that was not stopped, or how one that was stopped went wrong.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    #[error("task {task:?} panicked")]
    Panicked {
        task: &'static str,
        #[source]
        source: JoinError,
    },
    #[error("task {0:?} ended by itself")]
    Ended(&'static str),
    #[error("task {task:?} failed: {source}")]
    Failed { task: &'static str, source: Box<dyn Error + Send + Sync> },
}

type TaskResult = Result<(), Box<dyn Error + Send + Sync>>;

/// Named tasks that stop together, stage by stage. Dropping it aborts all of them.
#[derive(Debug, Default)]
pub struct Tasks {
    set: JoinSet<TaskResult>,
    named: HashMap<Id, (Stage, &'static str)>,
    tokens: [CancellationToken; Stage::ALL.len()],
}

impl Tasks {
    /// The token that is cancelled when a stage stops.
    pub fn token(&self, stage: Stage) -> CancellationToken {
        self.tokens[stage as usize].clone()
    }

    pub fn spawn<F>(&mut self, stage: Stage, name: &'static str, task: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let task = task(self.token(stage));
        self.start(stage, name, async {
            task.await;
            Ok(())
        });
    }

    pub fn spawn_fallible<F, E>(
        &mut self,
        stage: Stage,
        name: &'static str,
        task: impl FnOnce(CancellationToken) -> F,
    ) where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let task = task(self.token(stage));
        self.start(stage, name, async { task.await.map_err(Into::into) });
    }

    fn start(
        &mut self,
        stage: Stage,
        name: &'static str,
        task: impl Future<Output = TaskResult> + Send + 'static,
    ) {
        let id = self.set.spawn(task).id();
        self.named.insert(id, (stage, name));
    }

    /// Waits for `stop`. An error names a task that ended before that.
    pub async fn run_until(&mut self, stop: impl Future<Output = ()>) -> Result<(), TaskError> {
        tokio::select! {
            () = stop => Ok(()),
            early = self.ended_early() => {
                error!(error = %early, "A task ended by itself; the process exits");
                Err(early)
            }
        }
    }

    /// Waits for a task to end, which none does before it is stopped.
    pub async fn ended_early(&mut self) -> TaskError {
        match self.next().await {
            Some((_, name, Ok(()))) => TaskError::Ended(name),
            Some((_, _, Err(error))) => error,
            None => std::future::pending().await,
        }
    }

    /// Stops all stages in order and waits for their tasks.
    pub async fn stop(mut self) -> Result<(), TaskError> {
        for stage in Stage::ALL {
            self.tokens[stage as usize].cancel();
            while self.named.values().any(|(of, _)| *of == stage) {
                // One of a later stage may return now: what it works on came from an earlier one.
                let Some((_, _, ended)) = self.next().await else { break };
                ended?;
            }
        }
        Ok(())
    }

    /// Stops all stages at once, and aborts the tasks that have not ended after `patience`. Their number is the answer.
    pub async fn stop_within(mut self, patience: Duration) -> Result<usize, TaskError> {
        self.tokens.iter().for_each(CancellationToken::cancel);
        let ending = async {
            while let Some((_, _, ended)) = self.next().await {
                ended?;
            }
            Ok(())
        };
        if let Ok(ended) = timeout(patience, ending).await {
            return ended.map(|()| 0);
        }
        let left = self.set.len();
        self.abort().await;
        Ok(left)
    }

    /// Ends all tasks where they stand: at their next `await`.
    pub async fn abort(mut self) {
        self.set.shutdown().await;
    }

    async fn next(&mut self) -> Option<(Stage, &'static str, Result<(), TaskError>)> {
        let ended = self.set.join_next_with_id().await?;
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let (stage, name) = self.named.remove(&id)?;
        let outcome = match ended {
            Ok((_, Ok(()))) => Ok(()),
            Ok((_, Err(source))) => Err(TaskError::Failed { task: name, source }),
            Err(source) => Err(TaskError::Panicked { task: name, source }),
        };
        Some((stage, name, outcome))
    }
}

/// Catches SIGTERM and SIGINT from now on; the future is done at the first of them. A second one ends the process at
/// once, without the pending writes.
pub fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        info!(signal = name, "Signal received");
        // Beside the tasks, whose stop it cuts short.
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            info!("Second signal: stopping at once");
            crate::telemetry::finish();
            std::process::exit(1);
        });
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;

    /// Runs until it is stopped, takes a while, and notes its end.
    fn spawn(
        tasks: &mut Tasks,
        ends: &Arc<Mutex<Vec<&'static str>>>,
        stage: Stage,
        name: &'static str,
        takes: u64,
    ) {
        let ends = ends.clone();
        tasks.spawn(stage, name, move |stop| async move {
            stop.cancelled().await;
            tokio::time::sleep(Duration::from_secs(takes)).await;
            ends.lock().push(name);
        });
    }

    #[tokio::test(start_paused = true)]
    async fn stages_stop_in_order_however_long_each_takes() {
        let (mut tasks, ends) = (Tasks::default(), Arc::default());
        spawn(&mut tasks, &ends, Stage::Writes, "writing", 0);
        spawn(&mut tasks, &ends, Stage::Reads, "reading", 7);
        spawn(&mut tasks, &ends, Stage::Intake, "listener", 3);
        spawn(&mut tasks, &ends, Stage::Intake, "feed", 1);
        tasks.run_until(async {}).await.unwrap();
        tasks.stop().await.unwrap();
        assert_eq!(*ends.lock(), ["feed", "listener", "reading", "writing"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_returns_fails_or_panics_too_early_is_named() {
        let early = async |start: fn(&mut Tasks)| {
            let (mut tasks, ends) = (Tasks::default(), Arc::default());
            spawn(&mut tasks, &ends, Stage::Reads, "reading", 0);
            start(&mut tasks);
            tasks.run_until(std::future::pending()).await.unwrap_err().to_string()
        };
        let returns = early(|tasks| tasks.spawn(Stage::Intake, "feed", |_| async {})).await;
        assert_eq!(returns, "task \"feed\" ended by itself");
        let fails = early(|tasks| {
            tasks.spawn_fallible(Stage::Intake, "listener", |_| async { Err(io::Error::other("no socket")) });
        });
        assert_eq!(fails.await, "task \"listener\" failed: no socket");
        let panics = early(|tasks| {
            tasks.spawn(Stage::Writes, "writing", |_| async { panic!("as a test wants it") });
        });
        assert_eq!(panics.await, "task \"writing\" panicked");
    }

    #[tokio::test(start_paused = true)]
    async fn during_the_stop_a_later_task_may_return_with_its_input_but_not_fail() {
        let (mut tasks, ends) = (Tasks::default(), Arc::default());
        spawn(&mut tasks, &ends, Stage::Reads, "reading", 5);
        tasks.spawn(Stage::Writes, "writing", |_| tokio::time::sleep(Duration::from_secs(1)));
        tasks.stop().await.unwrap();
        let mut tasks = Tasks::default();
        spawn(&mut tasks, &ends, Stage::Reads, "reading", 5);
        tasks.spawn_fallible(Stage::Writes, "writing", |_| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Err(io::Error::other("no disk"))
        });
        assert_eq!(tasks.stop().await.unwrap_err().to_string(), "task \"writing\" failed: no disk");
        assert_eq!(*ends.lock(), ["reading"]);
    }

    #[tokio::test(start_paused = true)]
    async fn tasks_that_take_too_long_to_stop_are_aborted_and_counted() {
        let (mut tasks, ends) = (Tasks::default(), Arc::default());
        spawn(&mut tasks, &ends, Stage::Intake, "quick", 1);
        spawn(&mut tasks, &ends, Stage::Writes, "slow", 60);
        assert_eq!(tasks.stop_within(Duration::from_secs(2)).await.unwrap(), 1);
        assert_eq!(*ends.lock(), ["quick"]);
    }
}
