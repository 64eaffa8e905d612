//! Requests in flight on behalf of one part, each with what it is about, so that a panicking one is known by that.
//!
//! A panic in a request is a bug of ours; it must cost that request and nothing else. A `JoinSet` tells only which task
//! panicked. `tokio_util`'s `JoinMap` knows tasks by key, but it aborts the running task of a key that comes again,
//! which would leave a write to Sync half-known, its keys have to be hashable where a read carries the marks that it
//! answers, and it reports tasks that a stopping runtime cancelled as failures.

use std::collections::HashMap;

use tokio::task::{Id, JoinError, JoinSet};

/// Tasks with what each is about.
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
    pub fn spawn(&mut self, about: A, job: impl Future<Output = T> + Send + 'static) {
        let id = self.tasks.spawn(job).id();
        self.about.insert(id, about);
    }

    /// The next one that ends; an error is one that panicked. `None` when none is in flight. Cancel-safe. A cancelled task
    /// has not failed and is left out: only a stopping runtime cancels, and that is no failed request.
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

    /// What those in flight are about, in no order.
    pub fn in_flight(&self) -> impl Iterator<Item = &A> {
        self.about.values()
    }

    /// Whether none is in flight.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

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
