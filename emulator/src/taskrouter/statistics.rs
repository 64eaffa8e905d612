//! Statistics of the Workspace and of TaskQueues over HTTP: real-time, cumulative, both, and the list of both.
//!
//! All of them answer from the *visible* figures, which may lag behind the true ones; ages are computed with the
//! present time all the same.

use serde::Serialize;
use serde_json::Value;

use super::{MAX_PAGE, TaskRouterAnswer, TaskRouterCall};
use crate::error::ApiError;
use crate::rest::page::Page;
use crate::rest::reply::Reply;
use crate::settings::{Combined, CombinedRealtime};
use crate::sid::{Kind, Sid};
use crate::state::State;
use crate::statistics::Window;
use crate::statistics::cumulative::{Cumulative, WINDOW_PARAMETERS, thresholds};
use crate::statistics::figures::Figures;
use crate::statistics::realtime::Realtime;

#[derive(Serialize)]
struct StatisticsOf<T> {
    account_sid: Sid,
    workspace_sid: Sid,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_queue_sid: Option<Sid>,
    /// The list's items have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(flatten)]
    numbers: T,
}

#[derive(Serialize)]
struct CombinedStatistics<'a> {
    realtime: Realtime<'a>,
    cumulative: Cumulative,
}

struct Wanted {
    window: Window,
    channel: Option<usize>,
    thresholds: Vec<u32>,
    now: i64,
}

impl Wanted {
    fn read(call: &TaskRouterCall<'_>) -> Result<Self, ApiError> {
        let now = call.world.clock().now_ms();
        let query = &call.request.query;
        Ok(Self {
            window: Window::read(query, now)?,
            channel: call.channel()?,
            thresholds: thresholds(query)?,
            now,
        })
    }

    fn cumulative(call: &TaskRouterCall<'_>) -> Result<Self, ApiError> {
        let [minutes, start, end] = WINDOW_PARAMETERS;
        call.request.query.only(&[minutes, start, end, "TaskChannel", "SplitByWaitTime"])?;
        Self::read(call)
    }

    fn realtime(call: &TaskRouterCall<'_>) -> Result<Self, ApiError> {
        call.request.query.only(&["TaskChannel"])?;
        Self::read(call)
    }
}

pub(super) fn workspace(call: &TaskRouterCall<'_>) -> TaskRouterAnswer {
    let wanted = Wanted::cumulative(call)?;
    Ok(call.world.with(|inner| {
        let (state, figures) = inner.visible(wanted.now);
        let mut realtime = Realtime::workspace(state, figures, wanted.channel, wanted.now);
        if call.answers.combined_realtime == CombinedRealtime::AsRecorded {
            let cell = figures.workspace.of_channel(wanted.channel);
            realtime = realtime.with_recorded(state, None, cell, wanted.now);
        }
        let log = &figures.workspace.log;
        let cumulative = Cumulative::workspace(log, wanted.window, wanted.channel, &wanted.thresholds);
        wrap(call, state, None, combined(call, realtime, cumulative))
    }))
}

pub(super) fn workspace_realtime(call: &TaskRouterCall<'_>) -> TaskRouterAnswer {
    let wanted = Wanted::realtime(call)?;
    Ok(call.world.with(|inner| {
        let (state, figures) = inner.visible(wanted.now);
        wrap(call, state, None, Realtime::workspace(state, figures, wanted.channel, wanted.now))
    }))
}

pub(super) fn workspace_cumulative(call: &TaskRouterCall<'_>) -> TaskRouterAnswer {
    let wanted = Wanted::cumulative(call)?;
    Ok(call.world.with(|inner| {
        let (state, figures) = inner.visible(wanted.now);
        let log = &figures.workspace.log;
        let cumulative = Cumulative::workspace(log, wanted.window, wanted.channel, &wanted.thresholds);
        wrap(call, state, None, cumulative.with_integer_average())
    }))
}

pub(super) fn queue(call: &TaskRouterCall<'_>, sid: &str) -> TaskRouterAnswer {
    let sid = find(call, sid)?;
    let wanted = Wanted::cumulative(call)?;
    Ok(call.world.with(|inner| {
        let (state, figures) = inner.visible(wanted.now);
        wrap(call, state, Some(sid), both(call, state, figures, sid, &wanted))
    }))
}

pub(super) fn queue_realtime(call: &TaskRouterCall<'_>, sid: &str) -> TaskRouterAnswer {
    let sid = find(call, sid)?;
    let wanted = Wanted::realtime(call)?;
    Ok(call.world.with(|inner| {
        let (state, figures) = inner.visible(wanted.now);
        let queue = figures.queues.get(&sid);
        let realtime = Realtime::queue(state, figures, queue, wanted.channel, wanted.now);
        wrap(call, state, Some(sid), realtime.with_relative(queue, wanted.channel, wanted.now))
    }))
}

pub(super) fn queue_cumulative(call: &TaskRouterCall<'_>, sid: &str) -> TaskRouterAnswer {
    let sid = find(call, sid)?;
    let wanted = Wanted::cumulative(call)?;
    Ok(call.world.with(|inner| {
        let (state, figures) = inner.visible(wanted.now);
        let log = figures.queues.get(&sid).map(|queue| &queue.counters.log);
        let cumulative = Cumulative::queue(log, wanted.window, wanted.channel, &wanted.thresholds);
        wrap(call, state, Some(sid), cumulative.with_integer_average())
    }))
}

pub(super) fn queues(call: &TaskRouterCall<'_>) -> TaskRouterAnswer {
    if let Some(status) = call.answers.refuse_list {
        return Err(switched_off(call, status));
    }
    let [minutes, start, end] = WINDOW_PARAMETERS;
    let filters = [minutes, start, end, "TaskChannel", "SplitByWaitTime", "FriendlyName"];
    let page = Page::read(call.request, &filters, MAX_PAGE)?;
    let wanted = Wanted::read(call)?;
    let name = call.request.query.filled("FriendlyName");
    let after = page.after()?;
    Ok(call.world.with(|inner| {
        let (state, figures) = inner.visible(wanted.now);
        let mut rows =
            state.queues.after(after).filter(|(_, queue)| name.is_none_or(|name| queue.name == name));
        let (mut lines, mut last) = (Vec::with_capacity(page.size.min(state.queues.len())), 0);
        let next = loop {
            let Some((number, queue)) = rows.next() else { break None };
            if lines.len() == page.size {
                break Some(format!("n{last}"));
            }
            last = number;
            lines.push(StatisticsOf {
                account_sid: state.account,
                workspace_sid: state.sid,
                task_queue_sid: Some(queue.sid),
                url: None,
                numbers: both(call, state, figures, queue.sid, &wanted),
            });
        };
        if call.answers.counts_as_text {
            let lines: Vec<Value> = lines.iter().map(in_text).collect();
            return page.finish("task_queues_statistics", &lines, next);
        }
        page.finish("task_queues_statistics", &lines, next)
    }))
}

fn both<'a>(
    call: &TaskRouterCall<'_>,
    state: &'a State,
    figures: &Figures,
    sid: Sid,
    wanted: &Wanted,
) -> CombinedStatistics<'a> {
    let queue = figures.queues.get(&sid);
    let mut realtime = Realtime::queue(state, figures, queue, wanted.channel, wanted.now);
    if call.answers.combined_realtime == CombinedRealtime::AsRecorded {
        let cell = queue.and_then(|queue| queue.counters.of_channel(wanted.channel));
        realtime = realtime.with_recorded(state, Some(sid), cell, wanted.now);
        realtime = realtime.with_relative(queue, wanted.channel, wanted.now);
    }
    let log = queue.map(|queue| &queue.counters.log);
    combined(call, realtime, Cumulative::queue(log, wanted.window, wanted.channel, &wanted.thresholds))
}

/// The combined answer, as full as the settings say.
fn combined<'a>(
    call: &TaskRouterCall<'_>,
    mut realtime: Realtime<'a>,
    mut cumulative: Cumulative,
) -> CombinedStatistics<'a> {
    match call.answers.combined_cumulative {
        Combined::Complete => cumulative = cumulative.without_recorded(),
        Combined::AsRecorded => {}
        Combined::WithoutAverages => cumulative = cumulative.without_averages(),
        Combined::AsPublished => {
            realtime.tasks_by_priority = None;
            cumulative.more = None;
        }
    }
    CombinedStatistics { realtime, cumulative }
}

fn find(call: &TaskRouterCall<'_>, sid: &str) -> Result<Sid, ApiError> {
    let sid = call.sid(Kind::TaskQueue, sid)?;
    if call.world.read(|state| state.queues.contains(sid)) { Ok(sid) } else { Err(call.missing()) }
}

/// Wraps numbers with what they belong to. The numbers borrow from the state, so they are serialised under its lock.
fn wrap(
    call: &TaskRouterCall<'_>,
    state: &State,
    task_queue_sid: Option<Sid>,
    numbers: impl Serialize,
) -> Reply {
    let url = Some(format!("{}{}", call.request.base, call.request.path));
    reply(
        call,
        &StatisticsOf { account_sid: state.account, workspace_sid: state.sid, task_queue_sid, url, numbers },
    )
}

/// The answer, with nested counts as text if the settings say so.
pub(super) fn reply(call: &TaskRouterCall<'_>, body: &impl Serialize) -> Reply {
    if call.answers.counts_as_text {
        return Reply::json(200, &in_text(body));
    }
    Reply::json(200, body)
}

pub(super) fn switched_off(call: &TaskRouterCall<'_>, status: u16) -> ApiError {
    if status == 404 { call.missing() } else { ApiError::new(status, 20006, "Access Denied") }
}

/// A copy in which the counts inside objects are text, as Twilio's field descriptions (not its examples) have them.
fn in_text(body: &impl Serialize) -> Value {
    const INSIDE: [&str; 3] = ["tasks_by_status", "tasks_by_priority", "split_by_wait_time"];
    fn walk(value: &mut Value, inside: bool) {
        match value {
            Value::Number(number) if inside => *value = number.to_string().into(),
            Value::Object(map) => {
                for (name, value) in map {
                    walk(value, inside || name == "workers" || INSIDE.contains(&name.as_str()));
                }
            }
            Value::Array(list) => list.iter_mut().for_each(|value| walk(value, inside)),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(body).unwrap_or_default();
    walk(&mut value, false);
    value
}
