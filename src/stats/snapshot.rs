//! The snapshot: plain values, shared and never changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::needs::Needs;
use super::{LatestEvent, Tiles};
use crate::event::Trace;
use crate::sid::{TaskQueueSid, TaskSid};
use crate::twilio::taskrouter::{Cumulative, Realtime, Task, TaskQueue};

#[derive(Debug, Clone)]
pub struct Snapshot {
    pub number: u64,
    /// When the snapshot was made.
    pub taken_at: Timestamp,
    /// The TaskChannels with statistics of their own, in the order of configuration.
    pub channels: Arc<[Box<str>]>,
    /// Whether the list of TaskQueues has been read; before that no queue may be called gone.
    pub directory_known: bool,
    /// Set while the list of TaskQueues can't be read.
    pub directory_stale: Option<Stale>,
    /// The Workspace as a whole, over all channels.
    pub workspace: ScopeStats,
    /// The Workspace's cumulative statistics over the last 60 minutes.
    pub last_hour: Reading<Cumulative>,
    pub tasks: Reading<BTreeMap<TaskSid, TaskState>>,
    pub latest_event: Option<Arc<LatestEvent>>,
    /// Where Tasks' recordings are, as reported by callbacks since the start.
    pub recordings: Arc<BTreeMap<TaskSid, Arc<str>>>,
    /// The tiles that are shown beside it. The refresh task leaves them out: formulas are evaluated beside the
    /// snapshots' way, and the publisher and the feed join the two ([`Snapshot::with_tiles`]).
    pub metrics: Tiles,
    pub queues: BTreeMap<TaskQueueSid, Arc<QueueState>>,
    /// When the statistics of any TaskQueue over all channels last changed, apart from ages.
    pub queues_changed_at: Option<Timestamp>,
    /// The TaskQueues in TaskRouter's order.
    pub order: Arc<[TaskQueueSid]>,
    pub unread: Arc<UnreadQueues>,
}

/// TaskQueues whose entries in TaskRouter's list could not be read: they exist all the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnreadQueues {
    pub queues: BTreeSet<TaskQueueSid>,
    /// An entry had no SID that could be read, so it may be any TaskQueue's.
    pub any: bool,
}

impl UnreadQueues {
    pub fn may_be(&self, queue: TaskQueueSid) -> bool {
        self.any || self.queues.contains(&queue)
    }
}

impl Snapshot {
    /// The TaskQueues in the order in which TaskRouter lists them; what it does not list any more comes last.
    pub fn in_order(&self) -> impl Iterator<Item = &Arc<QueueState>> {
        let listed: BTreeSet<_> = self.order.iter().collect();
        let rest = self.queues.iter().filter(move |(sid, _)| !listed.contains(sid)).map(|(_, state)| state);
        self.order.iter().filter_map(|sid| self.queues.get(sid)).chain(rest)
    }

    pub fn empty(channels: &[String], now: Timestamp) -> Self {
        Self {
            number: 0,
            taken_at: now,
            channels: channels.iter().map(|name| name.as_str().into()).collect(),
            directory_known: false,
            directory_stale: None,
            workspace: ScopeStats::default(),
            last_hour: Reading::default(),
            tasks: Reading::default(),
            latest_event: None,
            recordings: Arc::default(),
            metrics: None,
            queues: BTreeMap::new(),
            queues_changed_at: None,
            order: Arc::default(),
            unread: Arc::default(),
        }
    }

    #[must_use]
    pub fn with_tiles(self: Arc<Self>, tiles: &Tiles) -> Arc<Self> {
        if tiles.is_none() { self } else { Arc::new(Self { metrics: tiles.clone(), ..Self::clone(&self) }) }
    }

    /// Whether everything needed was read, or failed permanently, at least once.
    pub fn is_complete(&self, needs: Needs) -> bool {
        let queues = self.directory_known
            && self.queues.values().all(|state| state.scopes.iter().all(ScopeStats::was_tried));
        (queues || !needs.queues)
            && (self.workspace.was_tried() || !needs.workspace)
            && (self.last_hour.was_tried() || !needs.last_hour)
            && (self.tasks.was_tried() || !needs.tasks)
    }

    /// Whether at least one value of each kind that is needed could be read; not so while every read of a kind fails.
    pub fn has_values(&self, needs: Needs) -> bool {
        let queues = self.directory_known
            && (self.queues.is_empty()
                || self.queues.values().any(|state| state.scopes.iter().any(ScopeStats::has_value)));
        (queues || !needs.queues) && (self.workspace.has_value() || !needs.workspace)
    }

    /// The events that explain the difference to `before`.
    pub fn news(&self, before: Option<&Self>) -> Option<Trace> {
        let whole = [
            self.workspace.news(before.map(|before| &before.workspace)),
            self.last_hour.news(before.map(|before| &before.last_hour)),
            self.tasks.news(before.map(|before| &before.tasks)),
        ];
        let queues = self.queues.iter().map(|(sid, state)| {
            let before = before.and_then(|before| before.queues.get(sid));
            if before.is_some_and(|before| Arc::ptr_eq(before, state)) {
                return None;
            }
            state.news(before.map(|before| &**before))
        });
        whole.into_iter().chain(queues).fold(None, Trace::join)
    }

    /// Whether this TaskQueue is known not to exist.
    pub fn is_gone(&self, queue: TaskQueueSid) -> bool {
        self.directory_known && !self.queues.contains_key(&queue) && !self.unread.may_be(queue)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct TaskState {
    pub task: Task,
    /// The Worker that it is reserved for or assigned to.
    pub worker_name: Option<Arc<str>>,
}

#[derive(Debug, Clone)]
pub struct QueueState {
    pub queue: Arc<TaskQueue>,
    /// The TaskQueue's statistics, by [`Scope::index`].
    pub scopes: Box<[ScopeStats]>,
}

/// All TaskChannels together, or one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope(u8);

#[derive(Debug, Clone, Default)]
pub struct ScopeStats {
    pub realtime: Reading<Realtime>,
    pub cumulative: Reading<Cumulative>,
    /// How long the oldest Task waits; `None` when none does, or nothing was read.
    pub oldest: Option<Age>,
}

#[derive(Debug)]
pub struct Reading<T> {
    /// The last value read; `None` before the first.
    pub value: Option<Arc<T>>,
    /// When the read that confirmed the value began.
    pub as_of: Option<Timestamp>,
    /// Whether an event caused that read, and not a timer.
    pub by_event: bool,
    /// The events that explain the value; `None` where none is known.
    pub event: Option<Trace>,
    /// Set while reading fails.
    pub stale: Option<Stale>,
    /// The read that was folded last; older ones are not folded any more.
    pub(super) last_read: u64,
}

/// Why a value could not be read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// The reason, for an operator; holds no customer data.
    pub reason: Arc<str>,
    /// When reading began to fail.
    pub since: Timestamp,
}

/// An age, stored as the moment it counts from, so that it grows without being read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age {
    /// The moment it counts from; constant while the same Task is the oldest.
    pub since: Timestamp,
    /// The age in seconds when it was read last.
    pub seconds: u64,
}

impl Scope {
    pub const ALL: Self = Self(0);

    pub fn channel(position: usize) -> Self {
        // Twilio allows 15 TaskChannels a Workspace, and the configuration no more.
        Self(u8::try_from(position + 1).unwrap_or(u8::MAX))
    }

    /// All channels, then each of `channels`.
    pub fn each(channels: usize) -> impl Iterator<Item = Self> {
        std::iter::once(Self::ALL).chain((0..channels).map(Self::channel))
    }

    /// The scope's index in [`QueueState::scopes`].
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The channel's name; `None` for all channels together.
    pub fn name(self, channels: &[Box<str>]) -> Option<&str> {
        channels.get(self.index().checked_sub(1)?).map(|name| &**name)
    }
}

impl<T> Default for Reading<T> {
    fn default() -> Self {
        Self { value: None, as_of: None, by_event: false, event: None, stale: None, last_read: 0 }
    }
}

impl<T> Clone for Reading<T> {
    fn clone(&self) -> Self {
        Self {
            value: self.value.clone(),
            as_of: self.as_of,
            by_event: self.by_event,
            event: self.event,
            stale: self.stale.clone(),
            last_read: self.last_read,
        }
    }
}

impl<T> Reading<T> {
    /// Whether a read has succeeded or failed permanently at least once.
    pub fn was_tried(&self) -> bool {
        self.value.is_some() || self.stale.is_some()
    }

    /// The events that explain the difference of the value to `before`.
    fn news(&self, before: Option<&Self>) -> Option<Trace> {
        let same = before.and_then(|before| before.value.as_ref()).zip(self.value.as_ref());
        let same = same.is_some_and(|(a, b)| Arc::ptr_eq(a, b));
        if same { before.and_then(|before| self.named_since(before)) } else { self.event }
    }

    /// The event that names a change which `before` already showed without such an event.
    fn named_since(&self, before: &Self) -> Option<Trace> {
        self.event.filter(|event| event.is_named() && !before.event.is_some_and(Trace::is_named))
    }

    /// Whether nothing that a layout shows differs; a later read of the same value is no difference.
    pub fn shows_the_same(&self, other: &Self) -> bool {
        let value = match (&self.value, &other.value) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        value && self.stale == other.stale
    }

    /// Whether there is something to write that was not there `before`: another value or reason, or an event that names
    /// a change which was shown without it.
    pub fn has_news_since(&self, before: &Self) -> bool {
        !self.shows_the_same(before) || self.named_since(before).is_some()
    }
}

impl ScopeStats {
    /// The events that explain the difference of the values to `before`.
    fn news(&self, before: Option<&Self>) -> Option<Trace> {
        let realtime = self.realtime.news(before.map(|before| &before.realtime));
        Trace::join(realtime, self.cumulative.news(before.map(|before| &before.cumulative)))
    }

    fn is_named_since(&self, before: &Self) -> bool {
        self.realtime.named_since(&before.realtime).is_some()
            || self.cumulative.named_since(&before.cumulative).is_some()
    }

    fn has_value(&self) -> bool {
        self.realtime.value.is_some() || self.cumulative.value.is_some()
    }

    /// Whether both parts were read, or failed permanently, at least once.
    pub fn was_tried(&self) -> bool {
        self.realtime.was_tried() && self.cumulative.was_tried()
    }

    /// Whether nothing that a layout shows differs; a later read of the same values is no difference.
    pub fn shows_the_same(&self, other: &Self) -> bool {
        self.realtime.shows_the_same(&other.realtime) && self.cumulative.shows_the_same(&other.cumulative)
    }
}

impl QueueState {
    /// The events that explain the difference of the values to `before`.
    pub fn news(&self, before: Option<&Self>) -> Option<Trace> {
        let scopes = self.scopes.iter().enumerate();
        scopes.fold(None, |event, (index, scope)| {
            Trace::join(event, scope.news(before.and_then(|before| before.scopes.get(index))))
        })
    }

    /// Whether an event names a change which `before` already showed without such an event: a waiting write becomes urgent
    /// then.
    pub fn is_named_since(&self, before: &Self) -> bool {
        self.scopes.iter().zip(&before.scopes).any(|(scope, before)| scope.is_named_since(before))
    }

    /// Whether nothing that a layout shows differs.
    pub fn shows_the_same(&self, other: &Self) -> bool {
        self.queue == other.queue
            && self.scopes.len() == other.scopes.len()
            && self.scopes.iter().zip(&other.scopes).all(|(a, b)| a.shows_the_same(b))
    }
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;
