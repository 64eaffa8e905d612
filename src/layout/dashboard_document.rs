//! Layout `dashboard-document`: one Sync Document with the Workspace's raw statistics, as the wallboard reads it.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Changes, Layout, Object, Owner, Target, shape};
use crate::config::CoreConfig;
use crate::refresh::Needs;
use crate::stats::Snapshot;

/// The Document and its name.
#[derive(Debug)]
pub(super) struct DashboardDocument {
    document: Arc<str>,
    owner: Owner,
    /// The resource's address at Twilio, which is part of the raw resource.
    url: String,
}

impl DashboardDocument {
    pub(super) fn new(config: &CoreConfig) -> Self {
        let base = &config.twilio.base_urls.taskrouter;
        Self {
            document: config.sync.dashboard_data_document.as_str().into(),
            owner: Owner::new(config),
            url: format!("{base}/v1/Workspaces/{}/Statistics", config.twilio.workspace_sid),
        }
    }
}

impl Layout for DashboardDocument {
    fn needs(&self) -> Needs {
        Needs { queues: false, workspace: true }
    }

    fn objects(&self) -> Vec<Object> {
        vec![Object::Document(self.document.clone())]
    }

    fn changes(&self, last: Option<&Snapshot>, next: &Snapshot, changes: &mut Changes) {
        let workspace = &next.workspace;
        let known = workspace.realtime.value.is_some() && workspace.cumulative.was_tried();
        if !known || last.is_some_and(|last| last.workspace.shows_the_same(workspace)) {
            return;
        }
        let mut statistics = shape::raw(workspace, self.owner);
        statistics.insert("url".into(), json!(self.url));
        let mut data = Map::new();
        data.insert("workspace_statistics".into(), Value::Object(statistics));
        shape::provenance(&mut data, workspace, std::iter::once(workspace));
        changes.put.push((Target::Document(self.document.clone()), Value::Object(data)));
    }

    fn is_leftover(&self, _map: &str, _key: &str, _snapshot: &Snapshot) -> bool {
        false
    }
}
