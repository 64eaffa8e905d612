//! Layout `dashboard-map`: one Sync Map with raw statistics, as the wallboard's later version reads it.
//!
//! Item `WORKSPACE` holds the Workspace Statistics; items `TASK_QUEUE_<sid>` a TaskQueue with its raw statistics.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Changes, Layout, Object, Owner, Target, moved, shape};
use crate::config::CoreConfig;
use crate::sid::TaskQueueSid;
use crate::stats::{Needs, QueueState, ScopeStats, Snapshot};

const WORKSPACE: &str = "WORKSPACE";
const TASK_QUEUE: &str = "TASK_QUEUE_";

#[derive(Debug)]
pub(super) struct DashboardMap {
    map: Arc<str>,
    owner: Owner,
}

impl DashboardMap {
    pub(super) fn new(config: &CoreConfig) -> Self {
        Self { map: config.sync.dashboard_map.as_str().into(), owner: Owner::new(config) }
    }

    fn target(&self, key: &str) -> Target {
        Target::MapItem(self.map.clone(), key.into())
    }

    fn queue_target(&self, queue: TaskQueueSid) -> Target {
        self.target(&format!("{TASK_QUEUE}{queue}"))
    }

    fn workspace_item(&self, snapshot: &Snapshot) -> Option<Value> {
        let workspace = Some(&snapshot.workspace).filter(|workspace| is_known(workspace))?;
        let mut item = shape::raw(workspace, &self.owner, "");
        shape::provenance(&mut item, workspace);
        // The older wallboard calculates its tiles when this item changes, so a TaskQueue's change is one of this item,
        // too.
        if let Some(changed_at) = snapshot.queues_changed_at {
            item.insert("queuesChangedAt".into(), shape::instant(changed_at));
        }
        Some(Value::Object(item))
    }

    fn queue_item(&self, state: &QueueState) -> Option<Value> {
        let whole = state.scopes.first().filter(|whole| is_known(whole))?;
        let mut data = shape::raw(whole, &self.owner, &format!("/TaskQueues/{}", state.queue.sid));
        data.insert("task_queue_sid".into(), json!(state.queue.sid));
        let mut item = Map::new();
        item.insert("sid".into(), json!(state.queue.sid));
        item.insert("friendlyName".into(), json!(state.queue.friendly_name));
        item.insert("targetWorkers".into(), json!(state.queue.target_workers));
        item.insert("assignmentActivityName".into(), json!(state.queue.assignment_activity_name));
        item.insert("taskOrder".into(), json!(state.queue.task_order));
        item.insert("data".into(), Value::Object(data));
        shape::provenance(&mut item, whole);
        Some(Value::Object(item))
    }
}

impl Layout for DashboardMap {
    fn needs(&self) -> Needs {
        Needs { queues: true, workspace: true, ..Needs::default() }
    }

    fn written_last(&self) -> Option<Target> {
        Some(self.target(WORKSPACE))
    }

    fn objects(&self, _snapshot: &Snapshot) -> Vec<Object> {
        vec![Object::Map(self.map.clone())]
    }

    fn changes(&self, last: Option<&Snapshot>, next: &Snapshot, changes: &mut Changes<'_>) {
        let (changed, gone) = moved(last, next);
        for state in changed {
            if let Some(item) = self.queue_item(state) {
                changes.put(self.queue_target(state.queue.sid), item);
            }
        }
        gone.for_each(|queue| changes.remove(self.queue_target(queue)));
        let same = last.is_some_and(|last| {
            last.workspace.shows_the_same(&next.workspace) && last.queues_changed_at == next.queues_changed_at
        });
        if let Some(item) = self.workspace_item(next).filter(|_| !same) {
            changes.put(self.target(WORKSPACE), item);
        }
    }

    fn value(&self, target: &Target, snapshot: &Snapshot) -> Option<Value> {
        let Target::MapItem(map, key) = target else { return None };
        if *map != self.map {
            return None;
        }
        if **key == *WORKSPACE {
            return self.workspace_item(snapshot);
        }
        let queue = key.strip_prefix(TASK_QUEUE)?.parse().ok()?;
        self.queue_item(snapshot.queues.get(&queue)?)
    }

    fn leftovers(&self, map: &str, key: &str, snapshot: &Snapshot) -> Vec<Target> {
        let queue = key.strip_prefix(TASK_QUEUE).and_then(|sid| sid.parse::<TaskQueueSid>().ok());
        let gone = queue.is_some_and(|queue| snapshot.is_gone(queue));
        if *map == *self.map && gone { vec![self.target(key)] } else { Vec::new() }
    }
}

fn is_known(stats: &ScopeStats) -> bool {
    stats.realtime.value.is_some() && stats.cumulative.was_tried()
}
