//! Statistics of Workers over HTTP: all of them, those of a queue, or one.

use serde::Serialize;

use super::workers::WorkerFilter;
use super::{TaskRouterAnswer, TaskRouterCall, statistics};
use crate::rest::reply::Reply;
use crate::sid::{Kind, Sid};
use crate::state::State;
use crate::statistics::Window;
use crate::statistics::cumulative::WINDOW_PARAMETERS;
use crate::statistics::realtime::WorkersRealtime;
use crate::statistics::workers::WorkersCumulative;

#[derive(Serialize)]
struct WorkerStatisticsOf<T> {
    account_sid: Sid,
    workspace_sid: Sid,
    #[serde(skip_serializing_if = "Option::is_none")]
    worker_sid: Option<Sid>,
    url: String,
    #[serde(flatten)]
    numbers: T,
}

#[derive(Serialize)]
struct CombinedWorkerStatistics<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    realtime: Option<WorkersRealtime<'a>>,
    cumulative: WorkersCumulative<'a>,
}

fn of<T: Serialize>(call: &TaskRouterCall<'_>, state: &State, worker_sid: Option<Sid>, numbers: T) -> Reply {
    let url = format!("{}{}", call.request.base, call.request.path);
    let body =
        WorkerStatisticsOf { account_sid: state.account, workspace_sid: state.sid, worker_sid, url, numbers };
    statistics::reply(call, &body)
}

/// `W/Workers/Statistics`, over all Workers or those of a queue or name.
pub(super) fn both(call: &TaskRouterCall<'_>) -> TaskRouterAnswer {
    let [minutes, start, end] = WINDOW_PARAMETERS;
    let query = &call.request.query;
    query.only(&[minutes, start, end, "TaskQueueSid", "TaskQueueName", "FriendlyName", "TaskChannel"])?;
    let now = call.world.clock().now_ms();
    let (window, channel, filter) = (Window::read(query, now)?, call.channel()?, WorkerFilter::read(query)?);
    Ok(call.world.with(|inner| {
        let (state, figures) = inner.visible(now);
        let workers: Vec<Sid> =
            state.workers.iter().filter(|w| filter.passes(state, w)).map(|w| w.sid).collect();
        let mut realtime = WorkersRealtime::of(state, None, channel);
        for activity in
            workers.iter().filter_map(|sid| figures.workers.get(sid)).map(|worker| worker.activity)
        {
            if let Some(count) = realtime.activity_statistics.get_mut(activity) {
                count.workers += 1;
                realtime.total_workers += 1;
            }
        }
        let cumulative = WorkersCumulative::of(state, figures, workers.into_iter(), window, channel);
        of(call, state, None, CombinedWorkerStatistics { realtime: Some(realtime), cumulative })
    }))
}

pub(super) fn realtime(call: &TaskRouterCall<'_>) -> TaskRouterAnswer {
    call.request.query.only(&["TaskChannel"])?;
    let (now, channel) = (call.world.clock().now_ms(), call.channel()?);
    Ok(call.world.with(|inner| {
        let (state, figures) = inner.visible(now);
        of(call, state, None, WorkersRealtime::of(state, Some(&figures.everyone), channel))
    }))
}

pub(super) fn cumulative(call: &TaskRouterCall<'_>) -> TaskRouterAnswer {
    let [minutes, start, end] = WINDOW_PARAMETERS;
    call.request.query.only(&[minutes, start, end, "TaskChannel"])?;
    let now = call.world.clock().now_ms();
    let (window, channel) = (Window::read(&call.request.query, now)?, call.channel()?);
    Ok(call.world.with(|inner| {
        let (state, figures) = inner.visible(now);
        let everyone = state.workers.iter().map(|worker| worker.sid);
        of(call, state, None, WorkersCumulative::of(state, figures, everyone, window, channel))
    }))
}

pub(super) fn of_worker(call: &TaskRouterCall<'_>, sid: &str) -> TaskRouterAnswer {
    let [minutes, start, end] = WINDOW_PARAMETERS;
    call.request.query.only(&[minutes, start, end, "TaskChannel"])?;
    let sid = call.sid(Kind::Worker, sid)?;
    let now = call.world.clock().now_ms();
    let (window, channel) = (Window::read(&call.request.query, now)?, call.channel()?);
    call.world.with(|inner| {
        let (state, figures) = inner.visible(now);
        if !state.workers.contains(sid) {
            return Err(call.missing());
        }
        let cumulative = WorkersCumulative::of(state, figures, std::iter::once(sid), window, channel);
        Ok(of(call, state, Some(sid), CombinedWorkerStatistics { realtime: None, cumulative }))
    })
}
