//! What is written to Sync, and under which names.

use std::time::Duration;

use super::parse::{all_different, duration, list};
use super::reader::Reader;
use super::variables as var;

/// Longest unique name of a Sync object (Twilio's API description of Documents, Maps and Streams).
const LONGEST_NAME: usize = 320;

/// Layouts and names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncConfig {
    /// `SYNC_LAYOUTS`, default `queue-map,dashboard-document`.
    pub layouts: Vec<LayoutName>,
    /// `QUEUE_STATS_MAP`, default `queueStats`.
    pub queue_stats_map: String,
    /// `DASHBOARD_DATA_DOCUMENT`, default `dashboard-data`.
    pub dashboard_data_document: String,
    /// `DASHBOARD_DEFINITIONS_DOCUMENT`, default `dashboard-definitions`.
    pub dashboard_definitions_document: String,
    /// `SYNC_AUDIT_INTERVAL`: between two checks that what we wrote still stands, default 60 s.
    pub audit_interval: Duration,
}

/// One way to lay a snapshot out in Sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LayoutName {
    /// One Map with an item per TaskQueue.
    QueueMap,
    /// One Document with the Workspace's statistics.
    DashboardDocument,
}

impl LayoutName {
    /// All of them, in the order of `docs/sync-layouts.md`.
    pub const ALL: &'static [Self] = &[Self::QueueMap, Self::DashboardDocument];

    /// What it is called in `SYNC_LAYOUTS`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::QueueMap => "queue-map",
            Self::DashboardDocument => "dashboard-document",
        }
    }
}

impl SyncConfig {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let layouts = vec![LayoutName::QueueMap, LayoutName::DashboardDocument];
        let layouts = reader.or_default(&var::SYNC_LAYOUTS, layouts, layout_names);
        let mut name = |variable, default: &str| reader.or_default(variable, default.to_owned(), object_name);
        let queue_stats_map = name(&var::QUEUE_STATS_MAP, "queueStats");
        let dashboard_data_document = name(&var::DASHBOARD_DATA_DOCUMENT, "dashboard-data");
        let dashboard_definitions_document =
            name(&var::DASHBOARD_DEFINITIONS_DOCUMENT, "dashboard-definitions");
        if dashboard_data_document == dashboard_definitions_document {
            let found = format!("{dashboard_data_document:?}, which DASHBOARD_DATA_DOCUMENT is too");
            reader.problem(&var::DASHBOARD_DEFINITIONS_DOCUMENT, found);
        }
        let audit_interval = reader.or_default(&var::SYNC_AUDIT_INTERVAL, Duration::from_secs(60), |s| {
            duration(s).filter(|d| !d.is_zero())
        });
        Self {
            layouts,
            queue_stats_map,
            dashboard_data_document,
            dashboard_definitions_document,
            audit_interval,
        }
    }
}

fn layout_names(text: &str) -> Option<Vec<LayoutName>> {
    let named = |text: &str| LayoutName::ALL.iter().copied().find(|layout| layout.as_str() == text);
    let layouts: Vec<_> = list(text).into_iter().map(named).collect::<Option<_>>()?;
    all_different(&layouts).then_some(layouts)
}

fn object_name(text: &str) -> Option<String> {
    // A '/' would split the REST path; Twilio accepts such a name and then can't find it again.
    ((1..=LONGEST_NAME).contains(&text.chars().count()) && !text.contains('/')).then(|| text.to_owned())
}
