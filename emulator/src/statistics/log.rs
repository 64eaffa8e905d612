//! The countable events of a queue, of the Workspace or of a Worker, in the order of time, and the sums over a window.
//!
//! A log is a ring of a stated capacity: when it is full the oldest entry goes, so windows reaching further back than
//! the ring count too little (Twilio itself keeps 30 days). Summing scans the entries of the window, which is exact
//! to the millisecond and fast enough: a million entries take about a millisecond.

use std::collections::VecDeque;

use crate::state::change::{End, Step};

pub(crate) const QUEUE_ENTRIES: usize = 100_000;
pub(crate) const WORKSPACE_ENTRIES: usize = 1_000_000;
pub(crate) const WORKER_ENTRIES: usize = 4_096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoggedEvent {
    TaskCreated,
    TaskEntered,
    TaskMoved,
    Task(End),
    Reservation(Step),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct LoggedEntry {
    pub(crate) at: i64,
    pub(crate) what: LoggedEvent,
    pub(crate) channel: u8,
    /// The first acceptance of its Task. Only that one takes part in the split by wait time.
    pub(crate) first: bool,
    /// Seconds since the Task was created, for acceptances and cancellations.
    pub(crate) wait: u32,
    /// Seconds since the Task entered the queue.
    pub(crate) wait_in_queue: u32,
}

/// Entries in the order of time, the newest `capacity` of them.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    entries: VecDeque<LoggedEntry>,
    capacity: usize,
}

/// A stretch of time in milliseconds, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// First millisecond.
    pub(crate) start: i64,
    /// Last millisecond.
    pub(crate) end: i64,
}

/// Seconds waited: how often, shortest, longest, all together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Waits {
    pub(crate) count: u64,
    pub(crate) min: u64,
    pub(crate) max: u64,
    pub(crate) total: u64,
}

impl Waits {
    pub(crate) fn add(&mut self, seconds: u64) {
        self.min = if self.count == 0 { seconds } else { self.min.min(seconds) };
        self.max = self.max.max(seconds);
        self.total += seconds;
        self.count += 1;
    }
}

/// Acceptances and cancellations on either side of a waiting time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) above_accepted: u32,
    pub(crate) above_canceled: u32,
    pub(crate) below_accepted: u32,
    pub(crate) below_canceled: u32,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Sums {
    pub(crate) tasks_created: u32,
    pub(crate) tasks_entered: u32,
    pub(crate) tasks_moved: u32,
    pub(crate) tasks_completed: u32,
    pub(crate) tasks_canceled: u32,
    pub(crate) tasks_deleted: u32,
    pub(crate) tasks_timed_out: u32,
    pub(crate) created: u32,
    pub(crate) accepted: u32,
    pub(crate) rejected: u32,
    pub(crate) timed_out: u32,
    pub(crate) canceled: u32,
    pub(crate) rescinded: u32,
    pub(crate) wrapping_up: u32,
    pub(crate) completed: u32,
    pub(crate) until_accepted: Waits,
    pub(crate) in_queue_until_accepted: Waits,
    pub(crate) until_canceled: Waits,
    pub(crate) splits: Vec<(u32, Split)>,
}

impl Log {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { entries: VecDeque::new(), capacity }
    }

    pub(crate) fn push(&mut self, entry: LoggedEntry) {
        if self.entries.len() == self.capacity {
            self.entries.pop_front();
        }
        // The clock never runs backwards, but two threads may record in the other order; windows need sorted entries.
        let at = self.entries.back().map_or(entry.at, |last| last.at.max(entry.at));
        self.entries.push_back(LoggedEntry { at, ..entry });
    }

    /// Sums a window, for one channel or for all. A wait of exactly the threshold counts as below it.
    pub(crate) fn sums(&self, window: Window, channel: Option<usize>, thresholds: &[u32]) -> Sums {
        let mut sums =
            Sums { splits: thresholds.iter().map(|t| (*t, Split::default())).collect(), ..Sums::default() };
        let from = self.entries.partition_point(|entry| entry.at < window.start);
        for entry in self.entries.range(from..).take_while(|entry| entry.at <= window.end) {
            if channel.is_none_or(|channel| channel == usize::from(entry.channel)) {
                sums.count(entry);
            }
        }
        sums
    }
}

impl Sums {
    /// Adds what another log summed over the same thresholds.
    pub(crate) fn reservations(&mut self, other: &Self) {
        self.created += other.created;
        self.accepted += other.accepted;
        self.rejected += other.rejected;
        self.timed_out += other.timed_out;
        self.canceled += other.canceled;
        self.rescinded += other.rescinded;
    }

    fn count(&mut self, entry: &LoggedEntry) {
        match entry.what {
            LoggedEvent::TaskCreated => self.tasks_created += 1,
            LoggedEvent::TaskEntered => self.tasks_entered += 1,
            LoggedEvent::TaskMoved => self.tasks_moved += 1,
            LoggedEvent::Task(End::Completed) => self.tasks_completed += 1,
            LoggedEvent::Task(End::Deleted) => self.tasks_deleted += 1,
            LoggedEvent::Task(end @ (End::Canceled | End::TimedOut)) => {
                self.tasks_canceled += 1;
                self.tasks_timed_out += u32::from(end == End::TimedOut);
                self.until_canceled.add(entry.wait.into());
                for (threshold, split) in &mut self.splits {
                    let side = if entry.wait > *threshold {
                        &mut split.above_canceled
                    } else {
                        &mut split.below_canceled
                    };
                    *side += 1;
                }
            }
            LoggedEvent::Reservation(Step::Created) => self.created += 1,
            LoggedEvent::Reservation(Step::Rejected) => self.rejected += 1,
            LoggedEvent::Reservation(Step::TimedOut) => self.timed_out += 1,
            LoggedEvent::Reservation(Step::Canceled) => self.canceled += 1,
            LoggedEvent::Reservation(Step::Rescinded) => self.rescinded += 1,
            LoggedEvent::Reservation(Step::WrappingUp) => self.wrapping_up += 1,
            LoggedEvent::Reservation(Step::Completed) => self.completed += 1,
            LoggedEvent::Reservation(Step::Accepted) => {
                self.accepted += 1;
                self.until_accepted.add(entry.wait.into());
                self.in_queue_until_accepted.add(entry.wait_in_queue.into());
                for (threshold, split) in self.splits.iter_mut().filter(|_| entry.first) {
                    let side = if entry.wait > *threshold {
                        &mut split.above_accepted
                    } else {
                        &mut split.below_accepted
                    };
                    *side += 1;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(at: i64, what: LoggedEvent, wait: u32) -> LoggedEntry {
        LoggedEntry { at, what, channel: 0, first: true, wait, wait_in_queue: wait }
    }

    #[test]
    fn counts_only_the_window_and_the_channel() {
        let mut log = Log::new(10);
        for at in [1000, 2000, 3000, 4000] {
            log.push(entry(at, LoggedEvent::TaskEntered, 0));
        }
        log.push(LoggedEntry { channel: 1, ..entry(4000, LoggedEvent::TaskEntered, 0) });
        let window = Window { start: 2000, end: 4000 };
        assert_eq!(log.sums(window, None, &[]).tasks_entered, 4);
        assert_eq!(log.sums(window, Some(1), &[]).tasks_entered, 1);
    }

    #[test]
    fn splits_by_wait_time() {
        let mut log = Log::new(10);
        for wait in [4, 5, 6, 31] {
            log.push(entry(1, LoggedEvent::Reservation(Step::Accepted), wait));
        }
        log.push(entry(1, LoggedEvent::Task(End::Canceled), 40));
        log.push(LoggedEntry { first: false, ..entry(1, LoggedEvent::Reservation(Step::Accepted), 99) });
        let sums = log.sums(Window { start: 0, end: 9 }, None, &[5, 30]);
        let split = |n: usize| sums.splits[n].1;
        assert_eq!(
            split(0),
            Split { above_accepted: 2, above_canceled: 1, below_accepted: 2, below_canceled: 0 }
        );
        assert_eq!(
            split(1),
            Split { above_accepted: 1, above_canceled: 1, below_accepted: 3, below_canceled: 0 }
        );
        assert_eq!(sums.until_accepted, Waits { count: 5, min: 4, max: 99, total: 145 });
    }

    #[test]
    fn forgets_the_oldest() {
        let mut log = Log::new(2);
        for at in 1..=5 {
            log.push(entry(at, LoggedEvent::TaskCreated, 0));
        }
        assert_eq!(log.sums(Window { start: 0, end: 9 }, None, &[]).tasks_created, 2);
    }
}
