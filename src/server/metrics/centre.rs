//! The contact centre's own numbers, made from the current snapshot at each scrape.
//!
//! A TaskQueue is a label, and a Workspace may have thousands of them. So the first [`MOST_QUEUES`] have lines of their own
//! and all others are summed up under `other`.

use std::sync::atomic::AtomicU64;

use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::config::{RefreshConfig, StatisticsConfig};
use crate::service_level::ServiceLevel;
use crate::stats::{Age, Scope, ScopeStats, Snapshot};
use crate::twilio::taskrouter::Cumulative;

const MOST_QUEUES: usize = 500;
const OTHER: &str = "other";
/// The statuses of open Tasks; Twilio's `total_tasks` counts others for a while, too.
const STATUSES: [&str; 4] = ["pending", "reserved", "assigned", "wrapping"];
/// Activities are few; Twilio allows 100 a Workspace.
const MOST_ACTIVITIES: usize = 100;

type FloatFamily<L> = Family<L, Gauge<f64, AtomicU64>>;
type CountFamily<L> = Family<L, Gauge>;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabels {
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Activity {
    activity: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Level {
    threshold: String,
    level: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Counter {
    what: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QueueLabels {
    task_queue: String,
    task_queue_sid: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QueueStatus {
    task_queue: String,
    task_queue_sid: String,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QueueChannelStatus {
    task_queue: String,
    task_queue_sid: String,
    channel: String,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QueueLevel {
    task_queue: String,
    task_queue_sid: String,
    threshold: String,
    level: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PartLabels {
    part: &'static str,
}

/// The contact centre's metrics of one snapshot, added to those of the service.
pub(super) fn registry(
    snapshot: &Snapshot,
    config: &StatisticsConfig,
    rhythm: RefreshConfig,
    now: Timestamp,
) -> Registry {
    let mut registry = Registry::with_prefix("taskrouter");
    workspace(&mut registry, snapshot, config, now);
    queues(&mut registry, snapshot, config, now);
    freshness(&mut registry, snapshot, rhythm, now);
    registry
}

fn workspace(registry: &mut Registry, snapshot: &Snapshot, config: &StatisticsConfig, now: Timestamp) {
    let tasks = CountFamily::<StatusLabels>::default();
    registry.register("tasks", "Open Tasks of the Workspace by status", tasks.clone());
    let agents = CountFamily::<Activity>::default();
    registry.register("agents", "Workers of the Workspace by Activity", agents.clone());
    let today = CountFamily::<Counter>::default();
    registry.register("today", "Today's counters of the Workspace; reset each day", today.clone());
    let sla = FloatFamily::<Level>::default();
    let help = "The Workspace's service level today by threshold in seconds, from 0 to 1; absent until a Task was accepted";
    registry.register_with_unit("sla", help, Unit::Ratios, sla.clone());

    if let Some(realtime) = &snapshot.workspace.realtime.value {
        for status in STATUSES {
            tasks.get_or_create(&StatusLabels { status }).set(whole(realtime.tasks_by_status.count(status)));
        }
        let oldest = Gauge::<f64, AtomicU64>::default();
        oldest.set(seconds(snapshot.workspace.oldest, now));
        let help = "How long the Task that waits longest in the Workspace waits; 0 when none does";
        registry.register_with_unit("oldest_task", help, Unit::Seconds, oldest);
        for (activity, workers) in realtime.workers_by_activity().into_iter().take(MOST_ACTIVITIES) {
            let activity = activity.to_owned();
            agents.get_or_create(&Activity { activity }).set(whole(workers));
        }
    }
    let Some(cumulative) = &snapshot.workspace.cumulative.value else { return };
    for (what, count) in [
        ("reservations_created", Some(cumulative.reservations_created)),
        ("reservations_accepted", Some(cumulative.reservations_accepted)),
        ("reservations_rejected", Some(cumulative.reservations_rejected)),
        ("reservations_timed_out", Some(cumulative.reservations_timed_out)),
        ("tasks_canceled", Some(cumulative.tasks_canceled)),
        ("tasks_completed", cumulative.tasks_completed),
    ] {
        if let Some(count) = count {
            today.get_or_create(&Counter { what }).set(whole(count));
        }
    }
    for threshold in &config.sla_thresholds {
        let level = config.service_level;
        if let Some(share) = share(level, cumulative, *threshold) {
            let labels = Level { threshold: threshold.to_string(), level: level.name() };
            sla.get_or_create(&labels).set(share);
        }
    }
}

fn queues(registry: &mut Registry, snapshot: &Snapshot, config: &StatisticsConfig, now: Timestamp) {
    let tasks = CountFamily::<QueueStatus>::default();
    registry.register(
        "queue_tasks",
        "Open Tasks of a TaskQueue by status, all channels together",
        tasks.clone(),
    );
    let of_channel = CountFamily::<QueueChannelStatus>::default();
    let help = "Open Tasks of a TaskQueue by TaskChannel and status";
    registry.register("queue_channel_tasks", help, of_channel.clone());
    let oldest = FloatFamily::<QueueLabels>::default();
    let help = "How long the Task that waits longest in a TaskQueue waits; 0 when none does";
    registry.register_with_unit("queue_oldest_task", help, Unit::Seconds, oldest.clone());
    let available = CountFamily::<QueueLabels>::default();
    let help = "Workers of a TaskQueue who could take a Task";
    registry.register("queue_agents_available", help, available.clone());
    let eligible = CountFamily::<QueueLabels>::default();
    registry.register("queue_agents_eligible", "Workers of a TaskQueue in any Activity", eligible.clone());
    let sla = FloatFamily::<QueueLevel>::default();
    let help = "A TaskQueue's service level today by threshold in seconds, from 0 to 1; absent until a Task was accepted";
    registry.register_with_unit("queue_sla", help, Unit::Ratios, sla.clone());
    let known: Gauge = Gauge::default();
    registry.register("queues", "TaskQueues of the Workspace", known.clone());
    known.set(i64::try_from(snapshot.queues.len()).unwrap_or(i64::MAX));

    for (position, (sid, state)) in snapshot.queues.iter().enumerate() {
        let own = position < MOST_QUEUES;
        let (task_queue, task_queue_sid) = if own {
            (state.queue.friendly_name.to_string(), sid.to_string())
        } else {
            (OTHER.to_owned(), OTHER.to_owned())
        };
        let queue = QueueLabels { task_queue: task_queue.clone(), task_queue_sid: task_queue_sid.clone() };
        for (scope, stats) in Scope::each(snapshot.channels.len()).zip(&state.scopes) {
            let Some(realtime) = &stats.realtime.value else { continue };
            for status in STATUSES {
                let count = whole(realtime.tasks_by_status.count(status));
                let (task_queue, task_queue_sid) = (task_queue.clone(), task_queue_sid.clone());
                match scope.name(&snapshot.channels) {
                    None => {
                        let labels = QueueStatus { task_queue, task_queue_sid, status };
                        tasks.get_or_create(&labels).inc_by(count);
                    }
                    Some(channel) => {
                        let channel = channel.to_owned();
                        let labels = QueueChannelStatus { task_queue, task_queue_sid, channel, status };
                        of_channel.get_or_create(&labels).inc_by(count);
                    }
                }
            }
        }
        let Some(all) = state.scopes.first() else { continue };
        if let Some(realtime) = &all.realtime.value {
            let gauge = oldest.get_or_create_owned(&queue);
            gauge.set(gauge.get().max(seconds(all.oldest, now)));
            for (family, count) in
                [(&available, realtime.total_available_workers), (&eligible, realtime.total_eligible_workers)]
            {
                if let Some(count) = count.filter(|_| own) {
                    // A Worker may be in many TaskQueues, so these have no sum.
                    family.get_or_create(&queue).set(whole(count));
                }
            }
        }
        let Some(cumulative) = all.cumulative.value.as_ref().filter(|_| own) else { continue };
        let level = config.service_levels.get(sid).copied().unwrap_or(config.service_level);
        for threshold in &config.sla_thresholds {
            if let Some(share) = share(level, cumulative, *threshold) {
                let QueueLabels { task_queue, task_queue_sid } = queue.clone();
                let threshold = threshold.to_string();
                let labels = QueueLevel { task_queue, task_queue_sid, threshold, level: level.name() };
                sla.get_or_create(&labels).set(share);
            }
        }
    }
}

/// How old the statistics are and may become, and how many can't be read.
fn freshness(registry: &mut Registry, snapshot: &Snapshot, rhythm: RefreshConfig, now: Timestamp) {
    let interval = FloatFamily::<PartLabels>::default();
    let help = "The longest time between two reads of the Workspace's statistics, as it is configured";
    registry.register_with_unit("statistics_interval", help, Unit::Seconds, interval.clone());
    for (part, length) in [("realtime", rhythm.realtime_interval), ("cumulative", rhythm.cumulative_interval)]
    {
        interval.get_or_create(&PartLabels { part }).set(length.as_secs_f64());
    }
    let age = FloatFamily::<PartLabels>::default();
    let help = "Since when the Workspace's statistics were read";
    registry.register_with_unit("statistics_age", help, Unit::Seconds, age.clone());
    let read = [
        ("realtime", snapshot.workspace.realtime.as_of),
        ("cumulative", snapshot.workspace.cumulative.as_of),
    ];
    for (part, as_of) in read {
        if let Some(as_of) = as_of {
            age.get_or_create(&PartLabels { part }).set(since(as_of, now));
        }
    }
    let stale: Gauge = Gauge::default();
    registry.register("stale_readings", "Statistics whose last read failed", stale.clone());
    let in_queues = snapshot.queues.values().flat_map(|state| state.scopes.iter());
    let failing = |scope: &ScopeStats| {
        i64::from(scope.realtime.stale.is_some()) + i64::from(scope.cumulative.stale.is_some())
    };
    let directory = i64::from(snapshot.directory_stale.is_some());
    stale.set(directory + std::iter::once(&snapshot.workspace).chain(in_queues).map(failing).sum::<i64>());
}

/// The service level, by the same rules as the formulas' `sla()`.
fn share(level: ServiceLevel, cumulative: &Cumulative, threshold: u32) -> Option<f64> {
    let split = cumulative.split_by_wait_time.as_ref()?.get(&threshold.to_string())?;
    let within = split.below.count("reservations_accepted");
    let late = split.above.count("reservations_accepted");
    let of = match level {
        ServiceLevel::Accepted => within + late,
        ServiceLevel::AcceptedOrLateAbandoned => within + late + split.above.count("tasks_canceled"),
        ServiceLevel::AllWaited => {
            let created = || cumulative.extra.get("tasks_created").and_then(serde_json::Value::as_u64);
            cumulative.tasks_entered.or_else(created)?.saturating_sub(split.below.count("tasks_canceled"))
        }
    };
    #[expect(clippy::cast_precision_loss, reason = "counts of a day")]
    (of > 0).then(|| within as f64 / of as f64)
}

fn seconds(age: Option<Age>, now: Timestamp) -> f64 {
    age.map_or(0.0, |age| since(age.since, now))
}

fn since(moment: Timestamp, now: Timestamp) -> f64 {
    now.duration_since(moment).as_secs_f64().max(0.0)
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
