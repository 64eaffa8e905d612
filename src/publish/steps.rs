//! Large changes are laid out in steps, so that what events name, and answers of Sync, don't wait for them. Pure.
//!
//! A change of one Worker may show in every TaskQueue, and to lay a thousand of them out takes a tenth of a second. Each
//! step is a snapshot of its own: the last one, with some TaskQueues as they are now. Those that an event names come first.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::event::Trace;
use crate::layout::has_moved;
use crate::sid::TaskQueueSid;
use crate::stats::{QueueState, Snapshot};

/// The least number of TaskQueues in a step beside those that an event names.
const IN_A_STEP: usize = 64;
/// A step has at least this part of what is left, so that five thousand TaskQueues take some forty steps.
const PART_OF_THE_REST: usize = 16;
/// When steps have gone on for this long, the rest goes at once: the Workspace and the number of a snapshot come last.
const LONGEST: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
pub(super) struct Steps {
    /// The last TaskQueue of the last step; those after it come next, so that none waits for ever.
    last: Option<TaskQueueSid>,
    /// Since when steps are behind the newest snapshot.
    behind_since: Option<Instant>,
}

impl Steps {
    /// Whether there are more steps to take.
    pub(super) fn is_behind(&self) -> bool {
        self.behind_since.is_some()
    }

    /// What to lay out now on the way from one snapshot to the next.
    pub(super) fn next(
        &mut self,
        shown: Option<&Arc<Snapshot>>,
        next: Arc<Snapshot>,
        now: Instant,
    ) -> Arc<Snapshot> {
        let too_long = self.behind_since.is_some_and(|since| now.saturating_duration_since(since) >= LONGEST);
        let step = shown.filter(|_| !too_long).and_then(|shown| self.part_of(shown, &next));
        match step {
            Some(step) => {
                self.behind_since.get_or_insert(now);
                Arc::new(step)
            }
            None => {
                self.behind_since = None;
                next
            }
        }
    }

    /// A part of the difference; `None` where it is small enough as a whole, or another one than of TaskQueues' values.
    fn part_of(&mut self, shown: &Snapshot, next: &Snapshot) -> Option<Snapshot> {
        if !shown.queues.keys().eq(next.queues.keys()) || shown.channels != next.channels {
            return None;
        }
        let pairs = shown.queues.values().zip(next.queues.values());
        let moved: Vec<_> = pairs.filter(|(before, state)| has_moved(before, state)).collect();
        let is_named = |(before, state): &(&Arc<QueueState>, &Arc<QueueState>)| {
            state.news(Some(before)).is_some_and(Trace::is_named)
        };
        let (named, mut others): (Vec<_>, Vec<_>) = moved.into_iter().partition(is_named);
        let count = IN_A_STEP.max(others.len().div_ceil(PART_OF_THE_REST));
        if others.len() <= count {
            return None;
        }
        let first = others.partition_point(|(_, state)| Some(state.queue.sid) <= self.last);
        others.rotate_left(first);
        others.truncate(count);
        self.last = others.last().map(|(_, state)| state.queue.sid);
        let mut queues: BTreeMap<_, _> = shown.queues.clone();
        queues.extend(named.into_iter().chain(others).map(|(_, state)| (state.queue.sid, state.clone())));
        Some(Snapshot { queues, ..shown.clone() })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::event::Event;
    use crate::stats::ScopeStats;
    use crate::twilio::taskrouter::Realtime;

    fn sid(n: usize) -> TaskQueueSid {
        format!("WQ{n:032x}").parse().unwrap()
    }

    fn state(n: usize, tasks: u64, event: Option<Trace>) -> Arc<QueueState> {
        let mut stats = ScopeStats::default();
        let realtime = json!({"longest_task_waiting_age": 0, "total_tasks": tasks});
        stats.realtime.value = Some(Arc::new(serde_json::from_value::<Realtime>(realtime).unwrap()));
        stats.realtime.event = event;
        let queue = serde_json::from_value(json!({"sid": sid(n), "friendly_name": n.to_string()})).unwrap();
        Arc::new(QueueState { queue: Arc::new(queue), scopes: [stats].into() })
    }

    fn snapshot(number: u64, queues: impl Iterator<Item = Arc<QueueState>>) -> Arc<Snapshot> {
        let queues = queues.map(|state| (state.queue.sid, state)).collect();
        Arc::new(Snapshot { number, queues, ..Snapshot::empty(&[], Timestamp::UNIX_EPOCH) })
    }

    fn tasks(snapshot: &Snapshot, n: usize) -> u64 {
        snapshot.queues[&sid(n)].scopes[0].realtime.value.as_ref().unwrap().total_tasks
    }

    #[test]
    fn what_an_event_names_is_in_the_first_step_and_the_number_in_the_last() {
        let now = Instant::now();
        let named = Trace::begin(&Event::default());
        for count in [10, 65, 1_000, 5_000] {
            let before = snapshot(1, (0..count).map(|n| state(n, 1, None)));
            let after = snapshot(
                2,
                (0..count).map(|n| state(n, 2, Some(if n == count - 1 { named } else { named.of_all() }))),
            );
            let (mut steps, mut shown, mut taken) = (Steps::default(), before, 0);
            while shown.number == 1 {
                let step = steps.next(Some(&shown), after.clone(), now);
                assert_eq!(tasks(&step, count - 1), 2, "named");
                assert_eq!(steps.is_behind(), step.number == 1);
                shown = step;
                taken += 1;
            }
            assert!((0..count).all(|n| tasks(&shown, n) == 2));
            assert_eq!(taken == 1, count <= 65, "{count}");
            assert!(taken < 50, "{count}: {taken}");
        }
    }

    #[test]
    fn changes_that_never_end_keep_no_task_queue_waiting_and_the_number_for_half_a_second() {
        let (count, start) = (1_000, Instant::now());
        let mut steps = Steps::default();
        let mut shown = snapshot(0, (0..count).map(|n| state(n, 0, None)));
        for round in 1..=20 {
            let next = snapshot(round, (0..count).map(|n| state(n, round, None)));
            shown = steps.next(Some(&shown), next, start + Duration::from_millis(round));
            assert_eq!(shown.number, 0);
        }
        assert!((0..count).all(|n| tasks(&shown, n) > 0), "each had its turn");
        let next = snapshot(99, (0..count).map(|n| state(n, 99, None)));
        shown = steps.next(Some(&shown), next, start + LONGEST * 2);
        assert_eq!((shown.number, steps.is_behind()), (99, false));
    }

    #[test]
    fn another_directory_goes_at_once() {
        let before = snapshot(1, (0..100).map(|n| state(n, 1, None)));
        let after = snapshot(2, (0..101).map(|n| state(n, 2, None)));
        let step = Steps::default().next(Some(&before), after, Instant::now());
        assert_eq!(step.number, 2);
    }
}
