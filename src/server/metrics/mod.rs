//! `GET /metrics`: metrics of the service and the contact centre, for Prometheus.
//!
//! For viewers, and for holders of `METRICS_TOKEN`, which opens nothing else: a monitoring system should not hold an
//! account that sees customers' Tasks.

mod centre;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

use super::AppState;
use super::auth::peer;
use super::error::ApiError;
use super::openapi::refusals::Admission;
use crate::pipeline::RequestError;
use crate::stats::Snapshot;
use crate::telemetry::metrics::ClientKind;

/// OpenMetrics, the format that Prometheus prefers.
const TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The metrics of this process and, where it leads, of the contact centre.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    tag = "Operations",
    summary = "Metrics of the service and the contact centre, for Prometheus",
    security(("basic" = []), ("bearer" = []), ("session" = []), ("metrics" = [])),
    responses(
        (status = 200, description = "OpenMetrics text", body = String, content_type = "application/openmetrics-text"),
        Admission
    )
)]
pub(super) async fn show(State(state): State<AppState>, request: Request) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    state.access.scraper(&parts.method, &parts.headers, peer(&parts)).await?;
    state.monitor.clients(ClientKind::Websocket, state.sockets.open());
    state.monitor.clients(ClientKind::Watcher, state.feed.watchers());
    state.monitor.ready(*state.ready.borrow());
    // The contact centre's numbers come from the leader alone, or sums over replicas would count them twice.
    let here = state.leader.local().map(|pipeline| pipeline.shown.borrow().clone());
    state.monitor.leads(here.is_some());
    let snapshot = here.unwrap_or_else(|| Arc::new(Snapshot::empty(&[], Timestamp::now())));
    let centre = centre::registry(&snapshot, &state.statistics, state.rhythm, Timestamp::now());
    let text = state.monitor.encode(&centre).map_err(|_| RequestError::Overloaded)?;
    Ok(([(CONTENT_TYPE, TYPE), (CACHE_CONTROL, "no-store")], text).into_response())
}
