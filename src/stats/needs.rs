//! Which statistics the layouts need, and so which reads are made.

/// Which statistics the layouts need; no others are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// Statistics of each TaskQueue.
    pub queues: bool,
    pub workspace: bool,
    /// The Workspace's cumulative statistics over the last 60 minutes.
    pub last_hour: bool,
    pub tasks: bool,
    pub latest_event: bool,
}

impl Needs {
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            queues: self.queues || other.queues,
            workspace: self.workspace || other.workspace,
            last_hour: self.last_hour || other.last_hour,
            tasks: self.tasks || other.tasks,
            latest_event: self.latest_event || other.latest_event,
        }
    }
}
