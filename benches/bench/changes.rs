//! Changes in the centre, about one a second, and how long each takes into Sync.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use twilio_emulator::{Data, NewTask, SyncChange, Truth, World};

use crate::agreement::{compare_item, compare_realtime};
use crate::floor::Floor;
use crate::stats::{Sample, ms};
use crate::table::Table;
use crate::testbed::{CHANNELS, Testbed};

/// A change that has not shown after this time counts as missed.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// Steps in the life of a Task.
const STAGES: usize = 5;

/// Tasks that live on, one for each of some TaskQueues.
#[derive(Debug)]
pub(crate) struct Tasks {
    world: World,
    worker: String,
    lives: Vec<Life>,
    next: usize,
}

#[derive(Debug, Default)]
struct Life {
    queue: String,
    channel: &'static str,
    task: String,
    reservation: String,
    stage: usize,
}

/// How long changes took, from just before the event's delivery to the Sync write being applied.
#[derive(Debug, Default)]
pub(crate) struct Freshness {
    /// Until the item's realtime values over all channels were the new ones.
    pub(crate) news: Sample<Duration>,
    /// Until every value of the item was the new one.
    pub(crate) whole: Sample<Duration>,
    /// The bare round trips, made in between.
    pub(crate) floor: Sample<Duration>,
    pub(crate) missed: usize,
}

#[derive(Debug, Default)]
struct Seen {
    news: Option<Duration>,
    whole: Option<Duration>,
}

impl Tasks {
    /// One Task for every n-th queue, each at another point of its life.
    pub(crate) fn new(world: World, every: usize) -> Self {
        let queues = world.queues().into_iter().step_by(every).map(|queue| queue.sid);
        let life = |(n, queue)| Life { queue, channel: CHANNELS[n % CHANNELS.len()], ..Life::default() };
        let lives = queues.enumerate().map(life).collect();
        let worker = world.workers()[0].sid.clone();
        let mut tasks = Self { world, worker, lives, next: 0 };
        for (n, life) in tasks.lives.iter_mut().enumerate() {
            (0..n % STAGES).for_each(|_| life.advance(&tasks.world, &tasks.worker));
        }
        tasks
    }

    pub(crate) fn some_queue(&self) -> &str {
        &self.lives[0].queue
    }

    /// Moves the next Task on by one step; returns its queue.
    pub(crate) fn advance(&mut self) -> String {
        let count = self.lives.len();
        let life = &mut self.lives[self.next % count];
        life.advance(&self.world, &self.worker);
        self.next += 1;
        life.queue.clone()
    }
}

impl Life {
    fn advance(&mut self, world: &World, worker: &str) {
        let done = match self.stage {
            0 => {
                let (queue, channel) = (self.queue.clone(), self.channel.to_owned());
                let task = world.create_task(NewTask { queue, channel, ..NewTask::default() });
                task.map(|task| self.task = task)
            }
            1 => world.reserve(&self.task, worker).map(|reservation| self.reservation = reservation),
            2 => world.accept(&self.reservation),
            3 => world.wrap(&self.reservation),
            _ => world.complete(&self.reservation),
        };
        done.unwrap();
        self.stage = (self.stage + 1) % STAGES;
    }
}

impl Freshness {
    /// Makes this number of changes. Times count from `shown_after` the change, when the statistics begin to show it.
    pub(crate) async fn measure(
        testbed: &Testbed,
        tasks: &mut Tasks,
        changes: usize,
        shown_after: Duration,
    ) -> Self {
        let floor = Floor::of(&testbed.emulator, tasks.some_queue());
        let (mut bare, mut following) = (Vec::new(), JoinSet::new());
        // The reads of the start, which a change would have to wait for, are over by then.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut next = tokio::time::Instant::now();
        for n in 0..changes {
            tokio::time::sleep_until(next).await;
            // A second on average, and never in step with the service's timers.
            next += Duration::from_millis(850 + (n as u64 * 185) % 300);
            let (changes, truth) = (testbed.emulator.sync().subscribe(), testbed.emulator.truth());
            let begin = Instant::now();
            let queue = tasks.advance();
            following.spawn(follow(truth, changes, queue, begin));
            tokio::time::sleep(Duration::from_millis(500)).await;
            bare.push(floor.once().await);
        }
        let seen = following.join_all().await;
        let after = |time: Option<Duration>| Some(time?.saturating_sub(shown_after));
        Self {
            news: Sample::new(seen.iter().filter_map(|seen| after(seen.news)).collect()),
            whole: Sample::new(seen.iter().filter_map(|seen| after(seen.whole)).collect()),
            floor: Sample::new(bare),
            missed: seen.iter().filter(|seen| seen.whole.is_none()).count(),
        }
    }

    /// Joins two series.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            news: self.news.and(other.news),
            whole: self.whole.and(other.whole),
            floor: self.floor.and(other.floor),
            missed: self.missed + other.missed,
        }
    }

    pub(crate) fn table(&self) -> Table {
        let mut table = Table::new(&["ms", "Changes", "p50", "p95", "p99", "max", "Missed"]);
        let mut row = |name: &str, times: &Sample<Duration>, missed: &str| {
            let [p50, p95, p99] = [50, 95, 99].map(|percent| ms(times.percentile(percent)));
            table.row(&[&name, &times.len(), &p50, &p95, &p99, &ms(times.max()), &missed]);
        };
        row("First news", &self.news, "");
        row("Whole item", &self.whole, &self.missed.to_string());
        row("Bare read and write", &self.floor, "");
        table
    }
}

/// Follows the item of one queue until all of it is true.
async fn follow(truth: Truth, mut changes: Receiver<Arc<SyncChange>>, queue: String, begin: Instant) -> Seen {
    let mut seen = Seen::default();
    let following = async {
        while seen.whole.is_none() {
            let change = match changes.recv().await {
                Ok(change) => change,
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return,
            };
            let at = begin.elapsed();
            let Some(item) = its_item(&change, &queue) else { continue };
            if seen.news.is_none() && compare_realtime(&truth, None, &queue, item).is_ok() {
                seen.news = Some(at);
            }
            if compare_item(&truth, &CHANNELS, &queue, item).is_ok() {
                seen.whole = Some(at);
            }
        }
    };
    // Whatever has been seen by then is all there is.
    let _ = tokio::time::timeout(LONGEST_WAIT, following).await;
    seen
}

fn its_item<'c>(change: &'c SyncChange, queue: &str) -> Option<&'c Value> {
    change.data.as_deref().map(Data::value).filter(|_| change.key.as_deref() == Some(queue))
}
