//! What is to be known: the question that layouts put to reads.

/// What the layouts want to know; nothing else is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// Statistics of each TaskQueue.
    pub queues: bool,
    /// Statistics of the Workspace.
    pub workspace: bool,
    /// The Workspace's cumulative statistics over the last 60 minutes.
    pub last_hour: bool,
    /// The open Tasks and who has them.
    pub tasks: bool,
    /// The latest event as it came.
    pub latest_event: bool,
}

impl Needs {
    /// What either needs.
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
