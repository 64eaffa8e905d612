//! `GET /taskrouter_tasks` and `/taskrouter_workers`: the TaskRouter dashboard's lists.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::LeaderClient;
use super::auth::Viewer;
use super::error::ApiError;
use super::openapi::refusals::{Admission, TwilioFails};
use crate::pipeline::Request;

/// Tasks, open and lately finished, by falling priority, then by age.
#[utoipa::path(
    get,
    path = "/taskrouter_tasks",
    operation_id = "tasks",
    tag = "Watching",
    summary = "Tasks, open and lately finished, by falling priority and age",
    security(("basic" = []), ("bearer" = []), ("session" = [])),
    responses((status = 200, description = "The Tasks", body = Vec<Object>), Admission, TwilioFails)
)]
pub(super) async fn tasks(
    State(leader): State<Arc<LeaderClient>>,
    _viewer: Viewer,
) -> Result<Response, ApiError> {
    leader.ask(Request::Tasks).await
}

/// Workers, in TaskRouter's order.
#[utoipa::path(
    get,
    path = "/taskrouter_workers",
    operation_id = "workers",
    tag = "Watching",
    summary = "Workers in TaskRouter's order",
    security(("basic" = []), ("bearer" = []), ("session" = [])),
    responses((status = 200, description = "The Workers", body = Vec<Object>), Admission, TwilioFails)
)]
pub(super) async fn workers(
    State(leader): State<Arc<LeaderClient>>,
    _viewer: Viewer,
) -> Result<Response, ApiError> {
    leader.ask(Request::Workers).await
}
