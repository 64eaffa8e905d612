//! Layout `taskrouter-events`: one Sync Document with the latest event, all its parameters as a flat object of strings.
//!
//! This is the only layout that shows an event's own fields instead of reading statistics again.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Changes, Layout, Object, Target, only_document};
use crate::config::CoreConfig;
use crate::stats::{Needs, Snapshot};

#[derive(Debug)]
pub(super) struct TaskrouterEvents {
    document: Arc<str>,
}

impl TaskrouterEvents {
    pub(super) fn new(config: &CoreConfig) -> Self {
        Self { document: config.sync.taskrouter_events_document.as_str().into() }
    }
}

impl Layout for TaskrouterEvents {
    fn needs(&self) -> Needs {
        Needs { latest_event: true, ..Needs::default() }
    }

    fn objects(&self, _snapshot: &Snapshot) -> Vec<Object> {
        vec![Object::Document(self.document.clone())]
    }

    fn changes(&self, last: Option<&Snapshot>, next: &Snapshot, changes: &mut Changes<'_>) {
        let event = |snapshot: &Snapshot| snapshot.latest_event.clone();
        let same = match (last.and_then(event), event(next)) {
            (Some(last), Some(next)) => Arc::ptr_eq(&last, &next),
            (_, None) => true,
            (None, Some(_)) => false,
        };
        if let Some(event) = next.latest_event.as_deref().filter(|_| !same) {
            let fields: Value = json!(event.fields());
            changes.put(Target::Document(self.document.clone()), fields);
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
