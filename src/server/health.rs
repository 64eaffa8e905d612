//! `/healthz` says that the process answers; `/readyz` that a first whole snapshot has been read, and written or begun to be.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::AppState;
use super::auth::Viewer;
use crate::VERSION;
use crate::feed::{Feed, METRICS_DOCUMENTS};

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
    let word = if ready { "ready" } else { "not ready" };
    let picture = state.feed.picture();
    let body = match state.leader.local() {
        Some(pipeline) => {
            let writes = pipeline.publisher.status().borrow().clone();
            let snapshot = pipeline.refresher.snapshots().borrow().clone();
            json!({
                "status": word,
                "taskQueuesKnown": snapshot.directory_known,
                "taskQueues": snapshot.queues.len(),
                "syncLookedAt": writes.audited,
                "unwritten": writes.unwritten,
                "failingWrites": writes.failing,
                "beyondLimit": writes.at_limit,
            })
        }
        // Another replica reads and writes.
        None => json!({
            "status": word,
            "taskQueuesKnown": picture.knows_queues(),
            "taskQueues": picture.count_queues(),
            "leads": false,
        }),
    };
    (status, Json(body)).into_response()
}

/// What Sync does not carry: what is failing, and calls that were bad to hear, for a page that reads the rest there.
pub(super) async fn told(State(feed): State<Feed>, _viewer: Viewer) -> Response {
    let picture = feed.picture();
    let mut body = Map::new();
    body.insert("now".into(), json!(Timestamp::now()));
    body.insert("version".into(), json!(VERSION));
    for name in ["asOf", "health", "queuesKnown", "voice"] {
        let part = picture.shown_part(name).and_then(|part| serde_json::from_str::<Value>(part).ok());
        body.insert(name.into(), part.unwrap_or_default());
    }
    let documents = picture.part(METRICS_DOCUMENTS).and_then(|part| serde_json::from_str::<Value>(part).ok());
    body.insert("metricsDocuments".into(), documents.unwrap_or_else(|| json!([])));
    ([(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
