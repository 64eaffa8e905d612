//! The true statistics: from the present state, without lag, for a test to compare with.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::World;
use crate::sid::{Kind, Sid};
use crate::statistics::Window;
use crate::statistics::cumulative::Cumulative;
use crate::statistics::realtime::Realtime;

#[derive(Debug, Clone)]
pub struct Truth(World);

/// Real-time and cumulative statistics with all their fields.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Both {
    /// As `RealTimeStatistics`, without SIDs of containers and URL.
    pub realtime: Value,
    /// As `CumulativeStatistics`, without SIDs of containers and URL.
    pub cumulative: Value,
}

impl World {
    pub fn truth(&self) -> Truth {
        Truth(self.clone())
    }
}

impl Truth {
    /// The Workspace since a moment, over one channel (unique name) or all, split at thresholds in seconds. An unknown
    /// channel is a channel without Tasks.
    pub fn workspace(&self, channel: Option<&str>, since: Timestamp, splits: &[u32]) -> Both {
        let now = self.0.clock().now_ms();
        let window = Window::from(since.as_millisecond(), now);
        self.0.with(|inner| {
            let (state, figures) = (&inner.state, &inner.figures);
            let channel = channel.map(|name| state.channel(name).unwrap_or(usize::MAX - 1));
            let cumulative = Cumulative::workspace(&figures.workspace.log, window, channel, splits);
            Both::of(&Realtime::workspace(state, figures, channel, now), cumulative)
        })
    }

    /// A queue; all zeros if there is no such queue.
    pub fn queue(&self, sid: &str, channel: Option<&str>, since: Timestamp, splits: &[u32]) -> Both {
        let now = self.0.clock().now_ms();
        let window = Window::from(since.as_millisecond(), now);
        self.0.with(|inner| {
            let (state, figures) = (&inner.state, &inner.figures);
            let channel = channel.map(|name| state.channel(name).unwrap_or(usize::MAX - 1));
            let queue = Sid::parse(Kind::TaskQueue, sid).and_then(|sid| figures.queues.get(&sid));
            let realtime =
                Realtime::queue(state, figures, queue, channel, now).with_relative(queue, channel, now);
            let cumulative =
                Cumulative::queue(queue.map(|queue| &queue.counters.log), window, channel, splits);
            Both::of(&realtime, cumulative)
        })
    }

    /// SIDs of all TaskQueues, oldest first.
    pub fn queue_sids(&self) -> Vec<String> {
        self.0.read(|state| state.queues.iter().map(|queue| queue.sid.to_string()).collect())
    }
}

impl Both {
    pub(super) fn of(realtime: &Realtime<'_>, cumulative: Cumulative) -> Self {
        // Plain structs with text keys always convert.
        Self {
            realtime: serde_json::to_value(realtime).unwrap_or_default(),
            cumulative: serde_json::to_value(cumulative.without_recorded()).unwrap_or_default(),
        }
    }
}
