//! What can be stale, and the reads that make it fresh.

use crate::sid::TaskQueueSid;
use crate::stats::Scope;
use crate::twilio::taskrouter::{MOST_IN_BULK, PAGE_SIZE};

/// The smallest thing that is read and goes stale by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    Directory,
    Workspace(Part),
    /// The Workspace's cumulative statistics over the last 60 minutes.
    LastHour,
    /// Open and lately finished Tasks, and the Workers that have them.
    Tasks,
    /// One TaskQueue's statistics, over all channels or on one.
    Queue(TaskQueueSid, Scope, Part),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    Realtime,
    Cumulative,
}

pub const PARTS: [Part; 2] = [Part::Realtime, Part::Cumulative];

/// One call, or one paged list, and the keys that it makes fresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    pub what: What,
    /// What becomes fresh by the answer.
    pub covers: Vec<Key>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    Directory,
    /// The Workspace: one part, or both in one combined answer.
    Workspace(Parts),
    /// The Workspace over the last 60 minutes.
    LastHour,
    Tasks,
    /// Realtime statistics of up to [`MOST_IN_BULK`] TaskQueues, all channels together.
    Bulk(Vec<TaskQueueSid>),
    /// Both parts of every TaskQueue, in pages of [`PAGE_SIZE`].
    List(Scope),
    /// One TaskQueue: one part, or both in one combined answer.
    Queue(TaskQueueSid, Scope, Parts),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parts {
    Realtime,
    Cumulative,
    Both,
}

impl What {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Directory => "TaskQueues",
            Self::Workspace(_) => "Workspace",
            Self::LastHour => "last hour",
            Self::Tasks => "Tasks",
            Self::Bulk(_) => "bulk",
            Self::List(_) => "list",
            Self::Queue(..) => "TaskQueue",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offers {
    /// Whether bulk real-time statistics are answered.
    pub bulk: bool,
    /// Whether the list of all TaskQueues' statistics is answered.
    pub list: bool,
    /// Whether combined answers hold all that the cumulative resource holds. Twilio's published examples do not.
    pub combined_is_complete: bool,
}

impl Default for Offers {
    fn default() -> Self {
        Self { bulk: true, list: true, combined_is_complete: true }
    }
}

/// What a call costs, in units of one small call: a call has its own price, and a hundred TaskQueues in an answer are
/// worth another, so that a list of thousands is not read for the sake of two of them.
pub(super) fn cost_of_bulk(queues: usize) -> usize {
    100 * queues.div_ceil(MOST_IN_BULK) + queues
}

/// The same for the list of all `queues` of the Workspace.
pub(super) fn cost_of_list(queues: usize) -> usize {
    100 * queues.div_ceil(PAGE_SIZE).max(1) + queues
}

pub(super) fn cost_of_singles(calls: usize) -> usize {
    100 * calls
}
