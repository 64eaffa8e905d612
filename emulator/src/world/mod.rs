//! The simulated contact centre: one Workspace with everything in it, and the handle to change it.
//!
//! ```text
//! handle ──► life (plain state, rules) ──► changes ──► figures (counts)      ──► statistics
//!                                      └─► events  ──► history, the sink handed in at founding
//! ```
//!
//! The handle takes a lock, lets `life` do one operation at one moment, counts what changed, and hands the events on,
//! all before the lock is free again: the true figures already include every event that a consumer sees. The
//! lock is a plain mutex because nothing waits while it is held.

pub(crate) mod centre;
#[cfg(test)]
mod consistency;
mod drive;
pub(crate) mod events;
mod handle;
mod healthy;
mod lag;
pub(crate) mod life;
mod samples;
mod step;
mod truth;
mod view;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::watch;

pub use crate::state::{ReservationStatus, TaskStatus};
pub use drive::Drive;
pub use events::Event;
pub use handle::NewTask;
pub use life::{Outcome, WorldError};
pub use samples::Sample;
pub use step::Move;
pub use truth::{Both, Truth};
pub use view::{QueueView, ReservationView, TaskView, WorkerView};

use crate::clock::Clock;
use crate::settings::{Life, Settings};
use crate::state::State;
use lag::Lagging;
use life::Transaction;

use crate::statistics::figures::Figures;

/// Events kept for the REST Events list.
const HISTORY: usize = 10_000;

/// The contact centre; clones are handles to the same one.
#[derive(Clone)]
pub struct World(Arc<Shared>);

struct Shared {
    clock: Clock,
    inner: Mutex<Inner>,
    samples: Arc<[Sample]>,
    changed: watch::Sender<u64>,
    sink: Sink,
}

/// Takes events in their order, while the centre's lock is held: it must not wait, nor look at the centre.
pub(crate) type Sink = Box<dyn Fn(&[Arc<Event>]) + Send + Sync>;

pub(crate) struct Inner {
    pub(crate) state: State,
    /// True counts, without lag.
    pub(crate) figures: Figures,
    lagging: Option<Lagging>,
    lag_ms: i64,
    pub(crate) history: VecDeque<Arc<Event>>,
    ids: StdRng,
    dice: StdRng,
    life: Life,
    opened: i64,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("World")
    }
}

impl World {
    /// Founds the centre that the settings describe, with its history if one is wanted. Nothing is published for it.
    pub(crate) fn found(settings: &Settings, clock: &Clock, sink: Sink) -> Self {
        let now = clock.now_ms();
        let opened = now - i64::try_from(settings.history.as_millis()).unwrap_or(0);
        let mut ids = StdRng::seed_from_u64(settings.seed);
        let state = centre::empty(settings, &mut ids, opened);
        let mut inner = Inner {
            state,
            figures: Figures::default(),
            lagging: None,
            lag_ms: 0,
            history: VecDeque::new(),
            ids,
            // Apart from the SIDs' generator, so that what happens does not depend on how many SIDs were drawn.
            dice: StdRng::seed_from_u64(settings.seed ^ 0x5eed),
            life: settings.life,
            opened,
        };
        inner.populate(settings, opened);
        let samples = inner.live_through(settings, opened, now);
        let world = Self(Arc::new(Shared {
            clock: clock.clone(),
            inner: Mutex::new(inner),
            samples: samples.into(),
            changed: watch::Sender::new(0),
            sink,
        }));
        world.set_statistics_lag(settings.statistics_lag);
        world
    }

    /// Does one operation now; counts and publishes what came of it, also if it failed half-way.
    pub(crate) fn act<T>(&self, operation: impl FnOnce(&mut Transaction<'_>) -> Outcome<T>) -> Outcome<T> {
        self.publish(|inner, at| inner.transaction(at, |transaction, _| operation(transaction)))
    }

    /// Works on the centre now, and hands on the events before its lock is free again.
    fn publish<T>(&self, work: impl FnOnce(&mut Inner, i64) -> (T, Vec<Arc<Event>>)) -> T {
        let mut inner = self.lock();
        let (done, events) = work(&mut inner, self.0.clock.now_ms());
        (self.0.sink)(&events);
        drop(inner);
        self.0.changed.send_modify(|changes| *changes += 1);
        done
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.lock().state)
    }

    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut Inner) -> T) -> T {
        look(&mut self.lock())
    }

    /// The clock that the centre lives by.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Counts up with every operation; wait on it instead of sleeping.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    /// Lets statistics show the centre as it was this long ago. Ages are still computed with the present time.
    pub fn set_statistics_lag(&self, lag: Duration) {
        let now = self.0.clock.now_ms();
        self.lock().set_lag(i64::try_from(lag.as_millis()).unwrap_or(i64::MAX), now);
    }

    /// The remembered events, oldest first, whether they were sent anywhere or not.
    pub fn events(&self) -> Vec<Arc<Event>> {
        self.lock().history.iter().cloned().collect()
    }

    pub fn statistics_lag(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.lock().lag_ms).unwrap_or(0))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere (a failing test) must not hide behind a second one here.
        self.0.inner.lock()
    }
}

impl Inner {
    fn step(&mut self, at: i64) -> (Move, Vec<Arc<Event>>) {
        let in_trouble = match self.life {
            Life::Restless => None,
            Life::Healthy { trouble_after } => {
                Some(u128::try_from(at - self.opened).is_ok_and(|open| open >= trouble_after.as_millis()))
            }
        };
        let (done, events) = self.transaction(at, |transaction, dice| {
            Ok(match in_trouble {
                None => transaction.step(dice),
                Some(in_trouble) => transaction.healthy_step(in_trouble, dice),
            })
        });
        (done.unwrap_or(Move::Nothing), events)
    }

    /// One operation at one moment, counted and remembered.
    fn transaction<T>(
        &mut self,
        at: i64,
        operation: impl FnOnce(&mut Transaction<'_>, &mut StdRng) -> Outcome<T>,
    ) -> (Outcome<T>, Vec<Arc<Event>>) {
        let mut transaction = Transaction::new(&mut self.state, &mut self.ids, at);
        transaction.clean_up();
        let outcome = operation(&mut transaction, &mut self.dice);
        let (changes, events) = (transaction.changes, transaction.events);
        for change in changes {
            self.figures.apply(at, &change);
            if let Some(lagging) = &mut self.lagging {
                lagging.push(at, change);
            }
        }
        let events: Vec<_> = events.into_iter().map(Arc::new).collect();
        for event in &events {
            if self.history.len() == HISTORY {
                self.history.pop_front();
            }
            self.history.push_back(event.clone());
        }
        (outcome, events)
    }
}
