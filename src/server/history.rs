//! `GET /api/history/…`: curves, intervals and moments of the past.

use axum::extract::{Path, State};
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::error::ApiError;
use super::flex_viewer::FlexOrViewer;
use super::openapi::refusals::{Admission, NotAsExpected, NotFound};
use super::query;
use crate::history::{Archive, HistoryError, MOST_ROWS, Range, ReportQuery, STEPS, USUAL_ROWS};

const CSV: &str = "text/csv; charset=utf-8; header=present";

impl From<HistoryError> for ApiError {
    fn from(error: HistoryError) -> Self {
        let (status, code) = match error {
            HistoryError::Off => (StatusCode::SERVICE_UNAVAILABLE, "history_off"),
            HistoryError::Unreadable(_) => (StatusCode::SERVICE_UNAVAILABLE, "history_unreadable"),
            HistoryError::Unknown(_) => (StatusCode::NOT_FOUND, "not_found"),
            HistoryError::Parameter(_) => (StatusCode::UNPROCESSABLE_ENTITY, "bad_parameter"),
        };
        Self::new(status, code, error.to_string())
    }
}

/// Whether history is stored, and since when.
#[utoipa::path(
    get,
    path = "/api/history/state",
    operation_id = "historyState",
    tag = "History",
    summary = "Whether history is stored, and since when",
    security(("basic" = []), ("bearer" = []), ("session" = []), ("flex" = [])),
    responses((status = 200, description = "`ok`, `off` or `degraded`, with the reason", body = Object), Admission)
)]
pub(super) async fn state(
    State(archive): State<Archive>,
    _viewer: FlexOrViewer,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    json(headers, archive.state().await).await
}

/// One TaskQueue's curves. The value at a time is the last one known then; null within a gap.
#[utoipa::path(
    get,
    path = "/api/history/queues/{sid}",
    operation_id = "queueHistory",
    tag = "History",
    summary = "One TaskQueue's curves",
    security(("basic" = []), ("bearer" = []), ("session" = []), ("flex" = [])),
    params(
        ("sid" = String, Path, description = "The TaskQueue's SID"),
        ("from" = String, Query, description = "RFC 3339, or seconds since 1970"),
        ("to" = Option<String>, Query, description = "The same, not included; now if absent"),
        ("step" = Option<u32>, Query, description = "Seconds between two points, 10 or more; at most 10,000 points"),
        ("channel" = Option<String>, Query, description = "`all`, or a TaskChannel")
    ),
    responses(
        (status = 200, description = "Times, values by name, and gaps", body = Object),
        (status = 304, description = "As the client has it"),
        Admission, NotFound, NotAsExpected
    )
)]
pub(super) async fn queue(
    State(archive): State<Archive>,
    _viewer: FlexOrViewer,
    Path(sid): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let queue = sid.parse().map_err(|_| ApiError::not_found())?;
    let channel = query::value(&uri, "channel").unwrap_or_else(|| "all".to_owned());
    let series = archive.queue(queue, &channel, range(&uri)?, step(&uri)?).await?;
    json(headers, series).await
}

/// One tile's curve.
#[utoipa::path(
    get,
    path = "/api/history/metrics/{name}",
    operation_id = "metricHistory",
    tag = "History",
    summary = "One tile's curve",
    security(("basic" = []), ("bearer" = []), ("session" = []), ("flex" = [])),
    params(
        ("name" = String, Path, description = "The metric's unique name"),
        ("from" = String, Query, description = "RFC 3339, or seconds since 1970"),
        ("to" = Option<String>, Query, description = "The same, not included; now if absent"),
        ("step" = Option<u32>, Query, description = "Seconds between two points, 10 or more; at most 10,000 points")
    ),
    responses(
        (status = 200, description = "Times, values, thresholds and gaps", body = Object),
        (status = 304, description = "As the client has it"),
        Admission, NotFound, NotAsExpected
    )
)]
pub(super) async fn metric(
    State(archive): State<Archive>,
    _viewer: FlexOrViewer,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let series = archive.metric(&name, range(&uri)?, step(&uri)?).await?;
    json(headers, series).await
}

/// Intervals of TaskQueues and channels, with totals over all rows of the query.
#[utoipa::path(
    get,
    path = "/api/history/intervals",
    operation_id = "intervals",
    tag = "History",
    summary = "Quarter hours, half hours, hours or days of TaskQueues and channels",
    security(("basic" = []), ("bearer" = []), ("session" = []), ("flex" = [])),
    params(
        ("from" = String, Query, description = "RFC 3339, or seconds since 1970"),
        ("to" = Option<String>, Query, description = "The same, not included; now if absent"),
        ("step" = Option<u32>, Query, description = "900, 1800, 3600 or 86400 seconds"),
        ("queues" = Option<String>, Query, description = "TaskQueue SIDs, comma-separated; all if absent"),
        ("channels" = Option<String>, Query, description = "TaskChannels and `all`, comma-separated; every one if absent"),
        ("limit" = Option<u32>, Query, description = "Rows of a page: 5,000 if absent, never more than 20,000"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
        ("Accept" = Option<String>, Header, description = "`text/csv` for CSV")
    ),
    responses(
        (status = 200, description = "Rows, totals and the next page's cursor", content(
            (Object = "application/json"),
            (String = "text/csv")
        )),
        (status = 304, description = "As the client has it"),
        Admission, NotAsExpected
    )
)]
pub(super) async fn intervals(
    State(archive): State<Archive>,
    _viewer: FlexOrViewer,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let step = step(&uri)?.unwrap_or(STEPS[0]);
    if !STEPS.contains(&step) {
        return Err(ApiError::parameter("step"));
    }
    let list = |name: &str| -> Vec<String> {
        let text = query::value(&uri, name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
    };
    let queues: Result<Vec<_>, _> = list("queues").iter().map(|queue| queue.parse()).collect();
    let number = |name: &str, usual: usize| match query::value(&uri, name) {
        Some(text) => text.parse().map_err(|_| ApiError::parameter(name)),
        None => Ok(usual),
    };
    let limit = number("limit", USUAL_ROWS)?;
    if limit == 0 {
        return Err(ApiError::parameter("limit"));
    }
    let asked = ReportQuery {
        range: range(&uri)?,
        step,
        queues: queues.map_err(|_| ApiError::parameter("queues"))?,
        channels: list("channels"),
        skip: number("cursor", 0)?,
        limit: limit.min(MOST_ROWS),
    };
    let report = archive.report(&asked).await?;
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if !accept.contains("text/csv") {
        return json(headers, report).await;
    }
    let next = report.next.clone();
    let mut response = answer(headers, CSV, move || report.to_csv()).await?;
    let name = HeaderValue::from_static("attachment; filename=\"intervals.csv\"");
    response.headers_mut().insert(CONTENT_DISPOSITION, name);
    if let Some(next) = next.and_then(|next| HeaderValue::from_str(&next).ok()) {
        response.headers_mut().insert("next-cursor", next);
    }
    Ok(response)
}

/// Everything as it was at a moment: TaskQueues, the Workspace and tiles as the feed shows them.
#[utoipa::path(
    get,
    path = "/api/history/at",
    operation_id = "historyAt",
    tag = "History",
    summary = "Everything as it was at a moment",
    security(("basic" = []), ("bearer" = []), ("session" = []), ("flex" = [])),
    params(("time" = String, Query, description = "RFC 3339, or seconds since 1970")),
    responses(
        (status = 200, description = "TaskQueues, the Workspace and tiles, or the gap that the moment is in", body = Object),
        (status = 304, description = "As the client has it"),
        Admission, NotAsExpected
    )
)]
pub(super) async fn at(
    State(archive): State<Archive>,
    _viewer: FlexOrViewer,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let moment = moment(&uri, "time")?.ok_or_else(|| ApiError::parameter("time"))?;
    json(headers, archive.at(moment).await?).await
}

fn range(uri: &Uri) -> Result<Range, ApiError> {
    let from = moment(uri, "from")?.ok_or_else(|| ApiError::parameter("from"))?;
    let to = moment(uri, "to")?.unwrap_or_else(|| Timestamp::now().as_second());
    Ok(Range { from, to })
}

fn moment(uri: &Uri, name: &str) -> Result<Option<i64>, ApiError> {
    let Some(text) = query::value(uri, name) else { return Ok(None) };
    let second = text.parse::<i64>().ok().and_then(|second| Timestamp::from_second(second).ok());
    let moment = second.or_else(|| text.parse().ok()).ok_or_else(|| ApiError::parameter(name))?;
    Ok(Some(moment.as_second()))
}

fn step(uri: &Uri) -> Result<Option<i64>, ApiError> {
    let step = query::value(uri, "step").map(|step| step.parse::<u32>());
    step.transpose().map(|step| step.map(i64::from)).map_err(|_| ApiError::parameter("step"))
}

async fn json(headers: HeaderMap, body: impl Serialize + Send + 'static) -> Result<Response, ApiError> {
    // Texts and numbers only, which can't fail.
    answer(headers, "application/json", move || serde_json::to_string(&body).unwrap_or_default()).await
}

/// With a strong ETag, or 304 where the client has this body. It is written on a thread of its own: a long report takes tenths
/// of a second, which no other task should wait for.
async fn answer(
    headers: HeaderMap,
    content_type: &'static str,
    body: impl FnOnce() -> String + Send + 'static,
) -> Result<Response, ApiError> {
    let written = tokio::task::spawn_blocking(move || {
        let body = body();
        let digest = Sha256::digest(body.as_bytes());
        (base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&digest[..18]), body)
    });
    let (digest, body) = written.await.map_err(|error| HistoryError::Unreadable(error.to_string()))?;
    let tag = format!("\"{digest}\"");
    let known = headers.get(IF_NONE_MATCH).and_then(|known| known.to_str().ok()).unwrap_or_default();
    // Compared weakly, since a proxy that compresses makes it weak (RFC 9110, 13.1.2).
    let is_known =
        known.split(',').map(str::trim).any(|known| known == "*" || known.trim_start_matches("W/") == tag);
    let caching = [(CACHE_CONTROL, "private, no-cache".to_owned()), (ETAG, tag), (VARY, "accept".to_owned())];
    if is_known {
        return Ok((StatusCode::NOT_MODIFIED, caching).into_response());
    }
    Ok((caching, [(CONTENT_TYPE, content_type)], body).into_response())
}
