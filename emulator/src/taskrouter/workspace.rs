//! The Workspace over HTTP: above all, where its events are posted to.

use super::{MAX_PAGE, TaskRouterAnswer, TaskRouterCall};
use crate::error::ApiError;
use crate::rest::page::Page;
use crate::rest::reply::Reply;
use crate::sid::Kind;

const EVENT_TYPES: [&str; 49] = [
    "activity.created",
    "activity.updated",
    "activity.deleted",
    "reservation.created",
    "reservation.accepted",
    "reservation.rejected",
    "reservation.timeout",
    "reservation.canceled",
    "reservation.rescinded",
    "reservation.completed",
    "reservation.failed",
    "reservation.wrapup",
    "task.created",
    "task.updated",
    "task.canceled",
    "task.wrapup",
    "task.completed",
    "task.deleted",
    "task.system-deleted",
    "task.transfer-initiated",
    "task.transfer-attempt-failed",
    "task.transfer-failed",
    "task.transfer-canceled",
    "task.transfer-completed",
    "task-channel.created",
    "task-channel.updated",
    "task-channel.deleted",
    "task-queue.created",
    "task-queue.deleted",
    "task-queue.entered",
    "task-queue.timeout",
    "task-queue.moved",
    "task-queue.expression.updated",
    "worker.created",
    "worker.deleted",
    "worker.activity.update",
    "worker.attributes.update",
    "worker.capacity.update",
    "worker.channel.availability.update",
    "workflow.created",
    "workflow.updated",
    "workflow.deleted",
    "workflow.target-matched",
    "workflow.entered",
    "workflow.timeout",
    "workflow.skipped",
    "workspace.created",
    "workspace.updated",
    "workspace.deleted",
];

/// The emulator has one Workspace.
pub(super) fn list(call: &TaskRouterCall<'_>) -> TaskRouterAnswer {
    let page = Page::read(call.request, &["FriendlyName"], MAX_PAGE)?;
    let row = call.world.read(|state| call.place().workspace(state, call.callbacks));
    let name = call.request.query.filled("FriendlyName");
    let of_name = call.world.read(|state| name.is_none_or(|name| state.name == name));
    let rows = if of_name { vec![row] } else { Vec::new() };
    page.reply_by_position("workspaces", &rows, Clone::clone)
}

pub(super) fn fetch(call: &TaskRouterCall<'_>) -> TaskRouterAnswer {
    call.request.no_parameters()?;
    Ok(Reply::json(200, &call.world.read(|state| call.place().workspace(state, call.callbacks))))
}

pub(super) fn update(call: &TaskRouterCall<'_>) -> TaskRouterAnswer {
    let form = call.request.form()?;
    form.only(&[
        "DefaultActivitySid",
        "EventCallbackUrl",
        "EventsFilter",
        "FriendlyName",
        "MultiTaskEnabled",
        "TimeoutActivitySid",
        "PrioritizeQueueOrder",
    ])?;
    let activity = |name: &str| -> Result<Option<usize>, ApiError> {
        let Some(sid) = form.sid(name, Kind::Activity)? else { return Ok(None) };
        let found = call.world.read(|state| state.activity(&sid.to_string()));
        found.map(Some).ok_or_else(|| ApiError::invalid(format!("{name} was not found")))
    };
    let (default, timeout) = (activity("DefaultActivitySid")?, activity("TimeoutActivitySid")?);
    let multi_task = form.boolean("MultiTaskEnabled")?;
    if let Some(order) = form.filled("PrioritizeQueueOrder").filter(|order| !["FIFO", "LIFO"].contains(order))
    {
        return Err(ApiError::invalid(format!("PrioritizeQueueOrder {order} is neither FIFO nor LIFO")));
    }
    if let Some(url) = form.filled("EventCallbackUrl").filter(|url| !url.starts_with("http")) {
        return Err(ApiError::invalid(format!("EventCallbackUrl {url} is not a URL")));
    }
    if let Some(filter) = form.filled("EventsFilter")
        && let Some(unknown) = filter.split(',').map(str::trim).find(|kind| !EVENT_TYPES.contains(kind))
    {
        return Err(ApiError::invalid(format!("EventsFilter: {unknown} is not an event type")));
    }
    if let Some(url) = form.one("EventCallbackUrl") {
        call.callbacks.set_url(url);
    }
    if let Some(filter) = form.one("EventsFilter") {
        call.callbacks.set_events_filter(Some(filter));
    }
    let done = call.world.act(|transaction| {
        let (at, sid) = (transaction.at, transaction.state.sid);
        let state = &mut *transaction.state;
        if let Some(name) = form.filled("FriendlyName") {
            name.clone_into(&mut state.name);
        }
        if let Some(order) = form.filled("PrioritizeQueueOrder") {
            order.clone_into(&mut state.queue_order);
        }
        state.default_activity = default.unwrap_or(state.default_activity);
        state.timeout_activity = timeout.unwrap_or(state.timeout_activity);
        state.multi_task = multi_task.unwrap_or(state.multi_task);
        state.updated = at;
        transaction.publish(
            "workspace.updated",
            "workspace",
            sid,
            "Workspace updated".to_owned(),
            Vec::new(),
        );
        Ok(())
    });
    done.map_err(|error| call.refused(&error))?;
    Ok(Reply::json(200, &call.world.read(|state| call.place().workspace(state, call.callbacks))))
}

pub(super) fn is_event_type(text: &str) -> bool {
    EVENT_TYPES.contains(&text)
}
