//! Whether the Workspace has what the configuration names: TaskChannels, TaskQueues, the Workflow of agents' Calls.

use std::fmt::Display;

use jiff::Timestamp;

use super::report::Check;
use crate::cli::output::counted;
use crate::config::{ChannelChoice, Config};
use crate::sid::TaskQueueSid;
use crate::stats::day::{iso_seconds, start_of_day};
use crate::twilio::taskrouter::{TaskQueue, Window};
use crate::twilio::{Apis, Next, TwilioError};

/// Most names shown in one line.
const MOST_SHOWN: usize = 10;

/// Checks each thing that the configuration names.
pub(super) async fn checks(config: &Config, apis: &Apis) -> Vec<Check> {
    let queues = apis.taskrouter.task_queues().await.map(|listed| listed.read);
    let mut checks = vec![task_queues(&queues), channels(config, apis).await];
    if let Ok(queues) = &queues {
        checks.extend(service_levels(config, queues));
    }
    checks.extend(workflow(config, apis).await);
    checks
}

fn task_queues(queues: &Result<Vec<TaskQueue>, TwilioError>) -> Check {
    match queues {
        Ok(queues) if queues.is_empty() => Check::note(
            "task queues",
            "the Workspace has no TaskQueues: nothing to show",
            "create one: Console, TaskRouter, the Workspace, TaskQueues",
        ),
        Ok(queues) => Check::right("task queues", format!("{}", queues.len())),
        Err(error) => Check::wrong("task queues", error.to_string(), "taskrouter-sync doctor"),
    }
}

async fn channels(config: &Config, apis: &Apis) -> Check {
    const NAME: &str = "task channels";
    let statistics = &config.core.statistics;
    let there = match apis.taskrouter.task_channels().await {
        Ok(there) => there,
        Err(error) => return Check::note(NAME, error.to_string(), "taskrouter-sync doctor"),
    };
    let is_there = |name: &&String| there.iter().any(|there| **there == ***name);
    let (shown, missing): (Vec<&String>, Vec<&String>) = statistics.channels.iter().partition(is_there);
    if !missing.is_empty() && statistics.channel_choice == ChannelChoice::Named {
        let found = format!(
            "STATS_CHANNELS names {}, which the Workspace does not have; it has {}",
            some(&missing),
            some(&there)
        );
        return Check::note(NAME, found, "correct STATS_CHANNELS, or make the TaskChannel");
    }
    let mut unshown = Vec::new();
    if statistics.channel_choice != ChannelChoice::Auto {
        let start = start_of_day(Timestamp::now(), &statistics.time_zone, statistics.day_start);
        let window = Window { start: iso_seconds(start), end: None, split: "30".to_owned() };
        for name in there.iter().filter(|name| !statistics.channels.iter().any(|shown| **shown == ***name)) {
            if matches!(apis.taskrouter.has_tasks_on(name, &window).await, Ok(true)) {
                unshown.push(name);
            }
        }
    }
    let of_their_own = if shown.is_empty() {
        "no channel has its own statistics".to_owned()
    } else {
        format!("{} with their own statistics", some(&shown))
    };
    if unshown.is_empty() {
        return Check::right(NAME, of_their_own);
    }
    let all: Vec<&str> =
        shown.iter().map(|name| name.as_str()).chain(unshown.iter().map(|n| &***n)).collect();
    Check::note(
        NAME,
        format!("{of_their_own}; Tasks on {} appear only in totals", some(&unshown)),
        format!("set this, or auto\nSTATS_CHANNELS={}", all.join(",")),
    )
}

fn service_levels(config: &Config, queues: &[TaskQueue]) -> Option<Check> {
    const NAME: &str = "service levels";
    let named = &config.core.statistics.service_levels;
    if named.is_empty() {
        return None;
    }
    let is_there = |sid: &&TaskQueueSid| queues.iter().any(|queue| queue.sid == **sid);
    let missing: Vec<_> = named.keys().filter(|sid| !is_there(sid)).collect();
    if missing.is_empty() {
        let have = if named.len() == 1 { "has" } else { "have" };
        let found = format!("{} {have} a service level of its own", counted(named.len(), "TaskQueue"));
        return Some(Check::right(NAME, found));
    }
    let there: Vec<String> =
        queues.iter().map(|queue| format!("{} ({})", queue.sid, queue.friendly_name)).collect();
    let found = format!(
        "SLA_NAMES_OF_QUEUES names {}, which the Workspace does not have; it has {}",
        some(&missing),
        some(&there)
    );
    Some(Check::note(NAME, found, "correct SLA_NAMES_OF_QUEUES"))
}

async fn workflow(config: &Config, apis: &Apis) -> Option<Check> {
    const NAME: &str = "outbound workflow";
    let sid = config.dialling.as_ref()?.workflow;
    Some(match apis.taskrouter.workflow(sid).await {
        Ok(workflow) => Check::right(NAME, format!("{:?} is there", workflow.friendly_name)),
        Err(error) if error.next() == Next::Missing => {
            let there = apis.taskrouter.workflows().await.unwrap_or_default();
            let there: Vec<_> = there.iter().map(|w| format!("{} ({})", w.sid, w.friendly_name)).collect();
            let found = format!("the Workspace has no Workflow {sid}; it has {}", some(&there));
            Check::wrong(NAME, found, "set TWILIO_OUTBOUND_WORKFLOW_SID to one of these")
        }
        Err(error) => Check::note(NAME, error.to_string(), "taskrouter-sync doctor"),
    })
}

/// The first names, and how many more there are.
pub(super) fn some(names: &[impl Display]) -> String {
    let shown: Vec<String> = names.iter().take(MOST_SHOWN).map(ToString::to_string).collect();
    match names.len() {
        0 => "none".to_owned(),
        all if all > MOST_SHOWN => format!("{} and {} more", shown.join(", "), all - MOST_SHOWN),
        _ => shown.join(", "),
    }
}
