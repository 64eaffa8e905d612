//! What is written to Sync, and under which names.

use std::time::Duration;

use serde::Serialize;

use super::parse::{all_different, duration, list};
use super::reader::{Variable, VariableReader};
use super::variables as var;
use crate::sid::split_sid;

/// Longest unique name of a Sync object (Twilio's API description of Documents, Maps and Streams).
const LONGEST_NAME: usize = 320;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SyncConfig {
    /// `SYNC_LAYOUTS`, default `queue-map,dashboard-document,dashboard-metrics`.
    #[serde(serialize_with = "super::fingerprint::sorted")]
    pub layouts: Vec<LayoutName>,
    /// `QUEUE_STATS_MAP`, default `queueStats`.
    pub queue_stats_map: String,
    /// `DASHBOARD_DATA_DOCUMENT`, default `dashboard-data`.
    pub dashboard_data_document: String,
    /// `DASHBOARD_DEFINITIONS_DOCUMENT`, default `dashboard-definitions`.
    pub dashboard_definitions_document: String,
    /// `DASHBOARD_METRICS_DOCUMENT`, default `dashboard-metrics`.
    pub dashboard_metrics_document: String,
    /// `DASHBOARD_MAP`, default `dashboard-map`.
    pub dashboard_map: String,
    /// `TASKROUTER_STATS_DOCUMENT`, default `SyncTaskRouterStats`.
    pub taskrouter_stats_document: String,
    /// `TASKROUTER_EVENTS_DOCUMENT`, default `SyncTaskRouterEvents`.
    pub taskrouter_events_document: String,
    /// `TASKROUTER_TASKS_MAP`, default `SyncTaskRouterTasks`.
    pub taskrouter_tasks_map: String,
    /// `TASK_QUEUES_MAP`, default `task-queues`.
    pub task_queues_map: String,
    /// `DEFINITIONS_INTERVAL`: how often Sync is checked for metric definitions that other programs changed, default 10 s.
    pub definitions_interval: Duration,
    /// `SYNC_AUDIT_INTERVAL`: how often Sync is compared with what was written, default 60 s.
    pub audit_interval: Duration,
    /// The least time between two writes of a value in which only an age moved, which is `REALTIME_INTERVAL`; `None` with
    /// `SYNC_AGES=off`, where such values are not written.
    pub ages: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum LayoutName {
    /// One Map with an item per TaskQueue.
    QueueMap,
    DashboardDocument,
    /// One Map with the Workspace's and each TaskQueue's raw statistics.
    DashboardMap,
    DashboardMetrics,
    TaskrouterStats,
    TaskrouterEvents,
    /// One Map with an item per open Task.
    TaskrouterTasks,
    QueueDocuments,
}

impl LayoutName {
    /// All layouts, in the order of `docs/sync-layouts.md`.
    pub const ALL: &'static [Self] = &[
        Self::QueueMap,
        Self::DashboardDocument,
        Self::DashboardMap,
        Self::DashboardMetrics,
        Self::TaskrouterStats,
        Self::TaskrouterEvents,
        Self::TaskrouterTasks,
        Self::QueueDocuments,
    ];

    /// The layout's name in `SYNC_LAYOUTS`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::QueueMap => "queue-map",
            Self::DashboardDocument => "dashboard-document",
            Self::DashboardMap => "dashboard-map",
            Self::DashboardMetrics => "dashboard-metrics",
            Self::TaskrouterStats => "taskrouter-stats",
            Self::TaskrouterEvents => "taskrouter-events",
            Self::TaskrouterTasks => "taskrouter-tasks",
            Self::QueueDocuments => "queue-documents",
        }
    }
}

impl SyncConfig {
    pub(super) fn read(reader: &mut VariableReader<'_>, realtime_interval: Duration) -> Self {
        let layouts = vec![LayoutName::QueueMap, LayoutName::DashboardDocument, LayoutName::DashboardMetrics];
        let layouts = layouts.into_iter().chain(implied(reader)).collect();
        let layouts = reader.or_default(&var::SYNC_LAYOUTS, layouts, layout_names);
        let name = |reader: &mut VariableReader<'_>, variable, default: &str, letters: &'static str| {
            reader.or_default(variable, default.to_owned(), |text| object_name(text, letters))
        };
        let documents = [
            (&var::DASHBOARD_DATA_DOCUMENT, "dashboard-data"),
            (&var::DASHBOARD_DEFINITIONS_DOCUMENT, "dashboard-definitions"),
            (&var::DASHBOARD_METRICS_DOCUMENT, "dashboard-metrics"),
            (&var::TASKROUTER_STATS_DOCUMENT, "SyncTaskRouterStats"),
            (&var::TASKROUTER_EVENTS_DOCUMENT, "SyncTaskRouterEvents"),
        ]
        .map(|(variable, default)| (variable, name(reader, variable, default, "ET")));
        let maps = [
            (&var::QUEUE_STATS_MAP, "queueStats"),
            (&var::DASHBOARD_MAP, "dashboard-map"),
            (&var::TASKROUTER_TASKS_MAP, "SyncTaskRouterTasks"),
            (&var::TASK_QUEUES_MAP, "task-queues"),
        ]
        .map(|(variable, default)| (variable, name(reader, variable, default, "MP")));
        refuse_shared_names(reader, &documents);
        refuse_shared_names(reader, &maps);
        let [data, definitions, metrics, stats, events] = documents.map(|(_, name)| name);
        let [queue_stats_map, dashboard_map, taskrouter_tasks_map, task_queues_map] =
            maps.map(|(_, name)| name);
        let above_zero = |s: &str| duration(s).filter(|d| !d.is_zero());
        let definitions_interval =
            reader.or_default(&var::DEFINITIONS_INTERVAL, Duration::from_secs(10), above_zero);
        let audit_interval =
            reader.or_default(&var::SYNC_AUDIT_INTERVAL, Duration::from_secs(60), above_zero);
        let on = |s: &str| ["off", "on"].iter().position(|word| *word == s).map(|on| on > 0);
        let ages = reader.or_default(&var::SYNC_AGES, true, on).then_some(realtime_interval);
        Self {
            layouts,
            queue_stats_map,
            dashboard_data_document: data,
            dashboard_definitions_document: definitions,
            dashboard_metrics_document: metrics,
            dashboard_map,
            taskrouter_stats_document: stats,
            taskrouter_events_document: events,
            taskrouter_tasks_map,
            task_queues_map,
            definitions_interval,
            audit_interval,
            ages,
        }
    }
}

/// The layouts of the older front ends, by the variables of their back ends. Without this the configuration of an older
/// system would be accepted, and its front end would see nothing.
fn implied(reader: &VariableReader<'_>) -> Vec<LayoutName> {
    let of = |name: &str, layouts: &[LayoutName]| {
        if reader.is_named(name) { layouts.to_vec() } else { Vec::new() }
    };
    let dashboard = [LayoutName::TaskrouterStats, LayoutName::TaskrouterEvents, LayoutName::TaskrouterTasks];
    [of("DASHBOARD_SYNC_MAP_SID", &[LayoutName::DashboardMap]), of("TWILIO_SYNC_SERVICE_ID", &dashboard)]
        .concat()
}

fn layout_names(text: &str) -> Option<Vec<LayoutName>> {
    let named = |text: &str| LayoutName::ALL.iter().copied().find(|layout| layout.as_str() == text);
    let layouts: Vec<_> = list(text).into_iter().map(named).collect::<Option<_>>()?;
    all_different(&layouts).then_some(layouts)
}

/// Two layouts that write one object would overwrite each other for ever.
fn refuse_shared_names(reader: &mut VariableReader<'_>, names: &[(&Variable, String)]) {
    for (position, (variable, name)) in names.iter().enumerate() {
        if let Some((other, _)) = names[..position].iter().find(|(_, earlier)| earlier == name) {
            reader.problem(variable, format!("{name:?}, which {} is too", other.name));
        }
    }
}

/// A unique name, or a SID that begins with these letters. Sync finds objects by both, and would make one that is *named*
/// like a SID of another kind.
fn object_name(text: &str, letters: &str) -> Option<String> {
    if let Some((found, digits)) = split_sid(text) {
        return found.eq_ignore_ascii_case(letters).then(|| format!("{letters}{}", digits.to_lowercase()));
    }
    // A '/' would split the REST path; Twilio accepts such a name and then can't find it again.
    ((1..=LONGEST_NAME).contains(&text.chars().count()) && !text.contains('/')).then(|| text.to_owned())
}
