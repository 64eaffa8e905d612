//! Bulk real-time statistics: up to 50 queues in one POST with a JSON body.

use serde::{Deserialize, Serialize};

use super::{TaskRouterAnswer, TaskRouterCall, statistics};
use crate::error::ApiError;
use crate::sid::{Kind, Sid};
use crate::statistics::realtime::Realtime;

/// At most this many SIDs (TaskQueue Statistics documentation).
const MAX_SIDS: usize = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BulkRequest {
    /// The documentation's table spells it `QueueSids`, its example `queueSids`.
    #[serde(rename = "queueSids", alias = "QueueSids")]
    queue_sids: Vec<String>,
}

#[derive(Serialize)]
struct BulkLine<'a> {
    task_queue_sid: Sid,
    #[serde(flatten)]
    realtime: Realtime<'a>,
}

#[derive(Serialize)]
struct Bulk<T> {
    account_sid: Sid,
    workspace_sid: Sid,
    url: String,
    task_queue_response_count: usize,
    task_queue_data: Vec<T>,
}

pub(super) fn realtime(call: &TaskRouterCall<'_>) -> TaskRouterAnswer {
    if let Some(status) = call.answers.refuse_bulk {
        return Err(statistics::switched_off(call, status));
    }
    call.request.no_parameters()?;
    if !call.request.header("content-type").is_some_and(|kind| kind.starts_with("application/json")) {
        return Err(ApiError::invalid("The body must be application/json"));
    }
    let body: BulkRequest = serde_json::from_slice(&call.request.body)
        .map_err(|error| ApiError::invalid(format!("The body is not understood: {error}")))?;
    if !(1..=MAX_SIDS).contains(&body.queue_sids.len()) {
        return Err(ApiError::invalid(format!("queueSids must hold 1 to {MAX_SIDS} SIDs")));
    }
    let parse = |text: &String| Sid::parse(Kind::TaskQueue, text);
    let sids: Option<Vec<Sid>> = body.queue_sids.iter().map(parse).collect();
    let sids = sids.ok_or_else(|| ApiError::invalid("queueSids holds a malformed TaskQueue SID"))?;
    let now = call.world.clock().now_ms();
    Ok(call.world.with(|inner| {
        let (state, figures) = inner.visible(now);
        // A well-formed SID that is not ours comes back as zeros, without Workers.
        let line = |sid: Sid| BulkLine {
            task_queue_sid: sid,
            realtime: Realtime::queue(state, figures, figures.queues.get(&sid), None, now),
        };
        let data: Vec<_> = sids.into_iter().map(line).collect();
        let bulk = Bulk {
            account_sid: state.account,
            workspace_sid: state.sid,
            url: format!("{}{}", call.request.base, call.request.path),
            task_queue_response_count: data.len(),
            task_queue_data: data,
        };
        statistics::reply(call, &bulk)
    }))
}
