//! `/healthz` says that the process answers; `/readyz` that a first whole snapshot has been read, and written or begun
//! to be.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::watch;
use utoipa::ToSchema;

use super::LeaderClient;
use super::flex_viewer::FlexOrViewer;
use super::openapi::refusals::Admission;
use super::openapi::schemas::Alive;
use crate::VERSION;
use crate::feed::{Feed, METRICS_DOCUMENTS};
use crate::history::Archive;

/// Answers 200 as long as the process runs.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "healthz",
    tag = "Operations",
    summary = "The process answers",
    responses((status = 200, description = "The process answers, and whether it is ready", body = Alive))
)]
pub(super) async fn alive() -> Response {
    Json(json!({ "status": "ok" })).into_response()
}

/// The keepalive of the TaskRouter dashboard: always `OK`.
#[utoipa::path(
    get,
    path = "/keepalive",
    operation_id = "keepalive",
    tag = "Operations",
    summary = "Always OK, for the TaskRouter dashboard",
    responses((status = 200, description = "`OK`", body = String, content_type = "text/plain"))
)]
pub(super) async fn keepalive() -> &'static str {
    "OK"
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Readiness {
    /// `ready` or `not ready`
    status: &'static str,
    task_queues_known: bool,
    task_queues: usize,
    /// Whether what Sync holds has been compared; absent where another replica leads, as are the next two
    #[serde(skip_serializing_if = "Option::is_none")]
    sync_looked_at: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unwritten: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_writes: Option<usize>,
    /// Objects whose writes need more than Sync's limit allows
    #[serde(skip_serializing_if = "Option::is_none")]
    beyond_limit: Option<Value>,
    /// `false` where another replica leads
    #[serde(skip_serializing_if = "Option::is_none")]
    leads: Option<bool>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Health)]
pub(super) struct HealthReport {
    now: String,
    /// The version of the service
    version: &'static str,
    /// When the oldest of what is shown was read
    as_of: Value,
    /// What is failing, by part
    health: Value,
    queues_known: Value,
    /// Reports of poor call quality
    voice: Value,
    /// Why history can't be stored; null while it can
    history: Option<String>,
    /// Names of the Documents that hold the tiles
    metrics_documents: Value,
}

/// 200 when ready, 503 before that and while stopping.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "readyz",
    tag = "Operations",
    summary = "A first snapshot has been read, and written or begun to be",
    responses(
        (status = 200, description = "Ready", body = Readiness),
        (status = 503, description = "Not yet, or the service is stopping", body = Readiness)
    )
)]
pub(super) async fn ready(
    State(ready): State<watch::Receiver<bool>>,
    State(feed): State<Feed>,
    State(leader): State<Arc<LeaderClient>>,
) -> Response {
    let ready = *ready.borrow();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let word = if ready { "ready" } else { "not ready" };
    let picture = feed.picture();
    let body = match leader.local() {
        Some(pipeline) => {
            let writes = pipeline.publisher.status().borrow().clone();
            let snapshot = pipeline.refresher.snapshots().borrow().clone();
            Readiness {
                status: word,
                task_queues_known: snapshot.directory_known,
                task_queues: snapshot.queues.len(),
                sync_looked_at: Some(writes.audited),
                unwritten: Some(writes.unwritten),
                failing_writes: Some(writes.failing),
                beyond_limit: Some(json!(writes.at_limit)),
                leads: None,
            }
        }
        None => Readiness {
            status: word,
            task_queues_known: picture.knows_queues(),
            task_queues: picture.count_queues(),
            sync_looked_at: None,
            unwritten: None,
            failing_writes: None,
            beyond_limit: None,
            leads: Some(false),
        },
    };
    (status, Json(body)).into_response()
}

/// What Sync does not hold, for a page that reads the rest there: failing parts, and reports of poor call quality.
#[utoipa::path(
    get,
    path = "/api/health",
    operation_id = "health",
    tag = "Watching",
    summary = "What is failing, for a page that reads everything else from Sync",
    security(("basic" = []), ("bearer" = []), ("session" = []), ("flex" = [])),
    responses((status = 200, description = "What is failing, and reports of poor call quality", body = HealthReport), Admission)
)]
pub(super) async fn problems(
    State(feed): State<Feed>,
    State(archive): State<Archive>,
    _viewer: FlexOrViewer,
) -> Response {
    let picture = feed.picture();
    let part = |part: Option<&str>| part.and_then(|part| serde_json::from_str::<Value>(part).ok());
    let shown = |name| part(picture.shown_part(name)).unwrap_or_default();
    let body = HealthReport {
        now: Timestamp::now().to_string(),
        version: VERSION,
        as_of: shown("asOf"),
        health: shown("health"),
        queues_known: shown("queuesKnown"),
        voice: shown("voice"),
        history: archive.problem(),
        metrics_documents: part(picture.part(METRICS_DOCUMENTS)).unwrap_or_else(|| json!([])),
    };
    ([(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
