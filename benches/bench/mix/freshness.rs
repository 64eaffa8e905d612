//! Times each event from its publication to the Sync write that shows its counter.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::broadcast::error::RecvError;
use twilio_emulator::{Emulator, Event, Sid, World};

use super::counters::{Key, Shape};
use crate::stats::Sample;

/// Measures the events of one emulator.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    world: World,
    shape: Shape,
    /// Statistics show an event this long after it.
    lag: Duration,
    last: Mutex<Option<Sid>>,
    running: Arc<Mutex<Running>>,
}

#[derive(Debug, Default)]
struct Running {
    /// Counters as the events so far have moved them.
    counts: HashMap<Key, u64>,
    /// What a counter has to reach, and since when.
    waiting: HashMap<Key, VecDeque<(u64, Instant)>>,
    times: Vec<Duration>,
    events: usize,
}

impl Stopwatch {
    /// Measures the feed's updates for the other TaskQueues.
    pub(crate) fn of_others(emulator: &Emulator, shape: Shape) -> Self {
        let world = emulator.world();
        let last = Mutex::new(world.events().last().map(|event| event.sid));
        Self { world, shape, lag: Duration::ZERO, last, running: Arc::default() }
    }

    /// Notes that a TaskQueue's counters are shown now.
    pub(crate) fn show(&self, queue: &str, counters: &[(&'static str, u64)]) {
        self.running.lock().unwrap().show(queue, counters, Instant::now());
    }

    /// Measures until it is dropped.
    pub(super) fn start(emulator: &Emulator, shape: Shape, lag: Duration) -> Self {
        let running = Arc::new(Mutex::new(Running::default()));
        let (mut changes, seen) = (emulator.sync().subscribe(), Arc::downgrade(&running));
        tokio::spawn(async move {
            loop {
                let change = match changes.recv().await {
                    Ok(change) => change,
                    Err(RecvError::Lagged(missed)) => {
                        eprintln!("mix: {missed} writes were not looked at");
                        continue;
                    }
                    Err(RecvError::Closed) => return,
                };
                let Some(running) = seen.upgrade() else { return };
                if let Some((queue, counters)) = shape.shown(&change) {
                    running.lock().unwrap().show(queue, &counters, Instant::now());
                }
            }
        });
        let world = emulator.world();
        let last = Mutex::new(world.events().last().map(|event| event.sid));
        Self { world, shape, lag, last, running }
    }

    pub(super) fn shape(&self) -> Shape {
        self.shape
    }

    /// Makes one step of the centre; returns the number of its events.
    pub(crate) fn step(&self, is_timed: bool) -> usize {
        let begin = Instant::now() + self.lag;
        self.world.step();
        let (mut last, events) = (self.last.lock().unwrap(), self.world.events());
        let new: Vec<_> = events.iter().rev().take_while(|event| Some(event.sid) != *last).collect();
        if let Some(newest) = new.first() {
            *last = Some(newest.sid);
        }
        let mut running = self.running.lock().unwrap();
        for event in new.iter().rev() {
            running.expect(self, event, is_timed.then_some(begin));
        }
        running.events += if is_timed { new.len() } else { 0 };
        new.len()
    }

    /// Events of timed steps.
    pub(super) fn events(&self) -> usize {
        self.running.lock().unwrap().events
    }

    /// Ends the measurement: returns the times, in which a change that never showed counts as its whole wait, and the
    /// number of those changes.
    pub(crate) fn stop(self) -> (Sample<Duration>, usize) {
        let mut running = self.running.lock().unwrap();
        let now = Instant::now();
        let late: Vec<_> = running
            .waiting
            .values()
            .flatten()
            .map(|(_, begin)| now.saturating_duration_since(*begin))
            .collect();
        let missed = late.len();
        running.times.extend(late);
        (Sample::new(std::mem::take(&mut running.times)), missed)
    }
}

impl Running {
    fn expect(&mut self, watch: &Stopwatch, event: &Event, begin: Option<Instant>) {
        let Some(key) = watch.shape.moved_by(event) else { return };
        let count = match self.counts.get(&key) {
            Some(count) => count + 1,
            // The first event of this counter: the truth already holds it, and the others of its step.
            None => watch.shape.truth(&watch.world.truth(), &key),
        };
        self.counts.insert(key.clone(), count);
        if let Some(begin) = begin {
            self.waiting.entry(key).or_default().push_back((count, begin));
        }
    }

    fn show(&mut self, queue: &str, counters: &[(&'static str, u64)], at: Instant) {
        for (counter, shown) in counters {
            let key = Key { queue: queue.to_owned(), counter };
            let Some(waiting) = self.waiting.get_mut(&key) else { continue };
            while waiting.front().is_some_and(|(count, _)| count <= shown) {
                // A lagging statistic may still show an event a little early.
                self.times.extend(waiting.pop_front().map(|(_, begin)| at.saturating_duration_since(begin)));
            }
        }
    }
}
