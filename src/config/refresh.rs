//! How often things are read and checked.

use std::time::Duration;

use serde::Serialize;

use super::parse::{INTERVAL, STEP, duration, duration_from};
use super::reader::{Variable, VariableReader};
use super::variables as var;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RefreshConfig {
    /// `REALTIME_INTERVAL`: between two reads of realtime statistics without an event, default 5 s.
    pub realtime_interval: Duration,
    /// `CUMULATIVE_INTERVAL`: the same for today's cumulative ones, default 30 s.
    pub cumulative_interval: Duration,
    /// `DIRECTORY_INTERVAL`: between two reads of the list of TaskQueues (a renamed queue raises no event),
    /// default 60 s.
    pub directory_interval: Duration,
    /// `REFRESH_SPACING`: the least time between the starts of two reads of the same thing, default 250 ms.
    pub spacing: Duration,
    /// `SETTLE_STEP`: the grid that settling reads of all TaskQueues share while no lag is seen, default 300 ms.
    pub settle_step: Duration,
    /// `SETTLE_WINDOW`: how long after an event settling reads go on, default 3 s; zero switches them off.
    pub settle_window: Duration,
    /// `TASKS_KEPT`: how long a finished Task stays in the lists of Tasks, default 15 min; zero: not at all.
    pub tasks_kept: Duration,
}

impl Default for RefreshConfig {
    fn default() -> Self {
        Self {
            realtime_interval: Duration::from_secs(5),
            cumulative_interval: Duration::from_secs(30),
            directory_interval: Duration::from_secs(60),
            spacing: Duration::from_millis(250),
            settle_step: Duration::from_millis(300),
            settle_window: Duration::from_secs(3),
            tasks_kept: Duration::from_secs(15 * 60),
        }
    }
}

impl RefreshConfig {
    pub(super) fn read(reader: &mut VariableReader<'_>) -> Self {
        let default = Self::default();
        let mut from = |least, variable: &Variable, default| {
            reader.or_default(variable, default, |s| duration_from(least, s))
        };
        let realtime_interval = from(INTERVAL, &var::REALTIME_INTERVAL, default.realtime_interval);
        let cumulative_interval = from(INTERVAL, &var::CUMULATIVE_INTERVAL, default.cumulative_interval);
        let directory_interval = from(INTERVAL, &var::DIRECTORY_INTERVAL, default.directory_interval);
        let spacing = from(STEP, &var::REFRESH_SPACING, default.spacing);
        let settle_step = from(STEP, &var::SETTLE_STEP, default.settle_step);
        let settle_window = reader.or_default(&var::SETTLE_WINDOW, default.settle_window, |s| {
            duration(s).filter(|d| d.is_zero() || *d >= settle_step)
        });
        let tasks_kept = reader.or_default(&var::TASKS_KEPT, default.tasks_kept, duration);
        Self {
            realtime_interval,
            cumulative_interval,
            directory_interval,
            spacing,
            settle_step,
            settle_window,
            tasks_kept,
        }
    }
}
