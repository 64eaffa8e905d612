//! `/healthz` says that the process answers; `/readyz` that a first whole snapshot has been read and written.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::AppState;

/// Always 200.
pub(super) async fn alive() -> Response {
    Json(json!({ "status": "ok" })).into_response()
}

/// The TaskRouter dashboard's sign of life.
pub(super) async fn keepalive() -> &'static str {
    "OK"
}

/// 200 when ready, 503 before that and while stopping.
pub(super) async fn ready(State(state): State<AppState>) -> Response {
    let ready = *state.ready.borrow();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let writes = *state.publisher.status().borrow();
    let snapshot = state.refresher.snapshots().borrow().clone();
    let body = json!({
        "status": if ready { "ready" } else { "not ready" },
        "taskQueuesKnown": snapshot.directory_known,
        "taskQueues": snapshot.queues.len(),
        "syncLookedAt": writes.audited,
        "unwritten": writes.unwritten,
        "failingWrites": writes.failing,
    });
    (status, Json(body)).into_response()
}
