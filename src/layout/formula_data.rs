//! What formulas see as `data`: the Workspace's raw statistics, and each TaskQueue with its own.
//!
//! `data.workspace_statistics` and `data.workspace` are the same; `data.queues` has entries as in the wallboard's Map.

use std::collections::BTreeMap;

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::{Owner, shape};
use crate::config::CoreConfig;
use crate::formula::protocol::Data;
use crate::service_level::ServiceLevel;
use crate::sid::TaskQueueSid;
use crate::stats::{QueueState, Snapshot};

/// TaskQueues that are shown to whoever looks for a field.
const MOST_SHOWN: usize = 20;

/// Makes it.
#[derive(Debug)]
pub struct FormulaData {
    owner: Owner,
    service_levels: BTreeMap<TaskQueueSid, ServiceLevel>,
}

impl FormulaData {
    /// For the configured Workspace.
    pub fn new(config: &CoreConfig) -> Self {
        Self { owner: Owner::new(config), service_levels: config.statistics.service_levels.clone() }
    }

    /// What differs from what was told last; all of it where nothing was. `None` when nothing differs.
    pub fn since(&self, last: Option<&Snapshot>, next: &Snapshot, with_queues: bool) -> Option<Data> {
        let same = last.is_some_and(|last| last.workspace.shows_the_same(&next.workspace));
        let workspace = if same { None } else { to_raw_value(&self.workspace(next)).ok() };
        if !with_queues {
            return workspace.map(|workspace| Data { workspace: Some(workspace), ..Data::default() });
        }
        let mut queues: BTreeMap<String, Box<RawValue>> = BTreeMap::new();
        for state in super::moved(last, next).0 {
            if let Ok(raw) = to_raw_value(&self.queue(state)) {
                queues.insert(state.queue.sid.to_string(), raw);
            }
        }
        let same_order = last.is_some_and(|last| last.queues.keys().eq(next.queues.keys()));
        let order = (!same_order).then(|| next.queues.keys().map(ToString::to_string).collect());
        let news = workspace.is_some() || !queues.is_empty() || order.is_some();
        news.then_some(Data { workspace, queues, order })
    }

    /// The whole of it, for people to look at; of many TaskQueues the first.
    pub fn shown(&self, snapshot: &Snapshot) -> Value {
        let queues = snapshot.queues.values().take(MOST_SHOWN).map(|state| {
            let mut parts = self.queue(state);
            let mut queue = parts["queue"].take();
            queue["data"] = parts["data"].take();
            queue
        });
        let workspace = self.workspace(snapshot);
        json!({ "workspace_statistics": workspace, "workspace": workspace, "queues": queues.collect::<Vec<_>>() })
    }

    fn workspace(&self, snapshot: &Snapshot) -> Value {
        Value::Object(shape::raw(&snapshot.workspace, &self.owner, ""))
    }

    fn queue(&self, state: &QueueState) -> Value {
        let queue = &state.queue;
        let data = state.scopes.first().map(|whole| {
            let mut data = shape::raw(whole, &self.owner, &format!("/TaskQueues/{}", queue.sid));
            data.insert("task_queue_sid".into(), json!(queue.sid));
            data
        });
        json!({
            "queue": {
                "sid": queue.sid,
                "friendlyName": queue.friendly_name,
                "targetWorkers": queue.target_workers,
                "assignmentActivityName": queue.assignment_activity_name,
                "taskOrder": queue.task_order,
                "sla": self.service_levels.get(&queue.sid),
            },
            "data": data,
        })
    }
}
