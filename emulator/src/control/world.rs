//! The centre over the control pages: everything in it, its true numbers, and one command for each verb.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ControlAnswer, Refused, done};
use crate::parts::Core;
use crate::rest::request::Request;
use crate::world::{NewTask, Outcome};

/// One change, as `{"do": "accept", "reservation": "WR…"}`.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Command {
    AddQueue {
        name: String,
        target_workers: Option<String>,
    },
    RenameQueue {
        queue: String,
        name: String,
    },
    SetTargetWorkers {
        queue: String,
        target_workers: String,
    },
    RemoveQueue {
        queue: String,
    },
    AddWorker {
        name: String,
        activity: String,
        #[serde(default)]
        attributes: Value,
    },
    RemoveWorker {
        worker: String,
    },
    SetActivity {
        worker: String,
        activity: String,
    },
    SetWorkerAttributes {
        worker: String,
        attributes: Value,
    },
    SetCapacity {
        worker: String,
        channel: String,
        capacity: u32,
    },
    AddActivity {
        name: String,
        available: bool,
    },
    AddChannel {
        name: String,
    },
    CreateTask {
        queue: String,
        channel: Option<String>,
        #[serde(default)]
        priority: i64,
        attributes: Option<Value>,
        /// Seconds.
        #[serde(default)]
        age: u64,
    },
    Reserve {
        task: String,
        worker: String,
    },
    Accept {
        reservation: String,
    },
    Reject {
        reservation: String,
    },
    TimeOut {
        reservation: String,
    },
    Wrap {
        reservation: String,
    },
    Complete {
        reservation: String,
    },
    Cancel {
        task: String,
        reason: Option<String>,
    },
    TimeOutInWorkflow {
        task: String,
    },
    Transfer {
        task: String,
        queue: String,
    },
    DeleteTask {
        task: String,
    },
    SetTaskAttributes {
        task: String,
        attributes: Value,
    },
    SetPriority {
        task: String,
        priority: i64,
    },
    Step {
        times: Option<u32>,
    },
}

pub(super) const COMMANDS: [&str; 25] = [
    "add_queue {name, target_workers?}",
    "rename_queue {queue, name}",
    "set_target_workers {queue, target_workers}",
    "remove_queue {queue}",
    "add_worker {name, activity, attributes?}",
    "remove_worker {worker}",
    "set_activity {worker, activity}",
    "set_worker_attributes {worker, attributes}",
    "set_capacity {worker, channel, capacity}",
    "add_activity {name, available}",
    "add_channel {name}",
    "create_task {queue, channel?, priority?, attributes?, age? (seconds)}",
    "reserve {task, worker}",
    "accept {reservation}",
    "reject {reservation}",
    "time_out {reservation}",
    "wrap {reservation}",
    "complete {reservation}",
    "cancel {task, reason?}",
    "time_out_in_workflow {task}",
    "transfer {task, queue}",
    "delete_task {task}",
    "set_task_attributes {task, attributes}",
    "set_priority {task, priority}",
    "step {times?}",
];

/// Steps made by one command at most, so that a typing error does not stall the emulator.
const MAX_STEPS: u32 = 100_000;

pub(super) fn show(core: &Core) -> ControlAnswer {
    let world = &core.world;
    done(&json!({
        "queues": world.queues(),
        "workers": world.workers(),
        "tasks": world.tasks(),
        "activities": world.activities(),
        "channels": world.channels(),
        "workflows": world.workflows(),
    }))
}

/// Carries out a command; answers the SID of what it created, if anything.
pub(super) fn command(core: &Core, command: Command) -> ControlAnswer {
    let world = &core.world;
    let unit = |outcome: Outcome| outcome.map(|()| Value::Null);
    let sid = |outcome: Outcome<String>| outcome.map(Value::from);
    let outcome = match command {
        Command::AddQueue { name, target_workers: None } => Ok(world.add_queue(&name).into()),
        Command::AddQueue { name, target_workers: Some(text) } => sid(world.add_queue_for(&name, &text)),
        Command::RenameQueue { queue, name } => unit(world.rename_queue(&queue, &name)),
        Command::SetTargetWorkers { queue, target_workers } => {
            unit(world.set_target_workers(&queue, &target_workers))
        }
        Command::RemoveQueue { queue } => unit(world.remove_queue(&queue)),
        Command::AddWorker { name, activity, attributes } => {
            let attributes = if attributes.is_null() { json!({}) } else { attributes };
            sid(world.add_worker_with(&name, &activity, attributes))
        }
        Command::RemoveWorker { worker } => unit(world.remove_worker(&worker)),
        Command::SetActivity { worker, activity } => unit(world.set_activity(&worker, &activity)),
        Command::SetWorkerAttributes { worker, attributes } => {
            unit(world.set_worker_attributes(&worker, attributes))
        }
        Command::SetCapacity { worker, channel, capacity } => {
            unit(world.set_capacity(&worker, &channel, capacity))
        }
        Command::AddActivity { name, available } => sid(world.add_activity(&name, available)),
        Command::AddChannel { name } => sid(world.add_channel(&name)),
        Command::CreateTask { queue, channel, priority, attributes, age } => {
            sid(world.create_task(NewTask {
                queue,
                channel: channel.unwrap_or_else(|| "default".to_owned()),
                priority,
                attributes: attributes.unwrap_or_else(|| json!({})),
                age: Duration::from_secs(age),
            }))
        }
        Command::Reserve { task, worker } => sid(world.reserve(&task, &worker)),
        Command::Accept { reservation } => unit(world.accept(&reservation)),
        Command::Reject { reservation } => unit(world.reject(&reservation)),
        Command::TimeOut { reservation } => unit(world.time_out(&reservation)),
        Command::Wrap { reservation } => unit(world.wrap(&reservation)),
        Command::Complete { reservation } => unit(world.complete(&reservation)),
        Command::Cancel { task, reason } => unit(world.cancel(&task, reason.as_deref().unwrap_or_default())),
        Command::TimeOutInWorkflow { task } => unit(world.time_out_in_workflow(&task)),
        Command::Transfer { task, queue } => unit(world.transfer(&task, &queue)),
        Command::DeleteTask { task } => unit(world.delete_task(&task)),
        Command::SetTaskAttributes { task, attributes } => {
            unit(world.set_task_attributes(&task, &attributes))
        }
        Command::SetPriority { task, priority } => unit(world.set_priority(&task, priority)),
        Command::Step { times } => {
            for _ in 0..times.unwrap_or(1).min(MAX_STEPS) {
                world.step();
            }
            Ok(Value::Null)
        }
    };
    match outcome {
        Ok(sid) => done(&json!({ "sid": sid })),
        Err(error) => Err((409, error.to_string())),
    }
}

/// `?since=ISO&channel=voice&split=5,30`; since midnight UTC unless told.
pub(super) fn truth(core: &Core, request: &Request, queue: Option<&str>) -> ControlAnswer {
    let wrong = |name: &str| -> Refused { (400, format!("{name} is not understood")) };
    let query = &request.query;
    let since = match query.filled("since") {
        Some(text) => text.parse::<Timestamp>().map_err(|_| wrong("since"))?,
        None => {
            let now = core.clock.now().as_second();
            Timestamp::from_second(now - now.rem_euclid(86_400)).map_err(|_| wrong("since"))?
        }
    };
    let splits = query.filled("split").unwrap_or_default().split(',').filter(|part| !part.is_empty());
    let splits: Vec<u32> = splits.map(str::parse).collect::<Result<_, _>>().map_err(|_| wrong("split"))?;
    let channel = query.filled("channel");
    let truth = core.world.truth();
    if let Some(queue) = queue {
        return done(&truth.queue(queue, channel, since, &splits));
    }
    let queues: serde_json::Map<String, Value> = truth
        .queue_sids()
        .into_iter()
        .map(|sid| {
            let both = truth.queue(&sid, channel, since, &splits);
            (sid, json!({ "realtime": both.realtime, "cumulative": both.cumulative }))
        })
        .collect();
    done(&json!({ "workspace": truth.workspace(channel, since, &splits), "queues": queues }))
}
