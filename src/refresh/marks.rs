//! Coalesces marks for the worker: a set, not a queue, so that a thousand events on a TaskQueue take the room of one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::Wake;
use crate::event::{Invalidation, Queues, Trace};
use crate::sid::{TaskQueueSid, TaskSid};
use crate::stats::{LatestEvent, Snapshot};

/// Different marks that may wait at once; with more of them everything is marked. Twilio allows 5,000 TaskQueues.
const MOST_MARKS: usize = 10_000;
/// Callers that may wait for a full refresh at once; a further one is turned away by dropping its sender.
const MOST_WAITING: usize = 64;

/// Answers a caller of `refresh_all`.
pub(super) type Waiter = oneshot::Sender<Arc<Snapshot>>;

#[derive(Debug, Default)]
pub struct Marks {
    waiting: Mutex<WaitingMarks>,
    pub(super) wake: Wake,
    events: AtomicU64,
}

#[derive(Debug, Default)]
pub(super) struct WaitingMarks {
    by_place: BTreeMap<MarkPlace, Depth>,
    pub(super) refresh_all: Vec<Waiter>,
    /// Notified when all that was marked before has been read.
    pub(super) when_read: Vec<oneshot::Sender<()>>,
    pub(super) latest_event: Option<LatestEvent>,
    pub(super) recordings: BTreeMap<TaskSid, Arc<str>>,
}

/// Which TaskQueue (`None`: any) on which channel (`None`: any).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct MarkPlace {
    queue: Which,
    channel: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Which {
    None,
    One(TaskQueueSid),
    All,
}

#[derive(Debug, Clone, Copy, Default)]
struct Depth {
    counters: bool,
    workspace: bool,
    tasks: bool,
    directory: bool,
    event: Option<Trace>,
}

impl Marks {
    pub(super) fn mark(&self, touch: &Invalidation) {
        self.events.fetch_add(1, Ordering::SeqCst);
        self.change(|waiting| waiting.add(touch));
    }

    /// How many marks have come: an answer that was asked for at the same count shows every event up to now.
    pub(super) fn events(&self) -> u64 {
        self.events.load(Ordering::SeqCst)
    }

    pub(super) fn refresh_all(&self, waiter: Waiter) {
        self.change(|waiting| {
            if waiting.refresh_all.len() < MOST_WAITING {
                waiting.refresh_all.push(waiter);
            }
        });
    }

    pub(super) fn when_read(&self, told: oneshot::Sender<()>) {
        self.change(|waiting| {
            if waiting.when_read.len() < MOST_WAITING {
                waiting.when_read.push(told);
            }
        });
    }

    /// Keeps the latest of the events; they may arrive in any order.
    pub(super) fn show_event(&self, event: LatestEvent) {
        self.events.fetch_add(1, Ordering::SeqCst);
        self.change(|waiting| {
            if waiting.latest_event.as_ref().is_none_or(|last| !event.is_before(last)) {
                waiting.latest_event = Some(event);
            }
        });
    }

    pub(super) fn note_recording(&self, task: TaskSid, url: Arc<str>) {
        self.change(|waiting| {
            if waiting.recordings.len() < MOST_MARKS {
                waiting.recordings.insert(task, url);
            }
        });
    }

    pub(super) fn take(&self) -> WaitingMarks {
        std::mem::take(&mut self.waiting.lock())
    }

    fn change(&self, change: impl FnOnce(&mut WaitingMarks)) {
        // A panic inside can't leave the set half-changed in a way that matters: marks are only ever added.
        change(&mut self.waiting.lock());
        self.wake.notify_one();
    }
}

impl WaitingMarks {
    fn add(&mut self, touch: &Invalidation) {
        if self.by_place.len() >= MOST_MARKS {
            let before =
                self.by_place.values().fold(touch.event, |event, depth| Trace::join(event, depth.event));
            self.by_place.clear();
            self.insert(Which::All, None, &Invalidation { event: before, ..Invalidation::everything() });
            return;
        }
        match &touch.queues {
            Queues::None => self.insert(Which::None, None, touch),
            Queues::All => self.insert(Which::All, touch.channel.clone(), touch),
            Queues::Some(queues) => {
                for queue in queues {
                    self.insert(Which::One(*queue), touch.channel.clone(), touch);
                }
            }
        }
    }

    fn insert(&mut self, queue: Which, channel: Option<String>, touch: &Invalidation) {
        let depth = self.by_place.entry(MarkPlace { queue, channel }).or_default();
        depth.counters |= touch.counters;
        depth.workspace |= touch.workspace;
        depth.tasks |= touch.tasks;
        depth.directory |= touch.directory;
        depth.event = Trace::join(depth.event, touch.event);
    }

    /// The marks as touches, each place once.
    pub(super) fn touches(&self) -> impl Iterator<Item = Invalidation> {
        self.by_place.iter().map(|(place, depth)| Invalidation {
            queues: match place.queue {
                Which::None => Queues::None,
                Which::One(queue) => Queues::Some(vec![queue]),
                Which::All => Queues::All,
            },
            channel: place.channel.clone(),
            counters: depth.counters,
            workspace: depth.workspace,
            tasks: depth.tasks,
            directory: depth.directory,
            event: depth.event,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(n: usize) -> Invalidation {
        let queues = Queues::Some(vec![format!("WQ{n:032x}").parse().unwrap()]);
        Invalidation { queues, workspace: true, ..Invalidation::default() }
    }

    #[test]
    fn a_thousand_events_on_a_queue_take_the_room_of_one() {
        let marks = Marks::default();
        for n in 0..1000 {
            marks.mark(&Invalidation { counters: n == 500, ..touch(1) });
        }
        let touches: Vec<_> = marks.take().touches().collect();
        assert_eq!(touches, [Invalidation { counters: true, ..touch(1) }]);
        assert_eq!(marks.take().touches().count(), 0, "and they are taken once");
    }

    #[test]
    fn beyond_the_bound_everything_is_marked_instead() {
        let marks = Marks::default();
        for n in 0..=MOST_MARKS {
            marks.mark(&touch(n));
        }
        let touches: Vec<_> = marks.take().touches().collect();
        assert_eq!(touches, [Invalidation::everything()]);
    }
}
