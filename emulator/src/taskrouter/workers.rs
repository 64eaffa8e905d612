//! Workers over HTTP, with their channels.

use serde_json::json;

use super::activities::is_true;
use super::{MAX_PAGE, TaskRouterAnswer, TaskRouterCall};
use crate::error::ApiError;
use crate::json::Data;
use crate::params::Params;
use crate::rest::page::Page;
use crate::rest::reply::Reply;
use crate::sid::{Kind, Sid};
use crate::state::expression::Expression;
use crate::state::{State, Worker};

const FILTERS: [&str; 8] = [
    "ActivityName",
    "ActivitySid",
    "Available",
    "FriendlyName",
    "TargetWorkersExpression",
    "TaskQueueName",
    "TaskQueueSid",
    "Ordering",
];

pub(super) fn list(call: &TaskRouterCall<'_>) -> TaskRouterAnswer {
    let page = Page::read(call.request, &FILTERS, MAX_PAGE)?;
    let filter = WorkerFilter::read(&call.request.query)?;
    let newest_first = match call.request.query.filled("Ordering").map(str::to_ascii_lowercase).as_deref() {
        None | Some("datestatuschanged:asc") => false,
        Some("datestatuschanged:desc") => true,
        Some(other) => return Err(ApiError::invalid(format!("Ordering {other} is not supported"))),
    };
    call.world.read(|state| {
        let render = |worker: &Worker| call.place().worker(state, worker);
        if call.request.query.filled("Ordering").is_some() {
            let mut rows: Vec<_> =
                state.workers.iter().filter(|worker| filter.passes(state, worker)).collect();
            rows.sort_by_key(
                |worker| if newest_first { -worker.activity_since } else { worker.activity_since },
            );
            return page.reply_by_position("workers", &rows, |worker| render(worker));
        }
        let rows = state.workers.after(page.after()?).filter(|(_, worker)| filter.passes(state, worker));
        Ok(page.reply("workers", rows, render))
    })
}

pub(super) fn fetch(call: &TaskRouterCall<'_>, sid: &str) -> TaskRouterAnswer {
    call.request.no_parameters()?;
    reply(call, call.sid(Kind::Worker, sid)?, 200)
}

pub(super) fn create(call: &TaskRouterCall<'_>) -> TaskRouterAnswer {
    let form = call.request.form()?;
    form.only(&["FriendlyName", "ActivitySid", "Attributes"])?;
    let name = form.required("FriendlyName")?;
    let attributes = attributes(&form)?.unwrap_or_else(|| json!({}).into());
    let activity = activity(call, &form)?;
    let made = call.world.act(|transaction| {
        let activity = activity.unwrap_or(transaction.state.default_activity);
        transaction.add_worker(name, attributes, activity)
    });
    reply(call, made.map_err(|error| call.refused(&error))?, 201)
}

pub(super) fn update(call: &TaskRouterCall<'_>, sid: &str) -> TaskRouterAnswer {
    let sid = call.sid(Kind::Worker, sid)?;
    let form = call.request.form()?;
    form.only(&["ActivitySid", "Attributes", "FriendlyName", "RejectPendingReservations"])?;
    let (attributes, activity) = (attributes(&form)?, activity(call, &form)?);
    form.boolean("RejectPendingReservations")?;
    let done = call.world.act(|transaction| {
        transaction.worker_name(sid)?;
        if let Some(name) = form.filled("FriendlyName")
            && let Some(worker) = transaction.state.workers.get_mut(sid)
        {
            name.clone_into(&mut worker.name);
        }
        if let Some(attributes) = attributes {
            transaction.set_worker_attributes(sid, attributes)?;
        }
        activity.map_or(Ok(()), |activity| transaction.set_activity(sid, activity))
    });
    done.map_err(|error| call.refused(&error))?;
    reply(call, sid, 200)
}

pub(super) fn delete(call: &TaskRouterCall<'_>, sid: &str) -> TaskRouterAnswer {
    let sid = call.sid(Kind::Worker, sid)?;
    call.request.no_parameters()?;
    call.world.act(|transaction| transaction.remove_worker(sid)).map_err(|error| call.refused(&error))?;
    Ok(Reply::no_content())
}

pub(super) fn channels(call: &TaskRouterCall<'_>, sid: &str) -> TaskRouterAnswer {
    let sid = call.sid(Kind::Worker, sid)?;
    let page = Page::read(call.request, &[], MAX_PAGE)?;
    call.world.read(|state| {
        let worker = state.workers.get(sid).ok_or_else(|| call.missing())?;
        let rows: Vec<_> = worker.channels.iter().zip(&state.channels).collect();
        page.reply_by_position("channels", &rows, |(channel, kind)| {
            call.place().worker_channel(state, worker, channel, kind)
        })
    })
}

/// By the WorkerChannel's SID, the TaskChannel's SID or its unique name.
pub(super) fn channel(call: &TaskRouterCall<'_>, sid: &str, channel: &str) -> TaskRouterAnswer {
    call.request.no_parameters()?;
    let sid = call.sid(Kind::Worker, sid)?;
    call.world.read(|state| {
        let worker = state.workers.get(sid).ok_or_else(|| call.missing())?;
        let n = channel_of(state, worker, channel).ok_or_else(|| call.missing())?;
        Ok(Reply::json(
            200,
            &call.place().worker_channel(state, worker, &worker.channels[n], &state.channels[n]),
        ))
    })
}

pub(super) fn update_channel(call: &TaskRouterCall<'_>, sid: &str, channel: &str) -> TaskRouterAnswer {
    let sid = call.sid(Kind::Worker, sid)?;
    let form = call.request.form()?;
    form.only(&["Capacity", "Available"])?;
    let capacity = form.integer("Capacity", 0..=50)?.and_then(|capacity| u32::try_from(capacity).ok());
    let available = form.boolean("Available")?;
    let n = call.world.read(|state| {
        let worker = state.workers.get(sid)?;
        channel_of(state, worker, channel)
    });
    let n = n.ok_or_else(|| call.missing())?;
    let done = call.world.act(|transaction| transaction.set_worker_channel(sid, n, capacity, available));
    done.map_err(|error| call.refused(&error))?;
    call.world.read(|state| {
        let worker = state.workers.get(sid).ok_or_else(|| call.missing())?;
        Ok(Reply::json(
            200,
            &call.place().worker_channel(state, worker, &worker.channels[n], &state.channels[n]),
        ))
    })
}

fn channel_of(state: &State, worker: &Worker, channel: &str) -> Option<usize> {
    let own = worker.channels.iter().position(|c| c.sid.to_string() == channel);
    own.or_else(|| state.channel(channel)).filter(|n| *n < worker.channels.len())
}

fn attributes(form: &Params) -> Result<Option<Data>, ApiError> {
    let Some(text) = form.one("Attributes") else { return Ok(None) };
    match Data::parse(text) {
        Ok(data) if data.is_object() => Ok(Some(data)),
        _ => Err(ApiError::invalid("Attributes must be a JSON object")),
    }
}

fn activity(call: &TaskRouterCall<'_>, form: &Params) -> Result<Option<usize>, ApiError> {
    let Some(sid) = form.sid("ActivitySid", Kind::Activity)? else { return Ok(None) };
    let found = call.world.read(|state| state.activity(&sid.to_string()));
    found.map(Some).ok_or_else(|| ApiError::invalid("ActivitySid was not found"))
}

fn reply(call: &TaskRouterCall<'_>, sid: Sid, status: u16) -> TaskRouterAnswer {
    call.world.read(|state| {
        let worker = state.workers.get(sid).ok_or_else(|| call.missing())?;
        Ok(Reply::json(status, &call.place().worker(state, worker)).with_etag(worker.version))
    })
}

/// Which Workers a list shows, or statistics cover.
pub(super) struct WorkerFilter<'a> {
    activity_name: Option<&'a str>,
    activity: Option<Sid>,
    available: Option<bool>,
    name: Option<&'a str>,
    expression: Option<Expression>,
    queue: Option<Sid>,
    queue_name: Option<&'a str>,
}

impl<'a> WorkerFilter<'a> {
    pub(super) fn read(query: &'a Params) -> Result<Self, ApiError> {
        let expression = query.filled("TargetWorkersExpression").map(Expression::parse).transpose();
        Ok(Self {
            activity_name: query.filled("ActivityName"),
            activity: query.sid("ActivitySid", Kind::Activity)?,
            available: query.filled("Available").map(is_true),
            name: query.filled("FriendlyName"),
            expression: expression.map_err(ApiError::invalid)?,
            queue: query.sid("TaskQueueSid", Kind::TaskQueue)?,
            queue_name: query.filled("TaskQueueName"),
        })
    }

    pub(super) fn passes(&self, state: &State, worker: &Worker) -> bool {
        let activity = || state.activities.get(worker.activity);
        let in_queue = |wanted: &dyn Fn(&crate::state::Queue) -> bool| {
            state.queues.iter().any(|queue| wanted(queue) && state.is_eligible(worker, queue))
        };
        self.activity_name.is_none_or(|name| activity().is_some_and(|activity| activity.name == name))
            && self.activity.is_none_or(|sid| activity().is_some_and(|activity| activity.sid == sid))
            && self.available.is_none_or(|available| activity().is_some_and(|a| a.available) == available)
            && self.name.is_none_or(|name| worker.name == name)
            && self.expression.as_ref().is_none_or(|expression| expression.matches(&worker.attributes))
            && self.queue.is_none_or(|sid| in_queue(&|queue| queue.sid == sid))
            && self.queue_name.is_none_or(|name| in_queue(&|queue| queue.name == name))
    }
}
