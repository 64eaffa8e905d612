//! `GET /taskrouter_tasks` and `/taskrouter_workers`: the TaskRouter dashboard's lists.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::LeaderClient;
use super::auth::Viewer;
use super::error::ApiError;
use super::openapi::refusals::{Admission, TwilioFails};
use crate::pipeline::Request;

/// Open Tasks, by falling priority, then by age.
#[utoipa::path(
    get,
    path = "/taskrouter_tasks",
    operation_id = "tasks",
    tag = "Watching",
    summary = "Open Tasks by falling priority and age",
    security(("basic" = []), ("bearer" = []), ("session" = [])),
    responses((status = 200, description = "They", body = Vec<Object>), Admission, TwilioFails)
)]
pub(super) async fn tasks(
    State(leader): State<Arc<LeaderClient>>,
    _viewer: Viewer,
) -> Result<Response, ApiError> {
    leader.ask(Request::Tasks).await
}

/// Workers, by name.
#[utoipa::path(
    get,
    path = "/taskrouter_workers",
    operation_id = "workers",
    tag = "Watching",
    summary = "Workers by name",
    security(("basic" = []), ("bearer" = []), ("session" = [])),
    responses((status = 200, description = "They", body = Vec<Object>), Admission, TwilioFails)
)]
pub(super) async fn workers(
    State(leader): State<Arc<LeaderClient>>,
    _viewer: Viewer,
) -> Result<Response, ApiError> {
    leader.ask(Request::Workers).await
}
