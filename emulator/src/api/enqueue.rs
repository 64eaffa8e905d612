//! A Call that becomes a Task: enqueued by its TwiML, offered to the Worker it names, and ended with the Call.
//!
//! The emulated Workflow routes by the attribute `targetWorker`, as Flex's outbound Workflow does: the Worker whose
//! attribute `contact_uri` is the same is offered the Task at once. Without such a Worker the Task waits.

use serde_json::{Map, Value};

use super::call::Call;
use super::twiml;
use crate::world::{NewTask, ReservationStatus, World};

pub(super) fn run(world: &World, call: &mut Call, account: &str, document: &str) -> Result<(), String> {
    let enqueue = twiml::parse(document)?;
    if !world.workflows().contains(&enqueue.workflow) {
        return Err(format!("there is no Workflow {}", enqueue.workflow));
    }
    let given: Value = serde_json::from_str(&enqueue.attributes).map_err(|error| error.to_string())?;
    let Value::Object(mut attributes) = given else { return Err("the Task is no JSON object".to_owned()) };
    let target = attributes.get("targetWorker").and_then(Value::as_str).map(str::to_owned);
    merge(&mut attributes, &call.webhook(account));
    let targeted = |attributes: &str| {
        let attributes: Value = serde_json::from_str(attributes).unwrap_or_default();
        target.is_some() && attributes["contact_uri"].as_str() == target.as_deref()
    };
    let worker = world.workers().into_iter().find(|worker| targeted(&worker.attributes));
    let suits = worker.as_ref().and_then(|worker| worker.queues.first().cloned());
    let queue = suits.or_else(|| world.queues().first().map(|queue| queue.sid.clone()));
    let task = NewTask {
        queue: queue.ok_or("the centre has no TaskQueue")?,
        channel: "voice".to_owned(),
        priority: enqueue.priority,
        attributes: Value::Object(attributes),
        ..NewTask::default()
    };
    let task = world.create_task(task).map_err(|error| error.to_string())?;
    if let Some(worker) = worker {
        world.reserve(&task, &worker.sid).map_err(|error| error.to_string())?;
    }
    call.task = Some(task);
    Ok(())
}

/// The Call is over: an unaccepted Task is canceled, one in work is wrapped up.
pub(super) fn hung_up(world: &World, call: &Call) {
    let Some(sid) = &call.task else { return };
    let Some(task) = world.tasks().into_iter().find(|task| task.sid == *sid) else { return };
    let accepted = task.reservations.iter().find(|one| one.status == ReservationStatus::Accepted);
    let done = match accepted {
        Some(reservation) => world.wrap(&reservation.sid),
        None => world.cancel(sid, "The caller hung up"),
    };
    // A Task that ended by itself stays as it is.
    if let Err(error) = done {
        tracing::debug!(%error, "the Task of an ended Call");
    }
}

/// The Task's attributes, with those of the Call that Twilio adds in snake case.
fn merge(attributes: &mut Map<String, Value>, params: &[(String, String)]) {
    for (name, value) in params.iter().filter(|(name, _)| name != "CallStatus") {
        let mut snake = String::new();
        for (at, letter) in name.char_indices() {
            if letter.is_ascii_uppercase() && at > 0 {
                snake.push('_');
            }
            snake.push(letter.to_ascii_lowercase());
        }
        attributes.entry(snake).or_insert_with(|| value.as_str().into());
    }
}
