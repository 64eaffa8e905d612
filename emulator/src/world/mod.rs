//! The simulated contact centre: one Workspace with everything in it, and the handle to change it.
//!
//! ```text
//! handle ──► life (plain state, rules) ──► changes ──► figures (counts)      ──► statistics
//!                                      └─► events  ──► history, callbacks
//! ```
//!
//! The handle takes a lock, lets `life` do one operation at one moment, counts what changed, and hands the events on,
//! all before the lock is free again: whoever sees an event can be sure that the true figures already hold it. The
//! lock is a plain mutex because nothing waits while it is held.

pub(crate) mod centre;
pub(crate) mod change;
#[cfg(test)]
mod consistency;
mod drive;
pub(crate) mod events;
pub(crate) mod expression;
mod handle;
mod lag;
pub(crate) mod life;
pub(crate) mod state;
mod step;
pub(crate) mod table;
mod truth;
mod view;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::watch;

pub use drive::Drive;
pub use events::Event;
pub use handle::NewTask;
pub use life::{Outcome, WorldError};
pub use state::{ReservationStatus, TaskStatus};
pub use step::Move;
pub use truth::{Both, Truth};
pub use view::{QueueView, ReservationView, TaskView, WorkerView};

use crate::callbacks::Callbacks;
use crate::clock::Clock;
use crate::settings::Settings;
use lag::Lagging;
use life::Turn;
use state::State;

use crate::statistics::figures::Figures;

/// Events kept for the REST Events list.
const HISTORY: usize = 10_000;

/// The contact centre; clones are handles to the same one.
#[derive(Clone)]
pub struct World(Arc<Shared>);

struct Shared {
    clock: Clock,
    inner: Mutex<Inner>,
    changed: watch::Sender<u64>,
    callbacks: Callbacks,
}

/// What the lock protects.
pub(crate) struct Inner {
    pub(crate) state: State,
    /// True counts, without lag.
    pub(crate) figures: Figures,
    lagging: Option<Lagging>,
    lag_ms: i64,
    /// Newest last.
    pub(crate) history: VecDeque<Arc<Event>>,
    ids: StdRng,
    dice: StdRng,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("World")
    }
}

impl World {
    /// Founds the centre that the settings describe, with its history if one is wanted. Nothing is published for it.
    pub(crate) fn found(settings: &Settings, clock: &Clock, callbacks: Callbacks) -> Self {
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
        };
        inner.populate(settings, opened);
        inner.live_through(opened, now);
        let world = Self(Arc::new(Shared {
            clock: clock.clone(),
            inner: Mutex::new(inner),
            changed: watch::Sender::new(0),
            callbacks,
        }));
        world.set_statistics_lag(settings.statistics_lag);
        world
    }

    /// Does one operation now; counts and publishes what came of it, also if it failed half-way.
    pub(crate) fn act<T>(&self, operation: impl FnOnce(&mut Turn<'_>) -> Outcome<T>) -> Outcome<T> {
        self.act_with_dice(|turn, _| operation(turn))
    }

    pub(crate) fn act_with_dice<T>(
        &self,
        operation: impl FnOnce(&mut Turn<'_>, &mut StdRng) -> Outcome<T>,
    ) -> Outcome<T> {
        let mut inner = self.lock();
        let (outcome, events) = inner.turn(self.0.clock.now_ms(), operation);
        self.0.callbacks.publish(&events);
        drop(inner);
        self.0.changed.send_modify(|changes| *changes += 1);
        outcome
    }

    /// Looks at the state.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.lock().state)
    }

    /// Looks at everything, for lists and statistics.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut Inner) -> T) -> T {
        look(&mut self.lock())
    }

    /// The clock that the centre lives by.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Where its events are posted.
    pub(crate) fn callbacks(&self) -> &Callbacks {
        &self.0.callbacks
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

    /// How far statistics run behind.
    pub fn statistics_lag(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.lock().lag_ms).unwrap_or(0))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere (a failing test) must not hide behind a second one here.
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// One operation at one moment, counted and remembered.
    fn turn<T>(
        &mut self,
        at: i64,
        operation: impl FnOnce(&mut Turn<'_>, &mut StdRng) -> Outcome<T>,
    ) -> (Outcome<T>, Vec<Arc<Event>>) {
        let mut turn = Turn::new(&mut self.state, &mut self.ids, at);
        turn.clean_up();
        let outcome = operation(&mut turn, &mut self.dice);
        let (changes, events) = (turn.changes, turn.events);
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
