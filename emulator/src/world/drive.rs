//! A centre that lives by itself: steps at a rate, until the handle is dropped.

use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::task::AbortOnDropHandle;

use super::World;

/// Drives the centre while it is held.
#[derive(Debug)]
#[must_use = "dropping it stops the centre"]
pub struct Drive {
    _task: AbortOnDropHandle<()>,
}

/// Steps are made in bunches at most this often, so that a high rate does not become a timer storm.
const TICK: Duration = Duration::from_millis(5);

impl World {
    /// Makes `rate` steps a second (times the clock's speed) until the returned handle is dropped. Must be called
    /// within a tokio runtime.
    pub fn drive(&self, steps_per_second: f64) -> Drive {
        let world = self.clone();
        let rate = (steps_per_second * self.clock().speed()).clamp(0.001, 1_000_000.0);
        let tick = TICK.max(Duration::from_secs_f64(1.0 / rate));
        let task = tokio::spawn(async move {
            let mut timer = tokio::time::interval(tick);
            // A late tick does not owe steps: a stalled machine must not be followed by a burst.
            timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut owed = 0.0;
            loop {
                timer.tick().await;
                owed += rate * tick.as_secs_f64();
                while owed >= 1.0 {
                    world.step();
                    owed -= 1.0;
                }
            }
        });
        Drive { _task: AbortOnDropHandle::new(task) }
    }
}
