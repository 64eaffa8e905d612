//! Which counter an event moves, and where a layout shows it.

use clap::ValueEnum;
use jiff::Timestamp;
use serde_json::Value;
use twilio_emulator::{Emulator, Event, SyncChange, Truth};

use crate::agreement::{compare_item, start_of_utc_day};
use crate::testbed::{CHANNELS, MAP};

/// A layout, by where it shows counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shape {
    /// Items of the Map `queueStats`, beside the other default layouts
    QueueMap,
    /// Documents `task-queue-<sid>` and `task-queue-<sid>-today`
    QueueDocuments,
    /// Items of the Map `dashboard-map`
    DashboardMap,
    /// The Document `dashboard-data`, which shows the Workspace
    DashboardDocument,
}

/// A counter: the event that moves it, its name in `queue-map`, its name at Twilio.
type Counter = (&'static str, &'static str, &'static str);

const OF_QUEUES: [Counter; 10] = [
    ("task-queue.entered", "tEnter", "tasks_entered"),
    ("task-queue.moved", "tMoved", "tasks_moved"),
    ("task.completed", "tCompl", "tasks_completed"),
    ("task.canceled", "tCanc", "tasks_canceled"),
    ("reservation.created", "rCreated", "reservations_created"),
    ("reservation.accepted", "rAccepted", "reservations_accepted"),
    ("reservation.rejected", "rRej", "reservations_rejected"),
    ("reservation.timeout", "rTimedOut", "reservations_timed_out"),
    ("reservation.canceled", "rCancel", "reservations_canceled"),
    ("reservation.rescinded", "rRescind", "reservations_rescinded"),
];

/// The Workspace counts created Tasks where a queue counts entered ones.
const OF_THE_WORKSPACE: (&str, &str) = ("task.created", "tasks_created");

/// One counter of one queue; the queue is empty for the Workspace.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) queue: String,
    pub(super) counter: &'static str,
}

impl Shape {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::QueueMap => "queue-map",
            Self::QueueDocuments => "queue-documents",
            Self::DashboardMap => "dashboard-map",
            Self::DashboardDocument => "dashboard-document",
        }
    }

    /// `SYNC_LAYOUTS`: `queue-map` is measured with the other defaults, as most users run it.
    pub(super) fn layouts(self) -> &'static str {
        match self {
            Self::QueueMap => "queue-map,dashboard-document,dashboard-metrics",
            other => other.name(),
        }
    }

    /// The counter that an event moves.
    pub(super) fn moved_by(self, event: &Event) -> Option<Key> {
        if self == Self::DashboardDocument {
            let counter = OF_QUEUES[1..].iter().map(|(event, _, name)| (*event, *name));
            let (_, counter) =
                counter.chain([OF_THE_WORKSPACE]).find(|(moving, _)| *moving == event.event_type)?;
            return Some(Key { queue: String::new(), counter });
        }
        let queue = event.param("TaskQueueSid")?.to_owned();
        let (_, _, counter) = OF_QUEUES.iter().find(|(moving, ..)| *moving == event.event_type)?;
        Some(Key { queue, counter })
    }

    /// The true value of a counter.
    pub(super) fn truth(self, truth: &Truth, key: &Key) -> u64 {
        let both = match self {
            Self::DashboardDocument => truth.workspace(None, start_of_utc_day(), &[]),
            _ => truth.queue(&key.queue, None, start_of_utc_day(), &[]),
        };
        both.cumulative[key.counter].as_u64().unwrap_or(0)
    }

    /// The queue that a change shows, with its counters by Twilio's names.
    pub(super) fn shown(self, change: &SyncChange) -> Option<(&str, Vec<(&'static str, u64)>)> {
        let data = change.data.as_deref()?;
        let (queue, counters) = match self {
            Self::QueueMap => (
                change.key.as_deref().filter(|_| change.unique_name.as_deref() == Some(MAP))?,
                &data["cumulativeStats_all"],
            ),
            Self::QueueDocuments => {
                let name = change.unique_name.as_deref()?;
                (name.strip_prefix("task-queue-")?.strip_suffix("-today")?, &data["all"])
            }
            Self::DashboardMap => {
                (change.key.as_deref()?.strip_prefix("TASK_QUEUE_")?, &data["data"]["cumulative"])
            }
            Self::DashboardDocument => {
                change.unique_name.as_deref().filter(|name| *name == "dashboard-data")?;
                ("", &data["workspace_statistics"]["cumulative"])
            }
        };
        Some((queue, self.counters_of(counters)))
    }

    /// Counters by Twilio's names.
    pub(crate) fn counters_of(self, counters: &Value) -> Vec<(&'static str, u64)> {
        let short = matches!(self, Self::QueueMap | Self::QueueDocuments);
        let named =
            |(_, ours, name): &Counter| Some((*name, counters[if short { ours } else { name }].as_u64()?));
        let mut shown: Vec<_> = OF_QUEUES.iter().filter_map(named).collect();
        let created = counters[OF_THE_WORKSPACE.1].as_u64();
        shown.extend(created.map(|created| (OF_THE_WORKSPACE.1, created)));
        shown
    }

    /// Whether Sync shows what is true of every queue. An error says what differs.
    pub(super) fn agrees(self, emulator: &Emulator) -> Result<(), String> {
        let (truth, sync) = (emulator.truth(), emulator.sync());
        if self == Self::DashboardDocument {
            let shown = sync.document("dashboard-data").ok_or("no Document")?;
            let both = truth.workspace(None, start_of_utc_day(), &[]);
            let statistics = &shown["workspace_statistics"];
            let names = OF_QUEUES[1..].iter().map(|(_, _, name)| *name).chain([OF_THE_WORKSPACE.1]);
            same_fields(
                "Workspace",
                names.map(|name| (name, name)),
                &statistics["cumulative"],
                &both.cumulative,
            )?;
            let statuses = &statistics["realtime"]["tasks_by_status"];
            return same_fields(
                "Workspace",
                STATUSES.map(|s| (s, s)),
                statuses,
                &both.realtime["tasks_by_status"],
            );
        }
        for queue in truth.queue_sids() {
            let both = truth.queue(&queue, None, start_of_utc_day(), &[]);
            let statuses = &both.realtime["tasks_by_status"];
            let (long, short) =
                (OF_QUEUES.map(|(_, _, name)| (name, name)), OF_QUEUES.map(|(_, ours, name)| (ours, name)));
            match self {
                Self::QueueMap => {
                    let (item, _) = sync.item(MAP, &queue).ok_or("no item")?;
                    compare_item(&truth, &CHANNELS, &queue, &counted(&item, emulator.clock().now()))?;
                }
                Self::QueueDocuments => {
                    let today = sync.document(&format!("task-queue-{queue}-today")).ok_or("no Document")?;
                    same_fields(&queue, short, &today["all"], &both.cumulative)?;
                    let now = sync.document(&format!("task-queue-{queue}")).ok_or("no Document")?;
                    same_fields(&queue, STATUSES.map(|s| (s, s)), &now["all"], statuses)?;
                    let workers =
                        [("available", "total_available_workers"), ("eligible", "total_eligible_workers")];
                    same_fields(&queue, workers, &now["all"], &both.realtime)?;
                }
                _ => {
                    let (item, _) =
                        sync.item("dashboard-map", &format!("TASK_QUEUE_{queue}")).ok_or("no item")?;
                    same_fields(&queue, long, &item["data"]["cumulative"], &both.cumulative)?;
                    let realtime = &item["data"]["realtime"];
                    same_fields(&queue, STATUSES.map(|s| (s, s)), &realtime["tasks_by_status"], statuses)?;
                }
            }
        }
        Ok(())
    }
}

/// An item with its ages as a front end counts them from `oldestTaskSince`: a Map of a thousand items takes longer to write
/// the ages of all than they may be behind.
fn counted(item: &Value, now: Timestamp) -> Value {
    let mut item = item.clone();
    for (_, scope) in item.as_object_mut().into_iter().flatten() {
        let since = scope["oldestTaskSince"].as_str().and_then(|since| since.parse::<Timestamp>().ok());
        if let (Some(since), true) = (since, scope["oldestTask"].as_f64() > Some(0.0)) {
            scope["oldestTask"] = now.duration_since(since).as_secs().into();
        }
    }
    item
}

const STATUSES: [&str; 4] = ["pending", "reserved", "assigned", "wrapping"];

fn same_fields<'a>(
    of: &str,
    names: impl IntoIterator<Item = (&'a str, &'a str)>,
    shown: &Value,
    truth: &Value,
) -> Result<(), String> {
    for (ours, theirs) in names {
        if shown[ours] != truth[theirs] {
            return Err(format!("{of} {theirs}: {} is shown, {} is true", shown[ours], truth[theirs]));
        }
    }
    Ok(())
}
