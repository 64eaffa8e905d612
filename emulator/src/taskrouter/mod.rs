//! TaskRouter's REST API: routes, and what all of them share.
//! Everything but the list of Workspaces lives under `/v1/Workspaces/{ws}`.

mod activities;
mod bulk;
mod events;
mod limits;
mod nulls;
mod queues;
mod render;
mod reservations;
mod statistics;
mod tasks;
mod worker_statistics;
mod workers;
mod workflows;
mod workspace;

pub(crate) use limits::EndpointLimits;
use parking_lot::Mutex;
use render::TaskRouterPlace;

use crate::callbacks::Callbacks;
use crate::error::ApiError;
use crate::rest::reply::Reply;
use crate::rest::request::{Request, Trace};
use crate::settings::{Answers, Limits};
use crate::sid::{Kind, Sid};
use crate::world::{World, WorldError};

/// TaskRouter pages hold at most this many.
const MAX_PAGE: usize = 1000;

pub(crate) struct TaskRouterCall<'a> {
    pub(crate) request: &'a Request,
    pub(crate) trace: &'a mut Trace,
    pub(crate) world: &'a World,
    pub(crate) callbacks: &'a Callbacks,
    pub(crate) answers: Answers,
    pub(crate) limits: Limits,
    pub(crate) endpoints: &'a Mutex<EndpointLimits>,
}

type TaskRouterAnswer = Result<Reply, ApiError>;

/// Answers a request whose path starts with `/v1/Workspaces`.
pub(crate) fn route(call: TaskRouterCall<'_>) -> TaskRouterAnswer {
    let wanted = call.answers.nulls;
    carry_out(call).map(|reply| nulls::put_into(reply, wanted))
}

fn carry_out(mut call: TaskRouterCall<'_>) -> TaskRouterAnswer {
    let request = call.request;
    let route = request.route();
    if request.method == "GET" && route.len() == 2 {
        return workspace::list(&call);
    }
    let Some((workspace, rest)) = route.get(2..).and_then(<[&str]>::split_first) else {
        return Err(ApiError::unknown_path(&request.path));
    };
    if call.world.read(|state| state.sid.to_string() != *workspace) {
        return Err(call.missing());
    }
    let method = request.method.as_str();
    call.pass_limits(method, rest)?;
    let call = &call;
    match (method, rest) {
        ("GET", []) => workspace::fetch(call),
        ("POST", []) => workspace::update(call),
        ("GET", ["Statistics"]) => statistics::workspace(call),
        ("GET", ["RealTimeStatistics"]) => statistics::workspace_realtime(call),
        ("GET", ["CumulativeStatistics"]) => statistics::workspace_cumulative(call),

        ("GET", ["TaskQueues"]) => queues::list(call),
        ("POST", ["TaskQueues"]) => queues::create(call),
        ("GET", ["TaskQueues", "Statistics"]) => statistics::queues(call),
        ("POST", ["TaskQueues", "RealTimeStatistics"]) => bulk::realtime(call),
        ("GET", ["TaskQueues", sid]) => queues::fetch(call, sid),
        ("POST", ["TaskQueues", sid]) => queues::update(call, sid),
        ("DELETE", ["TaskQueues", sid]) => queues::delete(call, sid),
        ("GET", ["TaskQueues", sid, "Statistics"]) => statistics::queue(call, sid),
        ("GET", ["TaskQueues", sid, "RealTimeStatistics"]) => statistics::queue_realtime(call, sid),
        ("GET", ["TaskQueues", sid, "CumulativeStatistics"]) => statistics::queue_cumulative(call, sid),

        ("GET", ["Tasks"]) => tasks::list(call),
        ("POST", ["Tasks"]) => tasks::create(call),
        ("GET", ["Tasks", sid]) => tasks::fetch(call, sid),
        ("POST", ["Tasks", sid]) => tasks::update(call, sid),
        ("DELETE", ["Tasks", sid]) => tasks::delete(call, sid),
        ("GET", ["Tasks", sid, "Reservations"]) => reservations::of_task(call, sid),
        ("GET", ["Tasks", sid, "Reservations", reservation]) => reservations::fetch(call, sid, reservation),
        ("POST", ["Tasks", sid, "Reservations", reservation]) => reservations::update(call, sid, reservation),

        ("GET", ["Workers"]) => workers::list(call),
        ("POST", ["Workers"]) => workers::create(call),
        ("GET", ["Workers", "Statistics"]) => worker_statistics::both(call),
        ("GET", ["Workers", "RealTimeStatistics"]) => worker_statistics::realtime(call),
        ("GET", ["Workers", "CumulativeStatistics"]) => worker_statistics::cumulative(call),
        ("GET", ["Workers", sid]) => workers::fetch(call, sid),
        ("POST", ["Workers", sid]) => workers::update(call, sid),
        ("DELETE", ["Workers", sid]) => workers::delete(call, sid),
        ("GET", ["Workers", sid, "Statistics"]) => worker_statistics::of_worker(call, sid),
        ("GET", ["Workers", sid, "Channels"]) => workers::channels(call, sid),
        ("GET", ["Workers", sid, "Channels", channel]) => workers::channel(call, sid, channel),
        ("POST", ["Workers", sid, "Channels", channel]) => workers::update_channel(call, sid, channel),
        ("GET", ["Workers", sid, "Reservations"]) => reservations::of_worker(call, sid),

        ("GET", ["Activities"]) => activities::list(call),
        ("POST", ["Activities"]) => activities::create(call),
        ("GET", ["Activities", sid]) => activities::fetch(call, sid),
        ("POST", ["Activities", sid]) => activities::update(call, sid),
        ("GET", ["Workflows"]) => workflows::list(call),
        ("GET", ["Workflows", sid]) => workflows::fetch(call, sid),
        ("GET", ["TaskChannels"]) => activities::channels(call),
        ("GET", ["TaskChannels", sid]) => activities::channel(call, sid),
        ("GET", ["Events"]) => events::list(call),
        ("GET", ["Events", sid]) => events::fetch(call, sid),
        _ => Err(ApiError::unknown_path(&request.path)),
    }
}

impl TaskRouterCall<'_> {
    fn missing(&self) -> ApiError {
        ApiError::not_found(&self.request.path)
    }

    /// A SID in the path; one of the wrong form finds nothing.
    fn sid(&self, kind: Kind, text: &str) -> Result<Sid, ApiError> {
        Sid::parse(kind, text).ok_or_else(|| self.missing())
    }

    fn place(&self) -> TaskRouterPlace<'_> {
        TaskRouterPlace { base: &self.request.base }
    }

    /// The parameter `TaskChannel`: SID or unique name.
    fn channel(&self) -> Result<Option<usize>, ApiError> {
        let Some(text) = self.request.query.filled("TaskChannel") else { return Ok(None) };
        let found = self.world.read(|state| state.channel(text));
        found.map(Some).ok_or_else(|| ApiError::invalid(format!("TaskChannel {text} was not found")))
    }

    fn refused(&self, error: &WorldError) -> ApiError {
        match error {
            WorldError::Missing { .. } => self.missing(),
            WorldError::Refused(why) => ApiError::invalid(why.clone()),
        }
    }
}
