//! The curves of the default metrics over the half hour before the demo started: what their formulas would have given.

use serde_json::Value;
use twilio_emulator::Sample;

use crate::service_level::ServiceLevel;
use crate::wallboard::{Curves, Point};

const METRICS: [&str; 13] = [
    "tasks-waiting",
    "oldest-task",
    "tasks-in-progress",
    "sla-today",
    "speed-of-answer",
    "tasks-canceled",
    "abandoned-rate",
    "tasks-completed",
    "agents-available",
    "agents-busy",
    "agents-offline",
    "occupancy",
    "queues-without-agents",
];

/// How the page shows the service level.
pub(super) struct DemoLevel {
    pub(super) rule: ServiceLevel,
    /// In seconds.
    pub(super) threshold: u32,
}

pub(super) fn curves(samples: &[Sample], level: &DemoLevel) -> Curves {
    let curve = |name: &str| -> Vec<Point> {
        samples.iter().map(|sample| (sample.at.as_second(), value(name, sample, level))).collect()
    };
    METRICS.iter().map(|name| ((*name).to_owned(), curve(name))).collect()
}

fn value(name: &str, sample: &Sample, level: &DemoLevel) -> Option<f64> {
    let (realtime, today) = (&sample.workspace.realtime, &sample.workspace.cumulative);
    let tasks = |status: &str| number(&realtime["tasks_by_status"][status]);
    let served = tasks("assigned") + tasks("wrapping");
    match name {
        "tasks-waiting" => Some(tasks("pending")),
        "oldest-task" => Some(number(&realtime["longest_task_waiting_age"])),
        "tasks-in-progress" => Some(served),
        "sla-today" => service_level(today, level),
        "speed-of-answer" => Some(number(&today["avg_task_acceptance_time"]).round()),
        "tasks-canceled" => Some(number(&today["tasks_canceled"])),
        "abandoned-rate" => {
            let share = share(number(&today["tasks_canceled"]), number(&today["tasks_created"]));
            Some(share.unwrap_or_default())
        }
        "tasks-completed" => Some(number(&today["tasks_completed"])),
        "agents-available" => Some(workers(realtime, |activity| activity == "available")),
        "agents-busy" => Some(workers(realtime, |activity| activity != "available" && activity != "offline")),
        "agents-offline" => Some(workers(realtime, |activity| activity == "offline")),
        "occupancy" => {
            let share = share(served, workers(realtime, |activity| activity != "offline"));
            share.map(|percent| percent.min(100.0))
        }
        "queues-without-agents" => u32::try_from(sample.queues_without_agents).ok().map(f64::from),
        _ => None,
    }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_default()
}

/// The share in per cent; `None` where the whole is zero.
fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| 100.0 * part / whole)
}

fn workers(realtime: &Value, counts: impl Fn(&str) -> bool) -> f64 {
    let activities = realtime["activity_statistics"].as_array().map_or(&[][..], Vec::as_slice);
    let counted = activities.iter().filter(|activity| {
        activity["friendly_name"].as_str().is_some_and(|name| counts(&name.to_lowercase()))
    });
    counted.map(|activity| number(&activity["workers"])).sum()
}

fn service_level(today: &Value, level: &DemoLevel) -> Option<f64> {
    let split = &today["split_by_wait_time"][level.threshold.to_string()];
    let side = |side: &str, what: &str| number(&split[side][what]);
    let in_time = side("below", "reservations_accepted");
    let of_whom = match level.rule {
        ServiceLevel::Accepted => in_time + side("above", "reservations_accepted"),
        ServiceLevel::AcceptedOrLateAbandoned => {
            in_time + side("above", "reservations_accepted") + side("above", "tasks_canceled")
        }
        ServiceLevel::AllWaited => number(&today["tasks_entered"]) - side("below", "tasks_canceled"),
    };
    share(in_time, of_whom)
}
