//! Layout `queue-documents`: Sync Documents of its own for each TaskQueue, for large workspaces.
//!
//! All items of a Map share one write budget; every Document has its own. So with a thousand TaskQueues each stays as
//! fresh as with five. A TaskQueue has two Documents: `task-queue-<sid>` with realtime values, kept below 1 KiB, where
//! Sync allows the most writes, and `task-queue-<sid>-today` with cumulative ones. The Map `task-queues` lists them.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Changes, Layout, Object, Target, moved, shape};
use crate::config::{CoreConfig, QUEUE_DOCUMENT, TODAYS_SUFFIX};
use crate::sid::TaskQueueSid;
use crate::stats::{Needs, QueueState, Scope, ScopeStats, Snapshot};

#[derive(Debug)]
pub(super) struct QueueDocuments {
    list: Arc<str>,
}

impl QueueDocuments {
    pub(super) fn new(config: &CoreConfig) -> Self {
        Self { list: config.sync.task_queues_map.as_str().into() }
    }

    fn entry(&self, queue: TaskQueueSid) -> Target {
        Target::MapItem(self.list.clone(), queue.as_str().into())
    }

    fn all_of(&self, queue: TaskQueueSid) -> Vec<Target> {
        let documents = names(queue).map(Target::Document);
        documents.into_iter().chain([self.entry(queue)]).collect()
    }
}

impl Layout for QueueDocuments {
    fn needs(&self) -> Needs {
        Needs { queues: true, ..Needs::default() }
    }

    fn objects(&self, snapshot: &Snapshot) -> Vec<Object> {
        let documents = snapshot.queues.keys().flat_map(|queue| names(*queue).map(Object::Document));
        std::iter::once(Object::Map(self.list.clone())).chain(documents).collect()
    }

    fn changes(&self, last: Option<&Snapshot>, next: &Snapshot, changes: &mut Changes<'_>) {
        let (changed, gone) = moved(last, next);
        for state in changed {
            let (queue, [realtime, today]) = (state.queue.sid, names(state.queue.sid));
            // A change of one Worker shows in all TaskQueues, and what it leaves as it was is not laid out.
            let before = last.and_then(|last| last.queues.get(&queue));
            if before.is_none_or(|before| before.queue != state.queue) {
                changes.put(self.entry(queue), entry_of(state));
            }
            if !all_tried(state) {
                continue;
            }
            let comparable = |before: &&Arc<QueueState>| {
                before.queue == state.queue && before.scopes.len() == state.scopes.len() && all_tried(before)
            };
            let scopes = before.filter(comparable).map(|before| before.scopes.iter().zip(&state.scopes));
            let has_news = |part: fn(&ScopeStats, &ScopeStats) -> bool| {
                scopes.clone().is_none_or(|mut scopes| scopes.any(|(before, next)| part(next, before)))
            };
            if has_news(|next, before| next.realtime.has_news_since(&before.realtime))
                && let Some(value) = realtime_of(state, next)
            {
                changes.put(Target::Document(realtime), value);
            }
            if has_news(|next, before| next.cumulative.has_news_since(&before.cumulative))
                && let Some(value) = today_of(state, next)
            {
                changes.put(Target::Document(today), value);
            }
        }
        gone.flat_map(|queue| self.all_of(queue)).for_each(|target| changes.remove(target));
    }

    fn value(&self, target: &Target, snapshot: &Snapshot) -> Option<Value> {
        let name = match target {
            Target::MapItem(list, key) => {
                let queue = key.parse().ok().filter(|_| *list == self.list)?;
                return Some(entry_of(snapshot.queues.get(&queue)?));
            }
            Target::Document(name) => name.strip_prefix(QUEUE_DOCUMENT)?,
        };
        let (queue, today) = name.strip_suffix(TODAYS_SUFFIX).map_or((name, false), |queue| (queue, true));
        let state = snapshot.queues.get(&queue.parse().ok()?)?;
        if !all_tried(state) {
            return None;
        }
        if today { today_of(state, snapshot) } else { realtime_of(state, snapshot) }
    }

    fn leftovers(&self, map: &str, key: &str, snapshot: &Snapshot) -> Vec<Target> {
        let queue = key.parse::<TaskQueueSid>().ok().filter(|queue| snapshot.is_gone(*queue));
        queue.filter(|_| *map == *self.list).map(|queue| self.all_of(queue)).unwrap_or_default()
    }
}

fn all_tried(state: &QueueState) -> bool {
    state.scopes.iter().all(ScopeStats::was_tried)
}

fn entry_of(state: &QueueState) -> Value {
    let (queue, [realtime, today]) = (state.queue.sid, names(state.queue.sid));
    json!({
        "sid": queue, "friendlyName": state.queue.friendly_name, "realtime": *realtime, "today": *today,
    })
}

fn names(queue: TaskQueueSid) -> [Arc<str>; 2] {
    [format!("{QUEUE_DOCUMENT}{queue}").into(), format!("{QUEUE_DOCUMENT}{queue}{TODAYS_SUFFIX}").into()]
}

/// Short names and no repetition, so that four scopes stay below 1 KiB.
fn realtime_of(state: &QueueState, snapshot: &Snapshot) -> Option<Value> {
    let whole = state.scopes.first()?;
    let activities = whole.realtime.value.as_deref()?.workers_by_activity();
    let mut shown = Map::new();
    shown.insert("sid".into(), json!(state.queue.sid));
    shown.insert("friendlyName".into(), json!(state.queue.friendly_name));
    let activities = activities.into_iter().map(|(name, workers)| (name.to_owned(), json!(workers)));
    shown.insert("activities".into(), Value::Object(activities.collect()));
    for (scope, stats) in Scope::each(snapshot.channels.len()).zip(&state.scopes) {
        let Some(realtime) = stats.realtime.value.as_deref() else { continue };
        let status = |name| realtime.tasks_by_status.count(name);
        let mut numbers = json!({
            "pending": status("pending"), "reserved": status("reserved"), "assigned": status("assigned"),
            "wrapping": status("wrapping"), "tasks": realtime.total_tasks,
            "available": realtime.total_available_workers, "eligible": realtime.total_eligible_workers,
        });
        if let Some(oldest) = stats.oldest {
            numbers["oldestTask"] = json!(oldest.seconds);
            numbers["oldestTaskSince"] = shape::instant(oldest.since);
        }
        shown.insert(scope.name(&snapshot.channels).unwrap_or("all").to_owned(), numbers);
    }
    shape::provenance(&mut shown, whole);
    shown.remove("cumulativeStatsMessage");
    Some(Value::Object(shown))
}

fn today_of(state: &QueueState, snapshot: &Snapshot) -> Option<Value> {
    let whole = state.scopes.first()?;
    whole.cumulative.value.as_ref()?;
    let mut shown = Map::new();
    shown.insert("sid".into(), json!(state.queue.sid));
    shown.insert("friendlyName".into(), json!(state.queue.friendly_name));
    for (scope, stats) in Scope::each(snapshot.channels.len()).zip(&state.scopes) {
        if let Some(cumulative) = stats.cumulative.value.as_deref() {
            let name = scope.name(&snapshot.channels).unwrap_or("all");
            shown.insert(name.to_owned(), shape::queue_map_cumulative(cumulative));
        }
    }
    shape::provenance(&mut shown, whole);
    for realtime_only in ["oldestTaskSince", "realTimeStatsMessage"] {
        shown.remove(realtime_only);
    }
    if let Some(as_of) = whole.cumulative.as_of {
        shown.insert("asOf".into(), shape::instant(as_of));
        shown.insert("readBy".into(), shape::read_by(whole.cumulative.by_event));
    }
    Some(Value::Object(shown))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::event::{Event, Trace};
    use crate::stats::Reading;
    use crate::twilio::taskrouter::{Cumulative, Realtime};

    const QUEUE: &str = "WQ00000000000000000000000000000001";

    fn layout() -> QueueDocuments {
        QueueDocuments { list: "task-queues".into() }
    }

    fn read<T>(value: T) -> Reading<T> {
        let mut reading = Reading::default();
        reading.value = Some(Arc::new(value));
        reading
    }

    fn realtime(tasks: u64) -> Reading<Realtime> {
        read(serde_json::from_value(json!({"longest_task_waiting_age": 0, "total_tasks": tasks})).unwrap())
    }

    fn cumulative(accepted: u64) -> Reading<Cumulative> {
        let mut value = json!({"start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-01T00:00:01Z"});
        for count in ["canceled", "created", "rejected", "rescinded", "timed_out"] {
            value[format!("reservations_{count}")] = json!(0);
        }
        value["reservations_accepted"] = json!(accepted);
        value["tasks_canceled"] = json!(0);
        read(serde_json::from_value(value).unwrap())
    }

    fn state(name: &str) -> QueueState {
        let queue = serde_json::from_value(json!({"sid": QUEUE, "friendly_name": name})).unwrap();
        let stats = || ScopeStats { realtime: realtime(1), cumulative: cumulative(1), oldest: None };
        QueueState { queue: Arc::new(queue), scopes: [stats(), stats()].into() }
    }

    fn snapshot(state: QueueState) -> Snapshot {
        let mut snapshot = Snapshot::empty(&["voice".to_owned()], Timestamp::UNIX_EPOCH);
        snapshot.directory_known = true;
        snapshot.queues.insert(state.queue.sid, Arc::new(state));
        snapshot
    }

    /// What is laid out after a change of one state, as the last word of each target's name; every value is as
    /// [`Layout::value`] has it.
    fn laid_out(before: Option<&QueueState>, change: impl Fn(&mut QueueState)) -> Vec<&'static str> {
        let mut after = before.cloned().unwrap_or_else(|| state("Sales"));
        change(&mut after);
        let (before, next) = (before.cloned().map(snapshot), snapshot(after));
        let mut put = Vec::new();
        layout().changes(
            before.as_ref(),
            &next,
            &mut Changes::new(&mut |target, value| put.push((target, value)), &mut |_| ()),
        );
        let kind = |target: &Target| match target {
            Target::MapItem(..) => "entry",
            Target::Document(name) if name.ends_with(TODAYS_SUFFIX) => "today",
            Target::Document(_) => "realtime",
        };
        put.iter()
            .map(|(target, value)| {
                assert_eq!(layout().value(target, &next).as_ref(), Some(value));
                kind(target)
            })
            .collect()
    }

    #[test]
    fn only_what_changed_is_laid_out() {
        let before = &state("Sales");
        assert_eq!(laid_out(None, |_| ()), ["entry", "realtime", "today"]);
        assert_eq!(laid_out(Some(before), |_| ()), [""; 0]);
        assert_eq!(laid_out(Some(before), |next| next.scopes[1].realtime = realtime(2)), ["realtime"]);
        assert_eq!(laid_out(Some(before), |next| next.scopes[1].cumulative = cumulative(2)), ["today"]);
        let renamed = |next: &mut QueueState| next.queue = state("Support").queue;
        assert_eq!(laid_out(Some(before), renamed), ["entry", "realtime", "today"]);
        let longer = |next: &mut QueueState| next.scopes = [&*next.scopes, &next.scopes[..1]].concat().into();
        assert_eq!(laid_out(Some(before), longer), ["realtime", "today"], "a TaskChannel more");
        let named =
            |next: &mut QueueState| next.scopes[0].realtime.event = Some(Trace::begin(&Event::default()));
        assert_eq!(laid_out(Some(before), named), ["realtime"], "now an event names it");
        let mut untried = before.clone();
        untried.scopes[1].cumulative = Reading::default();
        assert_eq!(laid_out(Some(&untried), |next| next.scopes[0].realtime = realtime(2)), [""; 0]);
        let tried = |next: &mut QueueState| next.scopes[1].cumulative = cumulative(1);
        assert_eq!(laid_out(Some(&untried), tried), ["realtime", "today"], "the last part was read");
    }
}
