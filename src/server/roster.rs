//! `GET /taskrouter_tasks` and `/taskrouter_workers`: the TaskRouter dashboard's lists.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::LeaderClient;
use super::auth::Viewer;
use super::error::ApiError;
use crate::pipeline::Request;

/// Tasks, open and lately finished, by falling priority, then by age.
pub(super) async fn tasks(
    State(leader): State<Arc<LeaderClient>>,
    _viewer: Viewer,
) -> Result<Response, ApiError> {
    leader.ask(Request::Tasks).await
}

/// Workers, in TaskRouter's order.
pub(super) async fn workers(
    State(leader): State<Arc<LeaderClient>>,
    _viewer: Viewer,
) -> Result<Response, ApiError> {
    leader.ask(Request::Workers).await
}
