//! TaskQueues over HTTP.

use serde_json::Value;

use super::{MAX_PAGE, TaskRouterAnswer, TaskRouterCall};
use crate::error::ApiError;
use crate::rest::page::Page;
use crate::rest::reply::Reply;
use crate::sid::{Kind, Sid};
use crate::state::expression::Expression;
use crate::world::life::NewQueue;

const FILTERS: [&str; 4] = ["FriendlyName", "EvaluateWorkerAttributes", "WorkerSid", "Ordering"];

pub(super) fn list(call: &TaskRouterCall<'_>) -> TaskRouterAnswer {
    let page = Page::read(call.request, &FILTERS, MAX_PAGE)?;
    let query = &call.request.query;
    let name = query.filled("FriendlyName");
    let attributes = query.filled("EvaluateWorkerAttributes").map(serde_json::from_str::<Value>).transpose();
    let attributes = attributes.map_err(|_| ApiError::invalid("EvaluateWorkerAttributes must be JSON"))?;
    let worker = query.sid("WorkerSid", Kind::Worker)?;
    let newest_first = match query.filled("Ordering").map(str::to_ascii_lowercase).as_deref() {
        None | Some("datecreated:asc") => false,
        Some("datecreated:desc") => true,
        Some(other) => return Err(ApiError::invalid(format!("Ordering {other} is not supported"))),
    };
    let after = page.after()?;
    call.world.read(|state| {
        let worker = worker.and_then(|sid| state.workers.get(sid));
        if query.has("WorkerSid") && worker.is_none() {
            return Ok(page.finish("task_queues", &[] as &[Value], None));
        }
        let wanted = |queue: &crate::state::Queue| {
            let pool = state.pools.get(&queue.expression);
            let suits = |attributes: &Value| pool.is_some_and(|pool| pool.expression.matches(attributes));
            name.is_none_or(|name| queue.name == name)
                && attributes.as_ref().is_none_or(suits)
                && worker.is_none_or(|worker| suits(&worker.attributes))
        };
        let render = |queue: &crate::state::Queue| call.place().queue(state, queue);
        if newest_first {
            let rows: Vec<_> = state.queues.iter().rev().filter(|queue| wanted(queue)).collect();
            return page.reply_by_position("task_queues", &rows, |queue| render(queue));
        }
        Ok(page.reply("task_queues", state.queues.after(after).filter(|(_, queue)| wanted(queue)), render))
    })
}

pub(super) fn fetch(call: &TaskRouterCall<'_>, sid: &str) -> TaskRouterAnswer {
    call.request.no_parameters()?;
    reply(call, call.sid(Kind::TaskQueue, sid)?, 200)
}

pub(super) fn create(call: &TaskRouterCall<'_>) -> TaskRouterAnswer {
    let form = call.request.form()?;
    form.only(&[
        "FriendlyName",
        "TargetWorkers",
        "MaxReservedWorkers",
        "TaskOrder",
        "ReservationActivitySid",
        "AssignmentActivitySid",
    ])?;
    let mut new = NewQueue::named(form.required("FriendlyName")?);
    if let Some(expression) = form.filled("TargetWorkers") {
        expression.clone_into(&mut new.expression);
    }
    new.max_reserved = form.integer("MaxReservedWorkers", 1..=50)?.unwrap_or(new.max_reserved);
    new.order = order(form.filled("TaskOrder"))?.unwrap_or(new.order);
    let sid =
        call.world.act(|transaction| transaction.add_queue(new)).map_err(|error| call.refused(&error))?;
    reply(call, sid, 201)
}

pub(super) fn update(call: &TaskRouterCall<'_>, sid: &str) -> TaskRouterAnswer {
    let sid = call.sid(Kind::TaskQueue, sid)?;
    let form = call.request.form()?;
    form.only(&[
        "FriendlyName",
        "TargetWorkers",
        "MaxReservedWorkers",
        "TaskOrder",
        "ReservationActivitySid",
        "AssignmentActivitySid",
    ])?;
    let (max_reserved, order) =
        (form.integer("MaxReservedWorkers", 1..=50)?, order(form.filled("TaskOrder"))?);
    if let Some(expression) = form.filled("TargetWorkers") {
        Expression::parse(expression).map_err(ApiError::invalid)?;
    }
    let done = call.world.act(|transaction| {
        transaction.queue_name(sid)?;
        if let Some(name) = form.filled("FriendlyName") {
            transaction.rename_queue(sid, name)?;
        }
        if let Some(expression) = form.filled("TargetWorkers") {
            transaction.set_expression(sid, expression)?;
        }
        if let Some(queue) = transaction.state.queues.get_mut(sid) {
            queue.max_reserved = max_reserved.unwrap_or(queue.max_reserved);
            queue.order = order.unwrap_or(queue.order);
        }
        Ok(())
    });
    done.map_err(|error| call.refused(&error))?;
    reply(call, sid, 200)
}

/// Unlike the handle, REST refuses to delete a queue that still has Tasks.
pub(super) fn delete(call: &TaskRouterCall<'_>, sid: &str) -> TaskRouterAnswer {
    let sid = call.sid(Kind::TaskQueue, sid)?;
    call.request.no_parameters()?;
    let busy = call.world.read(|state| {
        state.open.iter().any(|task| state.tasks.get(*task).is_some_and(|task| task.queue == Some(sid)))
    });
    if busy {
        return Err(ApiError::invalid("The TaskQueue still has Tasks"));
    }
    call.world.act(|transaction| transaction.remove_queue(sid)).map_err(|error| call.refused(&error))?;
    Ok(Reply::no_content())
}

fn order(text: Option<&str>) -> Result<Option<&'static str>, ApiError> {
    match text {
        None => Ok(None),
        Some("FIFO") => Ok(Some("FIFO")),
        Some("LIFO") => Ok(Some("LIFO")),
        Some(other) => Err(ApiError::invalid(format!("TaskOrder {other} is neither FIFO nor LIFO"))),
    }
}

fn reply(call: &TaskRouterCall<'_>, sid: Sid, status: u16) -> TaskRouterAnswer {
    call.world.read(|state| {
        let queue = state.queues.get(sid).ok_or_else(|| call.missing())?;
        Ok(Reply::json(status, &call.place().queue(state, queue)))
    })
}
