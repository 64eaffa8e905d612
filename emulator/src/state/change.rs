//! One change of the Workspace, as far as numbers are concerned.
//!
//! `life` records a `Change` for everything it does; `statistics::figures` counts from changes alone and never looks
//! at the state. So a second set of figures, fed later, shows the Workspace as it was a moment ago: that is how
//! lagging statistics are made.

use std::sync::Arc;

use crate::sid::Sid;
use crate::state::TaskStatus;

#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// A queue exists, with this expression. Also sent when the expression changes.
    QueuePlaced {
        queue: Sid,
        pool: Arc<str>,
    },
    QueueRemoved {
        queue: Sid,
    },
    /// An expression came into use; these Workers satisfy it.
    PoolOpened {
        pool: Arc<str>,
        members: Vec<Sid>,
    },
    /// An expression is no longer used by any queue.
    PoolClosed {
        pool: Arc<str>,
    },
    /// A Worker exists with these memberships, and these channels (a bit for each). Also sent when they change.
    WorkerPlaced {
        worker: Sid,
        pools: Vec<Arc<str>>,
        channels: u64,
        activity: usize,
    },
    WorkerRemoved {
        worker: Sid,
    },
    WorkerActivity {
        worker: Sid,
        activity: usize,
    },
    /// A Task exists; `created` may lie in the past.
    TaskCreated {
        task: Sid,
        channel: usize,
        priority: i64,
        created: i64,
    },
    /// A Task entered a queue and waits there. `moved` says it came from another one.
    TaskEntered {
        task: Sid,
        queue: Sid,
        entered: i64,
        moved: bool,
    },
    /// A Task changed between pending, reserved, assigned and wrapping.
    TaskStatus {
        task: Sid,
        status: TaskStatus,
    },
    TaskPriority {
        task: Sid,
        priority: i64,
    },
    TaskEnded {
        task: Sid,
        end: End,
    },
    Reservation {
        task: Sid,
        worker: Sid,
        step: Step,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Completed,
    Canceled,
    Deleted,
    /// Canceled because its Workflow ran out of steps or time.
    TimedOut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Created,
    Accepted,
    Rejected,
    TimedOut,
    Canceled,
    Rescinded,
    WrappingUp,
    Completed,
}
