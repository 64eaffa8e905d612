//! What the statistics showed during the history: a service that starts beside a centre that has been open for a while
//! can draw the curves that it would have drawn.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::World;
use super::truth::Both;
use crate::sid::Sid;
use crate::state::{State, TaskStatus};
use crate::statistics::Window;
use crate::statistics::cumulative::Cumulative;
use crate::statistics::figures::Figures;
use crate::statistics::realtime::Realtime;

/// The Workspace at one moment of the history.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The moment of the sample.
    pub at: Timestamp,
    /// Its statistics, the cumulative ones since the centre opened.
    pub workspace: Both,
    /// TaskQueues in which a Task waited and no eligible Worker was available.
    pub queues_without_agents: usize,
}

impl Sample {
    pub(super) fn take(state: &State, figures: &Figures, opened: i64, at: i64, splits: &[u32]) -> Self {
        let window = Window::from(opened, at);
        let cumulative = Cumulative::workspace(&figures.workspace.log, window, None, splits);
        Self {
            at: Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH),
            workspace: Both::of(&Realtime::workspace(state, figures, None, at), cumulative),
            queues_without_agents: without_agents(state),
        }
    }
}

fn without_agents(state: &State) -> usize {
    let open = state.open.iter().filter_map(|task| state.tasks.get(*task));
    let waiting = open.filter(|task| task.status == TaskStatus::Pending);
    let queues: BTreeSet<Sid> = waiting.filter_map(|task| task.queue).collect();
    let is_staffed = |queue: &Sid| {
        let is_available =
            |activity: usize| state.activities.get(activity).is_some_and(|activity| activity.available);
        state.queues.get(*queue).is_some_and(|queue| {
            let mut workers = state.workers.iter();
            workers.any(|worker| is_available(worker.activity) && state.is_eligible(worker, queue))
        })
    };
    queues.iter().filter(|queue| !is_staffed(queue)).count()
}

impl World {
    /// The samples of the history, oldest first; none unless `Settings::samples_every` asks for them.
    pub fn samples(&self) -> Arc<[Sample]> {
        self.0.samples.clone()
    }
}
