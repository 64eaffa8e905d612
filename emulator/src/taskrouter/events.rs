//! The Events list: what happened, for consumers that missed callbacks.

use super::{MAX_PAGE, TaskRouterAnswer, TaskRouterCall, workspace};
use crate::error::ApiError;
use crate::rest::page::Page;
use crate::rest::reply::Reply;
use crate::sid::{Kind, Sid};
use crate::statistics::Window;
use crate::world::Event;

const FILTERS: [&str; 11] = [
    "StartDate",
    "EndDate",
    "Minutes",
    "EventType",
    "TaskSid",
    "WorkerSid",
    "TaskQueueSid",
    "ReservationSid",
    "WorkflowSid",
    "TaskChannel",
    "Sid",
];

/// Filters by a SID that is a parameter of the event.
const BY_SID: [(&str, Kind); 5] = [
    ("TaskSid", Kind::Task),
    ("WorkerSid", Kind::Worker),
    ("TaskQueueSid", Kind::TaskQueue),
    ("ReservationSid", Kind::Reservation),
    ("WorkflowSid", Kind::Workflow),
];

pub(super) fn list(call: &TaskRouterCall<'_>) -> TaskRouterAnswer {
    let page = Page::read(call.request, &FILTERS, MAX_PAGE)?;
    let query = &call.request.query;
    let window = Window::read(query, call.world.clock().now_ms())?;
    let kind = query.filled("EventType");
    if let Some(unknown) = kind.filter(|kind| !workspace::is_event_type(kind)) {
        return Err(ApiError::invalid(format!("EventType {unknown} is not known")));
    }
    let sid = query.sid("Sid", Kind::Event)?;
    let mut by_sid = Vec::new();
    for (name, kind) in BY_SID {
        if let Some(sid) = query.sid(name, kind)? {
            by_sid.push((name, sid.to_string()));
        }
    }
    call.channel()?;
    let channel = query.filled("TaskChannel");
    let wanted = |event: &Event| {
        let is_channel = |channel: &str| {
            [event.param("TaskChannelSid"), event.param("TaskChannelUniqueName")].contains(&Some(channel))
        };
        event.at >= window.start
            && event.at <= window.end
            && kind.is_none_or(|kind| event.event_type == kind)
            && sid.is_none_or(|sid| event.sid == sid)
            && by_sid.iter().all(|(name, sid)| event.param(name) == Some(sid))
            && channel.is_none_or(is_channel)
    };
    call.world.with(|inner| {
        let rows: Vec<_> = inner.history.iter().filter(|event| wanted(event)).collect();
        page.reply_by_position("events", &rows, |event| call.place().event(&inner.state, event))
    })
}

pub(super) fn fetch(call: &TaskRouterCall<'_>, sid: &str) -> TaskRouterAnswer {
    call.request.no_parameters()?;
    let sid: Sid = call.sid(Kind::Event, sid)?;
    call.world.with(|inner| {
        let found = inner.history.iter().find(|event| event.sid == sid).ok_or_else(|| call.missing())?;
        Ok(Reply::json(200, &call.place().event(&inner.state, found)))
    })
}
