//! The formulas' `data`: the raw statistics of the Workspace and of each TaskQueue.
//!
//! `data.workspace_statistics` and `data.workspace` are the same; `data.queues` has entries as in the wallboard's Map.

use std::collections::BTreeMap;

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::config::CoreConfig;
use crate::layout::{Owner, shape};
use crate::service_level::ServiceLevel;
use crate::sid::TaskQueueSid;
use crate::stats::{QueueState, Snapshot};

const MOST_SHOWN: usize = 20;

#[derive(Debug)]
pub struct FormulaData {
    owner: Owner,
    service_levels: BTreeMap<TaskQueueSid, ServiceLevel>,
}

impl FormulaData {
    pub fn new(config: &CoreConfig) -> Self {
        Self { owner: Owner::new(config), service_levels: config.statistics.service_levels.clone() }
    }

    /// The Workspace, unless it is unchanged.
    pub fn workspace_since(&self, last: Option<&Snapshot>, next: &Snapshot) -> Option<Box<RawValue>> {
        let same = last.is_some_and(|last| last.workspace.shows_the_same(&next.workspace));
        if same { None } else { to_raw_value(&self.workspace(next)).ok() }
    }

    /// The TaskQueues that changed.
    pub fn moved(last: Option<&Snapshot>, next: &Snapshot) -> Vec<TaskQueueSid> {
        crate::layout::moved(last, next).0.map(|state| state.queue.sid).collect()
    }

    /// One TaskQueue; without cumulative values if no formula uses them.
    pub fn queue_text(&self, state: &QueueState, with_cumulative: bool) -> Option<Box<RawValue>> {
        to_raw_value(&self.queue(state, with_cumulative)).ok()
    }

    /// All data for people to read, with only the first of many TaskQueues.
    pub fn shown(&self, snapshot: &Snapshot) -> Value {
        let queues = snapshot.queues.values().take(MOST_SHOWN).map(|state| {
            let mut parts = self.queue(state, true);
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

    fn queue(&self, state: &QueueState, with_cumulative: bool) -> Value {
        let queue = &state.queue;
        let data = state.scopes.first().map(|whole| {
            let mut data = shape::raw(whole, &self.owner, &format!("/TaskQueues/{}", queue.sid));
            data.insert("task_queue_sid".into(), json!(queue.sid));
            if !with_cumulative {
                data.remove("cumulative");
            }
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
