//! Running counts of the Workspace, kept up to date change by change.
//!
//! For each queue and for the Workspace there is a cell for every channel and one over all of them; a cell answers
//! the real-time questions without looking at any Task. Workers are counted by pool (queues with the same expression
//! share one), so a Worker who changes Activity costs a few additions, not one for each queue. Everything here is
//! bounded: by the Workspace's own size, by `log`'s rings, and by five minutes of finished Tasks.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::counters::{QueueCounters, TaskFigures, WorkerCounters};
use super::log::{Log, LoggedEntry, LoggedEvent, QUEUE_ENTRIES, WORKER_ENTRIES, WORKSPACE_ENTRIES};
use crate::sid::Sid;
use crate::state::TaskStatus;
use crate::state::change::{Change, End, Step};

const SPELLS: usize = 512;

#[derive(Debug, Clone)]
pub(crate) struct Figures {
    pub(crate) workspace: QueueCounters,
    pub(crate) everyone: WorkerCounters,
    pub(crate) queues: HashMap<Sid, QueueFigures>,
    pub(crate) pools: HashMap<Arc<str>, WorkerCounters>,
    pub(crate) workers: HashMap<Sid, WorkerFigures>,
    tasks: HashMap<Sid, TaskFigures>,
}

#[derive(Debug, Clone)]
pub(crate) struct QueueFigures {
    pub(crate) pool: Arc<str>,
    pub(crate) counters: QueueCounters,
}

#[derive(Debug, Clone)]
pub(crate) struct WorkerFigures {
    pools: Vec<Arc<str>>,
    channels: u64,
    pub(crate) activity: usize,
    pub(crate) since: i64,
    /// Past spells: Activity, start, end.
    pub(crate) spells: VecDeque<(usize, i64, i64)>,
    pub(crate) log: Log,
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            workspace: QueueCounters::new(WORKSPACE_ENTRIES),
            everyone: WorkerCounters::default(),
            queues: HashMap::new(),
            pools: HashMap::new(),
            workers: HashMap::new(),
            tasks: HashMap::new(),
        }
    }
}

impl Figures {
    pub(crate) fn apply(&mut self, at: i64, change: &Change) {
        match change {
            Change::QueuePlaced { queue, pool } => {
                let fresh =
                    || QueueFigures { pool: pool.clone(), counters: QueueCounters::new(QUEUE_ENTRIES) };
                self.queues.entry(*queue).or_insert_with(fresh).pool = pool.clone();
            }
            Change::QueueRemoved { queue } => {
                self.queues.remove(queue);
            }
            Change::PoolOpened { pool, members } => self.open_pool(pool, members),
            Change::PoolClosed { pool } => {
                self.pools.remove(pool);
                for worker in self.workers.values_mut() {
                    worker.pools.retain(|p| p != pool);
                }
            }
            Change::WorkerPlaced { worker, pools, channels, activity } => {
                self.place_worker(at, *worker, pools, *channels, *activity);
            }
            Change::WorkerRemoved { worker } => {
                self.count_worker(*worker, false);
                self.workers.remove(worker);
            }
            Change::WorkerActivity { worker, activity } => self.move_worker(at, *worker, *activity),
            Change::TaskCreated { task, channel, priority, created } => {
                let figures = TaskFigures {
                    queue: None,
                    channel: *channel,
                    priority: *priority,
                    status: TaskStatus::Pending,
                    created: *created,
                    entered: *created,
                    accepted: false,
                };
                self.tasks.insert(*task, figures);
                self.count_task(*task, figures, true);
                self.workspace.log.push(entry(at, LoggedEvent::TaskCreated, &figures));
            }
            Change::TaskEntered { task, queue, entered, moved } => {
                self.enter(at, *task, *queue, *entered, *moved);
            }
            Change::TaskStatus { task, status } => self.alter(*task, |figures| figures.status = *status),
            Change::TaskPriority { task, priority } => {
                self.alter(*task, |figures| figures.priority = *priority);
            }
            Change::TaskEnded { task, end } => self.end(at, *task, *end),
            Change::Reservation { task, worker, step } => self.reservation(at, *task, *worker, *step),
        }
    }

    fn enter(&mut self, at: i64, task: Sid, queue: Sid, entered: i64, moved: bool) {
        let Some(mut figures) = self.tasks.get(&task).copied() else { return };
        self.count_task(task, figures, false);
        if moved {
            let entry = entry(at, LoggedEvent::TaskMoved, &figures);
            self.workspace.log.push(entry);
            if let Some(left) = figures.queue.and_then(|queue| self.queues.get_mut(&queue)) {
                left.counters.log.push(entry);
            }
        }
        figures.queue = Some(queue);
        figures.entered = entered;
        figures.status = TaskStatus::Pending;
        self.tasks.insert(task, figures);
        self.count_task(task, figures, true);
        let entry = entry(at, LoggedEvent::TaskEntered, &figures);
        if let Some(queue) = self.queues.get_mut(&queue) {
            queue.counters.log.push(entry);
        }
    }

    fn alter(&mut self, task: Sid, change: impl FnOnce(&mut TaskFigures)) {
        let Some(mut figures) = self.tasks.get(&task).copied() else { return };
        self.count_task(task, figures, false);
        change(&mut figures);
        self.tasks.insert(task, figures);
        self.count_task(task, figures, true);
    }

    fn end(&mut self, at: i64, task: Sid, end: End) {
        // A finished Task that is deleted later was dropped already; deleting counts for unfinished ones.
        let Some(figures) = self.tasks.remove(&task) else { return };
        self.count_task(task, figures, false);
        let entry = entry(at, LoggedEvent::Task(end), &figures);
        for counters in self.counters_of(figures.queue) {
            counters.log.push(entry);
            match end {
                End::Canceled | End::TimedOut => counters.each(figures.channel, |cell| cell.cancel(at)),
                End::Completed => counters.each(figures.channel, |cell| cell.complete(at)),
                End::Deleted => {}
            }
        }
    }

    fn reservation(&mut self, at: i64, task: Sid, worker: Sid, step: Step) {
        let Some(figures) = self.tasks.get_mut(&task) else { return };
        let first = !figures.accepted;
        figures.accepted |= step == Step::Accepted;
        let figures = *figures;
        let entry = LoggedEntry { first, ..entry(at, LoggedEvent::Reservation(step), &figures) };
        for counters in self.counters_of(figures.queue) {
            counters.log.push(entry);
        }
        if let Some(worker) = self.workers.get_mut(&worker) {
            worker.log.push(entry);
        }
    }

    fn counters_of(&mut self, queue: Option<Sid>) -> impl Iterator<Item = &mut QueueCounters> {
        let queue = queue.and_then(|queue| self.queues.get_mut(&queue)).map(|queue| &mut queue.counters);
        std::iter::once(&mut self.workspace).chain(queue)
    }

    fn count_task(&mut self, task: Sid, figures: TaskFigures, there: bool) {
        for counters in self.counters_of(figures.queue) {
            counters.each(figures.channel, |cell| cell.count(task, &figures, there));
        }
    }

    fn open_pool(&mut self, pool: &Arc<str>, members: &[Sid]) {
        let mut workers_of_pool = WorkerCounters::default();
        for sid in members {
            if let Some(worker) = self.workers.get_mut(sid) {
                workers_of_pool.count(worker.channels, worker.activity, true);
                worker.pools.push(pool.clone());
            }
        }
        self.pools.insert(pool.clone(), workers_of_pool);
    }

    fn place_worker(&mut self, at: i64, worker: Sid, pools: &[Arc<str>], channels: u64, activity: usize) {
        self.count_worker(worker, false);
        let figures = self.workers.entry(worker).or_insert_with(|| WorkerFigures {
            pools: Vec::new(),
            channels,
            activity,
            since: at,
            spells: VecDeque::new(),
            log: Log::new(WORKER_ENTRIES),
        });
        figures.pools = pools.to_vec();
        figures.channels = channels;
        self.count_worker(worker, true);
    }

    fn move_worker(&mut self, at: i64, worker: Sid, activity: usize) {
        self.count_worker(worker, false);
        if let Some(figures) = self.workers.get_mut(&worker) {
            if figures.spells.len() == SPELLS {
                figures.spells.pop_front();
            }
            figures.spells.push_back((figures.activity, figures.since, at));
            figures.activity = activity;
            figures.since = at;
        }
        self.count_worker(worker, true);
    }

    fn count_worker(&mut self, worker: Sid, there: bool) {
        let Some(figures) = self.workers.get(&worker) else { return };
        self.everyone.count(figures.channels, figures.activity, there);
        for pool in &figures.pools {
            if let Some(workers_of_pool) = self.pools.get_mut(pool) {
                workers_of_pool.count(figures.channels, figures.activity, there);
            }
        }
    }
}

fn entry(at: i64, what: LoggedEvent, task: &TaskFigures) -> LoggedEntry {
    let seconds = |since: i64| u32::try_from((at - since) / 1000).unwrap_or(0);
    LoggedEntry {
        at,
        what,
        channel: u8::try_from(task.channel).unwrap_or(u8::MAX),
        first: false,
        wait: seconds(task.created),
        wait_in_queue: seconds(task.entered),
    }
}
