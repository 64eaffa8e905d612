//! Layout `taskrouter-stats`: one Sync Document with flat numbers, as the TaskRouter dashboard reads it.
//!
//! Tasks and Workers as they are now; the average and its window over the last 60 minutes.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Changes, Layout, Object, Target, only_document, shape};
use crate::config::CoreConfig;
use crate::stats::{Needs, Snapshot};

/// Activities with a field of their own; a workspace may have others, which stand in `activities` with all the rest.
const ACTIVITIES: [&str; 4] = ["Offline", "Idle", "Reserved", "Busy"];

#[derive(Debug)]
pub(super) struct TaskrouterStats {
    document: Arc<str>,
}

impl TaskrouterStats {
    pub(super) fn new(config: &CoreConfig) -> Self {
        Self { document: config.sync.taskrouter_stats_document.as_str().into() }
    }
}

impl Layout for TaskrouterStats {
    fn needs(&self) -> Needs {
        Needs { workspace: true, last_hour: true, ..Needs::default() }
    }

    fn objects(&self, _snapshot: &Snapshot) -> Vec<Object> {
        vec![Object::Document(self.document.clone())]
    }

    fn changes(&self, last: Option<&Snapshot>, next: &Snapshot, changes: &mut Changes<'_>) {
        let same = last.is_some_and(|last| {
            last.workspace.shows_the_same(&next.workspace) && last.last_hour.shows_the_same(&next.last_hour)
        });
        if same || !next.last_hour.was_tried() {
            return;
        }
        if let Some(data) = stats(next) {
            changes.put(Target::Document(self.document.clone()), data);
        }
    }

    fn value(&self, target: &Target, snapshot: &Snapshot) -> Option<Value> {
        let own = matches!(target, Target::Document(name) if *name == self.document);
        own.then(|| only_document(self, snapshot)).flatten()
    }

    fn leftovers(&self, _map: &str, _key: &str, _snapshot: &Snapshot) -> Vec<Target> {
        Vec::new()
    }
}

fn stats(snapshot: &Snapshot) -> Option<Value> {
    let realtime = snapshot.workspace.realtime.value.as_deref()?;
    let mut data = Map::new();
    data.insert("totalTasks".into(), json!(realtime.total_tasks));
    data.insert("totalWorkers".into(), json!(realtime.total_workers));
    for (status, count) in realtime.tasks_by_status.iter() {
        data.insert(format!("{status}Tasks"), json!(count));
    }
    let activities = realtime.workers_by_activity();
    let workers =
        |wanted: &str| activities.iter().find(|(name, _)| *name == wanted).map_or(0, |(_, workers)| *workers);
    for name in ACTIVITIES {
        data.insert(format!("activity{name}Workers"), json!(workers(name)));
    }
    let activities = activities.iter().map(|(name, workers)| ((*name).to_owned(), json!(workers)));
    data.insert("activities".into(), Value::Object(activities.collect()));
    if let Some(hour) = snapshot.last_hour.value.as_deref() {
        data.insert("avgTaskAcceptanceTime".into(), hour.short_acceptance_time());
        data.insert("startTime".into(), json!(hour.start_time));
        data.insert("endTime".into(), json!(hour.end_time));
    }
    shape::provenance(&mut data, &snapshot.workspace);
    Some(Value::Object(data))
}
