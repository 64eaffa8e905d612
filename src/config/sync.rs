//! What is written to Sync, and under which names.

use std::time::Duration;

use serde::Serialize;

use super::characters::is_invisible;
use super::parse::{INTERVAL, all_different, duration_from, list};
use super::reader::{Variable, VariableReader};
use super::variables as var;
use crate::sid::{TaskQueueSid, split_sid};

/// Longest unique name of a Sync object (Twilio's API description of Documents, Maps and Streams).
const LONGEST_NAME: usize = 320;
/// The prefix of a TaskQueue's Documents in the layout `queue-documents`, before its SID.
pub const QUEUE_DOCUMENT: &str = "task-queue-";
/// The suffix of the cumulative one, after the SID.
pub const TODAYS_SUFFIX: &str = "-today";
/// The Map of ended sessions, by which no other may go.
pub const SIGN_OUTS_MAP: &str = "taskrouter-sync-sign-outs";

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
        refuse_names_of_parts(reader, &documents, layouts.contains(&LayoutName::QueueDocuments));
        for (variable, _) in maps.iter().filter(|(_, name)| name == SIGN_OUTS_MAP) {
            reader.problem(variable, format!("{SIGN_OUTS_MAP:?}, in which the service keeps ended sessions"));
        }
        let [data, definitions, metrics, stats, events] = documents.map(|(_, name)| name);
        let [queue_stats_map, dashboard_map, taskrouter_tasks_map, task_queues_map] =
            maps.map(|(_, name)| name);
        let interval = |s: &str| duration_from(INTERVAL, s);
        let definitions_interval =
            reader.or_default(&var::DEFINITIONS_INTERVAL, Duration::from_secs(10), interval);
        let audit_interval = reader.or_default(&var::SYNC_AUDIT_INTERVAL, Duration::from_secs(60), interval);
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

/// The service makes Documents of its own beside the configured ones: further parts of long lists of metrics, and those of
/// TaskQueues. Under a name of theirs a Document would be overwritten or deleted.
fn refuse_names_of_parts(
    reader: &mut VariableReader<'_>,
    documents: &[(&Variable, String)],
    has_queue_documents: bool,
) {
    let of_metrics = &var::DASHBOARD_METRICS_DOCUMENT;
    let metrics = documents.iter().find(|(variable, _)| variable.name == of_metrics.name);
    for (variable, name) in documents {
        let number = metrics.and_then(|(_, metrics)| name.strip_prefix(metrics)?.strip_prefix('-'));
        if number.and_then(|number| number.parse::<usize>().ok()).is_some_and(|number| number > 1) {
            let found = format!("{name:?}, which is a further part of what {} names", of_metrics.name);
            reader.problem(variable, found);
        }
        let queue =
            name.strip_prefix(QUEUE_DOCUMENT).map(|queue| queue.strip_suffix(TODAYS_SUFFIX).unwrap_or(queue));
        if has_queue_documents && queue.is_some_and(|queue| queue.parse::<TaskQueueSid>().is_ok()) {
            let found = format!("{name:?}, a TaskQueue's Document of queue-documents in SYNC_LAYOUTS");
            reader.problem(variable, found);
        }
    }
}

/// The name of a Map as a user types it; the error says what fits.
pub fn map_name(text: &str) -> Result<String, String> {
    object_name(text, "MP").ok_or_else(|| format!("expected {}", var::QUEUE_STATS_MAP.expected))
}

/// A unique name, or a SID that begins with these letters. Sync finds objects by both, and would make one that is *named*
/// like a SID of another kind.
fn object_name(text: &str, letters: &str) -> Option<String> {
    if let Some((found, digits)) = split_sid(text) {
        return found.eq_ignore_ascii_case(letters).then(|| format!("{letters}{}", digits.to_lowercase()));
    }
    // A '/' would split the REST path, and `..` shorten it; Twilio accepts such a name and then can't find it again.
    let fits = (1..=LONGEST_NAME).contains(&text.chars().count())
        && !matches!(text, "." | "..")
        && !text.contains(|c: char| c == '/' || c.is_control() || is_invisible(c));
    fits.then(|| text.to_owned())
}
