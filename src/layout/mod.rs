//! From a snapshot to the Sync objects that show it. Pure: no I/O, no memory of what was written.
//!
//! Each layout is one file that says which objects it keeps and how they look; the publisher compares that with what
//! Sync holds and writes the difference. To add a layout, add a file and a line in [`all`].

mod dashboard_document;
mod fingerprint;
mod queue_map;
mod shape;

use std::fmt::Debug;
use std::sync::Arc;

use serde_json::Value;

pub use fingerprint::Fingerprint;

use crate::config::{CoreConfig, LayoutName};
use crate::refresh::Needs;
use crate::sid::{AccountSid, TaskQueueSid, WorkspaceSid};
use crate::stats::{QueueState, Snapshot};

/// The default metric definitions, which a new definitions Document starts with.
pub const DEFAULT_DEFINITIONS: &str = include_str!("../../default_stats.json");

/// A top-level Sync object, by its unique name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Object {
    /// A Document.
    Document(Arc<str>),
    /// A Map.
    Map(Arc<str>),
}

/// Something with a value in Sync: a Document, or an item of a Map.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// A Document.
    Document(Arc<str>),
    /// A MapItem, by its Map and key.
    MapItem(Arc<str>, Arc<str>),
}

impl Target {
    /// The top-level object whose write budget it shares.
    pub fn object(&self) -> Object {
        match self {
            Self::Document(name) => Object::Document(name.clone()),
            Self::MapItem(map, _) => Object::Map(map.clone()),
        }
    }
}

/// What a layout wants to be different.
#[derive(Debug, Default)]
pub struct Changes {
    /// New values.
    pub put: Vec<(Target, Value)>,
    /// What is to go.
    pub remove: Vec<Target>,
}

/// One way to lay a snapshot out.
pub trait Layout: Debug + Send + Sync {
    /// What must be read for it.
    fn needs(&self) -> Needs;

    /// The objects it keeps; they are created even while they are empty.
    fn objects(&self) -> Vec<Object>;

    /// What differs between the last snapshot that was laid out and this one.
    fn changes(&self, last: Option<&Snapshot>, next: &Snapshot, changes: &mut Changes);

    /// Whether an item that stands in one of its Maps is a leftover, such as a deleted TaskQueue's.
    fn is_leftover(&self, map: &str, key: &str, snapshot: &Snapshot) -> bool;
}

/// The configured layouts.
pub fn all(config: &CoreConfig) -> Vec<Box<dyn Layout>> {
    let build = |name: &LayoutName| -> Box<dyn Layout> {
        match name {
            LayoutName::QueueMap => Box::new(queue_map::QueueMap::new(config)),
            LayoutName::DashboardDocument => Box::new(dashboard_document::DashboardDocument::new(config)),
        }
    };
    config.sync.layouts.iter().map(build).collect()
}

/// What all the layouts together need.
pub fn needs(layouts: &[Box<dyn Layout>]) -> Needs {
    layouts.iter().fold(Needs::default(), |needs, layout| {
        let more = layout.needs();
        Needs { queues: needs.queues || more.queues, workspace: needs.workspace || more.workspace }
    })
}

/// The items of all TaskQueues as system A's front ends know them, for whoever asks over HTTP.
pub fn queue_items(snapshot: &Snapshot) -> Vec<Value> {
    snapshot.queues.values().filter_map(|state| queue_map::item(state, snapshot)).collect()
}

/// Whose statistics; part of the raw resources that some layouts show.
#[derive(Debug, Clone, Copy)]
struct Owner {
    account: AccountSid,
    workspace: WorkspaceSid,
}

impl Owner {
    fn new(config: &CoreConfig) -> Self {
        Self { account: config.twilio.account_sid, workspace: config.twilio.workspace_sid }
    }
}

/// TaskQueues that show something else than in the last snapshot, and those that are gone.
fn moved<'s>(
    last: Option<&'s Snapshot>,
    next: &'s Snapshot,
) -> (impl Iterator<Item = &'s Arc<QueueState>>, impl Iterator<Item = TaskQueueSid>) {
    let before = move |sid: &TaskQueueSid| last.and_then(|last| last.queues.get(sid));
    let differs = move |(sid, state): &(&TaskQueueSid, &Arc<QueueState>)| match before(sid) {
        Some(last) => !Arc::ptr_eq(last, state) && !last.shows_the_same(state),
        None => true,
    };
    let changed = next.queues.iter().filter(differs).map(|(_, state)| state);
    let gone = last.into_iter().flat_map(|last| last.queues.keys());
    (changed, gone.filter(|sid| !next.queues.contains_key(sid)).copied())
}
