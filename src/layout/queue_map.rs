//! Layout `queue-map`: one Sync Map, one item per TaskQueue, as the Flex realtime-stats plugin reads it.
//!
//! Item key: the TaskQueue's SID. An item appears once every scope of its queue was read or has failed for good, so that
//! after a restart a half-read queue never replaces a whole one. A deleted queue's item is removed.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Changes, Layout, Object, Target, is_whole, moved, shape};
use crate::config::CoreConfig;
use crate::sid::TaskQueueSid;
use crate::stats::{Needs, QueueState, Scope, Snapshot};

#[derive(Debug)]
pub(super) struct QueueMap {
    map: Arc<str>,
}

impl QueueMap {
    pub(super) fn new(config: &CoreConfig) -> Self {
        Self { map: config.sync.queue_stats_map.as_str().into() }
    }

    fn target(&self, queue: TaskQueueSid) -> Target {
        Target::MapItem(self.map.clone(), queue.as_str().into())
    }
}

impl Layout for QueueMap {
    fn needs(&self) -> Needs {
        Needs { queues: true, ..Needs::default() }
    }

    fn objects(&self, _snapshot: &Snapshot) -> Vec<Object> {
        vec![Object::Map(self.map.clone())]
    }

    fn changes(&self, last: Option<&Snapshot>, next: &Snapshot, changes: &mut Changes<'_>) {
        let (changed, gone) = moved(last, next);
        for state in changed {
            if let Some(item) = item(state, &next.channels) {
                changes.put(self.target(state.queue.sid), item);
            }
        }
        gone.for_each(|queue| changes.remove(self.target(queue)));
    }

    fn value(&self, target: &Target, snapshot: &Snapshot) -> Option<Value> {
        let Target::MapItem(map, key) = target else { return None };
        let queue = key.parse().ok().filter(|_| *map == self.map)?;
        item(snapshot.queues.get(&queue)?, &snapshot.channels)
    }

    fn leftovers(&self, map: &str, key: &str, snapshot: &Snapshot) -> Vec<Target> {
        let queue = key.parse::<TaskQueueSid>().ok().filter(|_| *map == *self.map);
        queue.filter(|queue| snapshot.is_gone(*queue)).map(|queue| self.target(queue)).into_iter().collect()
    }
}

/// The item of one TaskQueue; `None` until all its statistics are known.
pub(super) fn item(state: &QueueState, channels: &[Box<str>]) -> Option<Value> {
    let whole = state.scopes.first()?;
    if !is_whole(state) {
        return None;
    }
    let mut item = Map::new();
    item.insert("sid".into(), json!(state.queue.sid));
    item.insert("friendlyName".into(), json!(state.queue.friendly_name));
    for (scope, stats) in Scope::each(channels.len()).zip(&state.scopes) {
        let suffix = scope.name(channels).unwrap_or("all");
        if let Some(realtime) = &stats.realtime.value {
            let mut shown = shape::queue_map_realtime(realtime, stats.oldest);
            if let Some(message) = shape::stale(&stats.realtime).filter(|_| scope != Scope::ALL) {
                shown["message"] = message;
            }
            item.insert(format!("realTimeStats_{suffix}"), shown);
        }
        if let Some(cumulative) = &stats.cumulative.value {
            let mut shown = shape::queue_map_cumulative(cumulative);
            if let Some(message) = shape::stale(&stats.cumulative).filter(|_| scope != Scope::ALL) {
                shown["message"] = message;
            }
            item.insert(format!("cumulativeStats_{suffix}"), shown);
        }
    }
    shape::provenance(&mut item, whole);
    Some(Value::Object(item))
}
