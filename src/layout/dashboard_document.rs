//! Layout `dashboard-document`: one Sync Document with the Workspace's raw statistics, as the wallboard reads it.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Changes, Layout, Object, Owner, Target, only_document, shape};
use crate::config::CoreConfig;
use crate::stats::{Needs, Snapshot};

#[derive(Debug)]
pub(super) struct DashboardDocument {
    document: Arc<str>,
    owner: Owner,
}

impl DashboardDocument {
    pub(super) fn new(config: &CoreConfig) -> Self {
        Self { document: config.sync.dashboard_data_document.as_str().into(), owner: Owner::new(config) }
    }
}

impl Layout for DashboardDocument {
    fn needs(&self) -> Needs {
        Needs { workspace: true, ..Needs::default() }
    }

    fn objects(&self, _snapshot: &Snapshot) -> Vec<Object> {
        vec![Object::Document(self.document.clone())]
    }

    fn changes(&self, last: Option<&Snapshot>, next: &Snapshot, changes: &mut Changes<'_>) {
        let workspace = &next.workspace;
        let known = workspace.realtime.value.is_some() && workspace.cumulative.was_tried();
        if !known || last.is_some_and(|last| last.workspace.shows_the_same(workspace)) {
            return;
        }
        let statistics = shape::raw(workspace, &self.owner, "");
        let mut data = Map::new();
        data.insert("workspace_statistics".into(), Value::Object(statistics));
        shape::provenance(&mut data, workspace);
        changes.put(Target::Document(self.document.clone()), Value::Object(data));
    }

    fn value(&self, target: &Target, snapshot: &Snapshot) -> Option<Value> {
        let own = matches!(target, Target::Document(name) if *name == self.document);
        own.then(|| only_document(self, snapshot)).flatten()
    }

    fn leftovers(&self, _map: &str, _key: &str, _snapshot: &Snapshot) -> Vec<Target> {
        Vec::new()
    }
}
