//! Folds answers into snapshots.
//!
//! Reads run side by side and end in any order. Each gets a [`ReadId`] when it begins, and a value is only replaced by
//! a read that began later than the one it came from. Values that did not change keep their place in memory, so that
//! comparing pointers of two snapshots shows what moved.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::LatestEvent;
use super::snapshot::{
    Age, QueueState, Reading, Scope, ScopeStats, Snapshot, Stale, TaskState, UnreadQueues,
};
use crate::event::Trace;
use crate::sid::{TaskQueueSid, TaskSid};
use crate::twilio::taskrouter::{Cumulative, Entries, OddEntry, PAGE_SIZE, Realtime, TaskQueue};

/// Twilio's ages are whole seconds and answers take time: within this difference the same Task is still the oldest.
const AGE_TOLERANCE: SignedDuration = SignedDuration::from_secs(2);

/// Most recordings that are remembered.
const MOST_RECORDINGS: usize = 10_000;

/// Which read an answer belongs to; later reads are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReadId {
    number: u64,
    pub started: Timestamp,
    /// Whether an event caused the read, and not a timer.
    pub by_event: bool,
}

#[derive(Debug)]
pub enum ReadAnswer {
    Directory(ListedQueues),
    WorkspaceRealtime(Realtime),
    WorkspaceCumulative(Cumulative),
    /// The Workspace, over the last 60 minutes.
    LastHour(Cumulative),
    Tasks(BTreeMap<TaskSid, TaskState>),
    QueueRealtime(TaskQueueSid, Scope, Realtime),
    QueueCumulative(TaskQueueSid, Scope, Cumulative),
    Failed(FailedRead, Arc<str>),
}

/// TaskRouter's list of TaskQueues, as far as it could be read.
#[derive(Debug, Default)]
pub struct ListedQueues {
    pub queues: Vec<TaskQueue>,
    pub unread: UnreadQueues,
}

impl From<Entries<TaskQueue>> for ListedQueues {
    fn from(Entries { read, odd }: Entries<TaskQueue>) -> Self {
        let sid = |odd: &OddEntry| odd.sid.as_deref()?.parse().ok();
        let unread = UnreadQueues {
            queues: odd.iter().filter_map(sid).collect(),
            any: odd.iter().any(|odd| sid(odd).is_none()),
        };
        Self { queues: read, unread }
    }
}

/// One kind of statistics, as what could not be read or what an event changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailedRead {
    Directory,
    LastHour,
    Tasks,
    WorkspaceRealtime,
    WorkspaceCumulative,
    QueueRealtime(TaskQueueSid, Scope),
    QueueCumulative(TaskQueueSid, Scope),
}

/// What a fold finds apart from the next snapshot.
#[derive(Debug, Default)]
pub struct Folded {
    /// What changed in realtime statistics of TaskQueues, apart from ages.
    pub moved: BTreeMap<(TaskQueueSid, Scope), Moved>,
    /// The same for the Workspace.
    pub workspace_moved: Moved,
    /// Whether an answer contained a TaskQueue that is missing from the list.
    pub unknown_queue: bool,
}

/// What a read found changed, apart from ages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Moved {
    #[default]
    Nothing,
    /// Only what no event names: Workers, and the number of all Tasks, since a finished one is counted for a while.
    SideEffects,
    Tasks,
}

impl From<bool> for Moved {
    fn from(moved: bool) -> Self {
        if moved { Self::Tasks } else { Self::Nothing }
    }
}

/// Holds the newest snapshot and folds answers into the next.
#[derive(Debug)]
pub struct Board {
    snapshot: Arc<Snapshot>,
    last_read: u64,
    directory_read: u64,
    /// TaskQueues that the last directory lacked. Entries can shift between pages while one pages through them, so a
    /// queue of a long list is gone only when it is missing twice.
    missing_once: BTreeSet<TaskQueueSid>,
}

impl Board {
    pub fn new(channels: &[String], now: Timestamp) -> Self {
        let snapshot = Arc::new(Snapshot::empty(channels, now));
        Self { snapshot, last_read: 0, directory_read: 0, missing_once: BTreeSet::new() }
    }

    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Adds TaskChannels to each TaskQueue, with no statistics yet.
    pub fn add_channels(&mut self, channels: &[Box<str>], now: Timestamp) {
        let mut next = Snapshot { taken_at: now, ..(*self.snapshot).clone() };
        next.channels = next.channels.iter().chain(channels).cloned().collect();
        let scopes = Scope::each(next.channels.len()).count();
        for state in next.queues.values_mut() {
            let state = Arc::make_mut(state);
            let mut longer = std::mem::take(&mut state.scopes).into_vec();
            longer.resize_with(scopes, ScopeStats::default);
            state.scopes = longer.into();
        }
        self.snapshot = Arc::new(next);
    }

    /// Returns the id of a read that begins now; `by_event` where an event caused it.
    pub fn begin_read(&mut self, now: Timestamp, by_event: bool) -> ReadId {
        self.last_read += 1;
        ReadId { number: self.last_read, started: now, by_event }
    }

    /// Takes an event as the latest one, unless it already has a later one.
    pub fn fold_event(&mut self, event: LatestEvent, now: Timestamp) {
        let last = self.snapshot.latest_event.as_deref();
        if last.is_none_or(|last| !event.is_before(last)) {
            let mut next = (*self.snapshot).clone();
            next.number += 1;
            next.taken_at = now;
            next.latest_event = Some(Arc::new(event));
            self.snapshot = Arc::new(next);
        }
    }

    pub fn fold_recording(&mut self, task: TaskSid, url: Arc<str>, now: Timestamp) {
        let mut next = (*self.snapshot).clone();
        next.number += 1;
        next.taken_at = now;
        let recordings = Arc::make_mut(&mut next.recordings);
        if recordings.len() >= MOST_RECORDINGS {
            // Recordings of Tasks that are shown no more.
            let shown = next.tasks.value.clone().unwrap_or_default();
            recordings.retain(|task, _| shown.contains_key(task));
        }
        if recordings.len() < MOST_RECORDINGS {
            recordings.insert(task, url);
        }
        self.snapshot = Arc::new(next);
    }

    pub fn fold(&mut self, read: ReadId, answers: Vec<ReadAnswer>, now: Timestamp) -> Folded {
        let mut folded = Folded::default();
        let mut next =
            Snapshot { number: self.snapshot.number + 1, taken_at: now, ..(*self.snapshot).clone() };
        let (channels, mut changed) = (next.channels.len(), false);
        for answer in answers {
            match answer {
                ReadAnswer::Directory(list) => self.fold_directory(&mut next, list, read, channels),
                ReadAnswer::WorkspaceRealtime(value) => {
                    let moved = fold_realtime(&mut next.workspace, value, read);
                    folded.workspace_moved = folded.workspace_moved.max(moved);
                }
                ReadAnswer::WorkspaceCumulative(value) => {
                    fold_cumulative(&mut next.workspace.cumulative, value, read);
                }
                ReadAnswer::LastHour(value) => {
                    fold_cumulative(&mut next.last_hour, value, read);
                }
                ReadAnswer::Tasks(tasks) => fold_tasks(&mut next.tasks, tasks, read),
                ReadAnswer::QueueRealtime(queue, scope, mut value) => {
                    share_activities(&next, queue, &mut value);
                    match scope_of(&mut next, queue, scope) {
                        Some(stats) => {
                            let moved = fold_realtime(stats, value, read);
                            if moved > Moved::Nothing {
                                changed |= scope == Scope::ALL;
                                let before = folded.moved.entry((queue, scope)).or_default();
                                *before = moved.max(*before);
                            }
                        }
                        None => folded.unknown_queue = true,
                    }
                }
                ReadAnswer::QueueCumulative(queue, scope, value) => match scope_of(&mut next, queue, scope) {
                    Some(stats) => {
                        let moved = fold_cumulative(&mut stats.cumulative, value, read);
                        changed |= moved && scope == Scope::ALL;
                    }
                    None => folded.unknown_queue = true,
                },
                ReadAnswer::Failed(failed, reason) => fold_failure(&mut next, failed, &reason, read, now),
            }
        }
        if changed {
            next.queues_changed_at = next.queues_changed_at.max(Some(now));
        }
        self.snapshot = Arc::new(next);
        folded
    }

    /// Notes which events explain the difference to `before`, the snapshot before the last fold. A read for other
    /// events may have shown an event's change before the read for the event itself; then the event explains that
    /// earlier change.
    pub fn explain(&mut self, before: &Snapshot, events: &[(FailedRead, Trace)]) {
        fn note<T>(before: Option<&Reading<T>>, now: &mut Reading<T>, event: Trace) {
            let last = before.and_then(|before| before.value.as_ref());
            if !last.zip(now.value.as_ref()).is_some_and(|(a, b)| Arc::ptr_eq(a, b)) {
                now.event = Some(event);
            } else if event.is_named() && !now.event.is_some_and(Trace::is_named) {
                now.event = Trace::join(now.event, Some(event));
            }
        }
        let next = Arc::make_mut(&mut self.snapshot);
        for (what, event) in events {
            match what {
                FailedRead::Directory => {}
                FailedRead::LastHour => note(Some(&before.last_hour), &mut next.last_hour, *event),
                FailedRead::Tasks => note(Some(&before.tasks), &mut next.tasks, *event),
                FailedRead::WorkspaceRealtime => {
                    note(Some(&before.workspace.realtime), &mut next.workspace.realtime, *event);
                }
                FailedRead::WorkspaceCumulative => {
                    note(Some(&before.workspace.cumulative), &mut next.workspace.cumulative, *event);
                }
                FailedRead::QueueRealtime(queue, scope) => {
                    let last = before.queues.get(queue).and_then(|state| state.scopes.get(scope.index()));
                    if let Some(stats) = scope_of(next, *queue, *scope) {
                        note(last.map(|last| &last.realtime), &mut stats.realtime, *event);
                    }
                }
                FailedRead::QueueCumulative(queue, scope) => {
                    let last = before.queues.get(queue).and_then(|state| state.scopes.get(scope.index()));
                    if let Some(stats) = scope_of(next, *queue, *scope) {
                        note(last.map(|last| &last.cumulative), &mut stats.cumulative, *event);
                    }
                }
            }
        }
    }

    fn fold_directory(&mut self, next: &mut Snapshot, list: ListedQueues, read: ReadId, channels: usize) {
        if read.number < self.directory_read {
            return;
        }
        self.directory_read = read.number;
        let ListedQueues { queues: list, unread } = list;
        if *next.unread != unread {
            next.unread = Arc::new(unread);
        }
        let one_page = list.len() < PAGE_SIZE;
        if !next.order.iter().eq(list.iter().map(|queue| &queue.sid)) {
            next.order = list.iter().map(|queue| queue.sid).collect();
        }
        let listed: BTreeMap<_, _> = list.into_iter().map(|queue| (queue.sid, queue)).collect();
        let is_missing = |sid: &TaskQueueSid| !listed.contains_key(sid) && !next.unread.may_be(*sid);
        let missing: BTreeSet<_> = next.queues.keys().copied().filter(is_missing).collect();
        let missed_before = std::mem::take(&mut self.missing_once);
        let gone = |sid: &TaskQueueSid| missing.contains(sid) && (one_page || missed_before.contains(sid));
        next.queues.retain(|sid, _| !gone(sid));
        self.missing_once = missing.into_iter().filter(|sid| next.queues.contains_key(sid)).collect();
        for (sid, queue) in listed {
            match next.queues.get_mut(&sid) {
                Some(state) if *state.queue == queue => {}
                Some(state) => {
                    let scopes = state.scopes.clone();
                    *state = Arc::new(QueueState { queue: Arc::new(queue), scopes });
                }
                None => {
                    let scopes = Scope::each(channels).map(|_| ScopeStats::default()).collect();
                    next.queues.insert(sid, Arc::new(QueueState { queue: Arc::new(queue), scopes }));
                }
            }
        }
        next.directory_known = true;
        next.directory_stale = None;
    }
}

fn scope_of(next: &mut Snapshot, queue: TaskQueueSid, scope: Scope) -> Option<&mut ScopeStats> {
    Arc::make_mut(next.queues.get_mut(&queue)?).scopes.get_mut(scope.index())
}

/// Takes the table of Activities from another scope of the TaskQueue, or from before, where it is the same: it is the
/// largest part of the statistics, and moves seldom.
fn share_activities(next: &Snapshot, queue: TaskQueueSid, value: &mut Realtime) {
    let scopes = next.queues.get(&queue).into_iter().flat_map(|state| state.scopes.iter());
    let mut known = scopes.filter_map(|stats| Some(&stats.realtime.value.as_ref()?.activity_statistics));
    if let Some(same) = known.find(|known| **known == value.activity_statistics) {
        value.activity_statistics = same.clone();
    }
}

/// Returns what changed apart from ages.
fn fold_realtime(stats: &mut ScopeStats, value: Realtime, read: ReadId) -> Moved {
    if read.number < stats.realtime.last_read {
        return Moved::Nothing;
    }
    let value = match stats.realtime.value.as_deref() {
        Some(last) => value.completed_by(last),
        None => value,
    };
    stats.oldest = oldest(stats.oldest, stats.realtime.value.as_deref(), &value, read.started);
    let moved = stats.realtime.value.as_deref().map_or(Moved::Tasks, |last| moved(last, &value));
    let same = stats.realtime.value.as_deref() == Some(&value);
    confirm(&mut stats.realtime, (!same).then_some(value), read);
    moved
}

/// Returns whether the value changed.
fn fold_cumulative(reading: &mut Reading<Cumulative>, value: Cumulative, read: ReadId) -> bool {
    if read.number < reading.last_read {
        return false;
    }
    let mut value = match reading.value.as_deref() {
        Some(last) => value.completed_by(last),
        None => value,
    };
    let same = reading.value.as_deref().is_some_and(|last| value.says_the_same(last));
    confirm(reading, (!same).then_some(value), read);
    !same
}

fn fold_tasks(
    reading: &mut Reading<BTreeMap<TaskSid, TaskState>>,
    tasks: BTreeMap<TaskSid, TaskState>,
    read: ReadId,
) {
    if read.number >= reading.last_read {
        let same = reading.value.as_deref() == Some(&tasks);
        confirm(reading, (!same).then_some(tasks), read);
    }
}

fn confirm<T>(reading: &mut Reading<T>, changed: Option<T>, read: ReadId) {
    if let Some(value) = changed {
        reading.value = Some(Arc::new(value));
        reading.event = None;
    }
    reading.as_of = Some(read.started);
    reading.by_event = read.by_event;
    reading.stale = None;
    reading.last_read = read.number;
}

fn fold_failure(next: &mut Snapshot, failed: FailedRead, reason: &Arc<str>, read: ReadId, now: Timestamp) {
    match failed {
        FailedRead::Directory => {
            next.directory_stale.get_or_insert_with(|| Stale { reason: reason.clone(), since: now });
        }
        FailedRead::LastHour => fail(&mut next.last_hour, reason, read, now),
        FailedRead::Tasks => fail(&mut next.tasks, reason, read, now),
        FailedRead::WorkspaceRealtime => fail(&mut next.workspace.realtime, reason, read, now),
        FailedRead::WorkspaceCumulative => fail(&mut next.workspace.cumulative, reason, read, now),
        FailedRead::QueueRealtime(queue, scope) => {
            if let Some(stats) = scope_of(next, queue, scope) {
                fail(&mut stats.realtime, reason, read, now);
            }
        }
        FailedRead::QueueCumulative(queue, scope) => {
            if let Some(stats) = scope_of(next, queue, scope) {
                fail(&mut stats.cumulative, reason, read, now);
            }
        }
    }
}

fn fail<T>(reading: &mut Reading<T>, reason: &Arc<str>, read: ReadId, now: Timestamp) {
    if read.number < reading.last_read {
        return;
    }
    reading.last_read = read.number;
    // The first reason stays until a read succeeds: an outage with changing symptoms is one outage, and each new
    // text would have to be written to Sync.
    reading.stale.get_or_insert_with(|| Stale { reason: reason.clone(), since: now });
}

fn moved(a: &Realtime, b: &Realtime) -> Moved {
    // Listed so that a new field can't be forgotten: the pattern would no longer compile.
    let Realtime {
        activity_statistics,
        longest_task_waiting_age: _,
        longest_task_waiting_sid,
        tasks_by_priority,
        tasks_by_status,
        total_available_workers,
        total_eligible_workers,
        total_tasks,
        total_workers,
        extra: _,
    } = a;
    let same_tasks = *longest_task_waiting_sid == b.longest_task_waiting_sid
        && *tasks_by_priority == b.tasks_by_priority
        && *tasks_by_status == b.tasks_by_status;
    let same_others = *total_tasks == b.total_tasks
        && *activity_statistics == b.activity_statistics
        && *total_available_workers == b.total_available_workers
        && *total_eligible_workers == b.total_eligible_workers
        && *total_workers == b.total_workers;
    match (same_tasks, same_others) {
        (true, true) => Moved::Nothing,
        (true, false) => Moved::SideEffects,
        (false, _) => Moved::Tasks,
    }
}

fn oldest(last: Option<Age>, before: Option<&Realtime>, now: &Realtime, as_of: Timestamp) -> Option<Age> {
    let waiting = now.tasks_by_status.count("pending") + now.tasks_by_status.count("reserved");
    let seconds = now.longest_task_waiting_age;
    if seconds == 0 && waiting == 0 {
        return None;
    }
    let age = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    let since = as_of.checked_sub(age).unwrap_or(Timestamp::MIN);
    let same_task = before.is_some_and(|b| b.longest_task_waiting_sid == now.longest_task_waiting_sid);
    let steady = last.filter(|last| same_task && last.since.duration_since(since).abs() <= AGE_TOLERANCE);
    Some(Age { since: steady.map_or(since, |last| last.since), seconds })
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "fold_tests.rs"]
mod fold_tests;
