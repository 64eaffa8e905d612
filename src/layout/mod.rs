//! From a snapshot to the Sync objects that show it. Pure: no I/O, no memory of what was written.
//!
//! Each layout is one file that says which objects it keeps and how they look; the publisher compares that with what
//! Sync holds and writes the difference. To add a layout, add a file and a line in [`all`].

mod dashboard_document;
mod dashboard_map;
mod dashboard_metrics;
mod fingerprint;
pub mod fit;
mod queue_documents;
mod queue_map;
pub(crate) mod shape;
mod taskrouter_events;
mod taskrouter_stats;
mod taskrouter_tasks;

use std::fmt::{self, Debug};
use std::sync::Arc;

use serde_json::Value;

pub use fingerprint::Fingerprint;

use crate::config::{CoreConfig, LayoutName};
use crate::sid::{AccountSid, TaskQueueSid, TaskSid, WorkspaceSid, split_sid};
use crate::stats::{Needs, QueueState, ScopeStats, Snapshot, TaskState, Tile};

/// The default metric definitions, which a new definitions Document starts with.
pub const DEFAULT_DEFINITIONS: &str = include_str!("../../default_stats.json");

/// A top-level Sync object, by its unique name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Object {
    Document(Arc<str>),
    Map(Arc<str>),
}

/// Something with a value in Sync: a Document, or an item of a Map.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    Document(Arc<str>),
    /// A MapItem, by its Map and key.
    MapItem(Arc<str>, Arc<str>),
}

impl Object {
    /// Whether it is configured by its SID, so that it must exist: an object can't be created with a SID of one's choice.
    pub fn is_by_sid(&self) -> bool {
        let (Self::Document(name) | Self::Map(name)) = self;
        split_sid(name).is_some()
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(name) => write!(f, "Document {name}"),
            Self::Map(name) => write!(f, "Map {name}"),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(name) => write!(f, "Document {name}"),
            Self::MapItem(map, key) => write!(f, "Map {map}, item {key}"),
        }
    }
}

impl Target {
    /// What it is called where writes are counted.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Document(_) => "document",
            Self::MapItem(..) => "map_item",
        }
    }

    /// The top-level object whose write budget it shares.
    pub fn object(&self) -> Object {
        match self {
            Self::Document(name) => Object::Document(name.clone()),
            Self::MapItem(map, _) => Object::Map(map.clone()),
        }
    }
}

/// Takes what a layout wants to be different, one after another: all values at once would take much room.
pub struct Changes<'a> {
    put: &'a mut dyn FnMut(Target, Value),
    remove: &'a mut dyn FnMut(Target),
}

impl<'a> Changes<'a> {
    /// A writer that passes new values to one function and deletions to another.
    pub fn new(put: &'a mut dyn FnMut(Target, Value), remove: &'a mut dyn FnMut(Target)) -> Self {
        Self { put, remove }
    }

    fn put(&mut self, target: Target, value: Value) {
        (self.put)(target, value);
    }

    fn remove(&mut self, target: Target) {
        (self.remove)(target);
    }
}

impl Debug for Changes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Changes")
    }
}

pub trait Layout: Debug + Send + Sync {
    fn needs(&self) -> Needs;

    /// The item whose readers look at the others of its Map when it changes, so that it must come after them.
    fn written_last(&self) -> Option<Target> {
        None
    }

    /// The objects that the layout keeps for this snapshot; Maps are created even while they are empty.
    fn objects(&self, snapshot: &Snapshot) -> Vec<Object>;

    /// What differs between the last snapshot that was laid out and this one.
    fn changes(&self, last: Option<&Snapshot>, next: &Snapshot, changes: &mut Changes<'_>);

    /// The value of one target as this snapshot shows it; `None` where there is none to show, or the target is not its
    /// own. Values that wait for their turn are not kept, but laid out again here, so it should cost no more than one.
    fn value(&self, target: &Target, snapshot: &Snapshot) -> Option<Value>;

    /// What to delete when an item is found in a Map that is no longer wanted, such as a deleted TaskQueue's: the item, and
    /// what belongs to it. Nothing for other writers' items.
    fn leftovers(&self, map: &str, key: &str, snapshot: &Snapshot) -> Vec<Target>;

    /// Whether a Document that is no longer wanted belongs to this layout.
    fn is_leftover(&self, _document: &str, _snapshot: &Snapshot) -> bool {
        false
    }
}

pub fn all(config: &CoreConfig) -> Vec<Box<dyn Layout>> {
    let build = |name: &LayoutName| -> Box<dyn Layout> {
        match name {
            LayoutName::QueueMap => Box::new(queue_map::QueueMap::new(config)),
            LayoutName::DashboardDocument => Box::new(dashboard_document::DashboardDocument::new(config)),
            LayoutName::DashboardMap => Box::new(dashboard_map::DashboardMap::new(config)),
            LayoutName::DashboardMetrics => Box::new(dashboard_metrics::DashboardMetrics::new(config)),
            LayoutName::TaskrouterStats => Box::new(taskrouter_stats::TaskrouterStats::new(config)),
            LayoutName::TaskrouterEvents => Box::new(taskrouter_events::TaskrouterEvents::new(config)),
            LayoutName::TaskrouterTasks => Box::new(taskrouter_tasks::TaskrouterTasks::new(config)),
            LayoutName::QueueDocuments => Box::new(queue_documents::QueueDocuments::new(config)),
        }
    };
    config.sync.layouts.iter().map(build).collect()
}

pub fn needs(layouts: &[Box<dyn Layout>]) -> Needs {
    layouts.iter().fold(Needs::default(), |needs, layout| needs.and(layout.needs()))
}

/// The items of all TaskQueues as system A's front ends know them, for HTTP clients.
pub fn queue_items(snapshot: &Snapshot) -> Vec<Value> {
    snapshot.in_order().filter_map(|state| queue_item(state, &snapshot.channels)).collect()
}

/// The item of one TaskQueue; `None` until all its statistics are known.
pub fn queue_item(state: &QueueState, channels: &[Box<str>]) -> Option<Value> {
    queue_map::item(state, channels)
}

/// Whether all statistics of a TaskQueue are known: every scope was read or failed permanently, and at least one has a
/// value.
pub fn is_whole(state: &QueueState) -> bool {
    let shown = state.scopes.first().is_some_and(|whole| whole.realtime.value.is_some());
    shown && state.scopes.iter().all(ScopeStats::was_tried)
}

/// Names of the Documents that hold the metrics, the configured name first.
pub fn metrics_documents(first: &str, metrics: &[Tile]) -> Vec<String> {
    dashboard_metrics::names(first, metrics)
}

/// The item of one open Task as system D's front end knows it.
pub fn task_item(sid: TaskSid, state: &TaskState, recording: Option<&str>) -> Value {
    taskrouter_tasks::item(sid, state, recording)
}

/// The Workspace or TaskQueue of raw resources that some layouts show.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    account: AccountSid,
    workspace: WorkspaceSid,
    /// The Workspace's address at Twilio, below which its resources have theirs.
    url: String,
}

impl Owner {
    pub(crate) fn new(config: &CoreConfig) -> Self {
        let (account, workspace) = (config.twilio.account_sid, config.twilio.workspace_sid);
        let url = format!("{}/v1/Workspaces/{workspace}", config.twilio.base_urls.taskrouter);
        Self { account, workspace, url }
    }
}

/// The value of a layout's only Document, laid out as if nothing had been written before.
fn only_document(layout: &dyn Layout, snapshot: &Snapshot) -> Option<Value> {
    let mut value = None;
    layout.changes(None, snapshot, &mut Changes::new(&mut |_, laid_out| value = Some(laid_out), &mut |_| {}));
    value
}

/// TaskQueues that show something else than in the last snapshot, or the same for a more urgent reason, and those that
/// are gone.
pub(crate) fn moved<'s>(
    last: Option<&'s Snapshot>,
    next: &'s Snapshot,
) -> (impl Iterator<Item = &'s Arc<QueueState>>, impl Iterator<Item = TaskQueueSid>) {
    let before = move |sid: &TaskQueueSid| last.and_then(|last| last.queues.get(sid));
    let differs = move |(sid, state): &(&TaskQueueSid, &Arc<QueueState>)| match before(sid) {
        Some(last) => has_moved(last, state),
        None => true,
    };
    let changed = next.queues.iter().filter(differs).map(|(_, state)| state);
    let gone = last.into_iter().flat_map(|last| last.queues.keys());
    (changed, gone.filter(|sid| !next.queues.contains_key(sid)).copied())
}

/// Whether a TaskQueue shows something else than before, or the same for a more urgent reason.
pub(crate) fn has_moved(before: &Arc<QueueState>, state: &Arc<QueueState>) -> bool {
    !Arc::ptr_eq(before, state) && (!before.shows_the_same(state) || state.is_named_since(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_definitions_have_the_wallboards_form_and_fit_into_one_document() {
        let definitions: serde_json::Map<String, Value> = serde_json::from_str(DEFAULT_DEFINITIONS).unwrap();
        assert!(definitions.len() >= 10);
        for (name, definition) in &definitions {
            let metric = &definition["metric"];
            assert!(metric["label"].as_str().is_some_and(|label| !label.is_empty()), "{name}");
            assert!(metric["formula"].as_str().is_some_and(|formula| formula.contains("data.")), "{name}");
        }
        let written = Value::Object(definitions).to_string();
        assert!(written.len() <= fit::LARGEST, "{} bytes", written.len());
    }
}
