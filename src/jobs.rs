//! Requests under way on behalf of one part, each with what it is about, so that one that panics is known by name.
//!
//! A panic in a request is a bug of ours; it must cost that request and nothing else. Tokio tells only that some task
//! panicked, so what each is about stands here beside it.

use std::collections::HashMap;

use tokio::task::{Id, JoinError, JoinSet};

/// Tasks that each are about something.
#[derive(Debug)]
pub struct Jobs<A, T> {
    tasks: JoinSet<T>,
    about: HashMap<Id, A>,
}

impl<A, T> Default for Jobs<A, T> {
    fn default() -> Self {
        Self { tasks: JoinSet::new(), about: HashMap::new() }
    }
}

impl<A, T: Send + 'static> Jobs<A, T> {
    /// One more, from now on under way.
    pub fn spawn(&mut self, about: A, job: impl Future<Output = T> + Send + 'static) {
        let id = self.tasks.spawn(job).id();
        self.about.insert(id, about);
    }

    /// The next one that ends; an error is one that panicked. `None` when none is under way. Nothing is lost where this is
    /// given up. One that was cancelled has not failed, and is left out: only a runtime that ends does that, and then nobody
    /// is to be told that a request went wrong.
    pub async fn next(&mut self) -> Option<(A, Result<T, JoinError>)> {
        loop {
            let (id, ended) = match self.tasks.join_next_with_id().await? {
                Ok((id, ended)) => (id, Ok(ended)),
                Err(error) if error.is_cancelled() => {
                    self.about.remove(&error.id());
                    continue;
                }
                Err(error) => (error.id(), Err(error)),
            };
            if let Some(about) = self.about.remove(&id) {
                return Some((about, ended));
            }
        }
    }

    /// Whether none is under way.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// How many are under way.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_job_that_panics_is_known_by_what_it_is_about() {
        let mut jobs: Jobs<&str, u32> = Jobs::default();
        jobs.spawn("good", async { 1 });
        jobs.spawn("bad", async { panic!("as a test wants it") });
        let mut ended = Vec::new();
        while let Some((about, result)) = jobs.next().await {
            ended.push((about, result.ok()));
        }
        ended.sort_unstable();
        assert_eq!(ended, [("bad", None), ("good", Some(1))]);
        assert!(jobs.is_empty() && jobs.about.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_was_cancelled_has_not_failed() {
        let mut jobs: Jobs<&str, u32> = Jobs::default();
        jobs.spawn("cancelled", std::future::pending());
        jobs.tasks.abort_all();
        jobs.spawn("good", async { 1 });
        jobs.spawn("bad", async { panic!("as a test wants it") });
        let mut ended = Vec::new();
        while let Some((about, result)) = jobs.next().await {
            ended.push((about, result.map_err(|error| error.is_panic())));
        }
        ended.sort_unstable();
        assert_eq!(ended, [("bad", Err(true)), ("good", Ok(1))]);
        assert!(jobs.is_empty() && jobs.about.is_empty());
    }
}
