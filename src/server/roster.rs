//! `GET /taskrouter_tasks` and `/taskrouter_workers`: the TaskRouter dashboard's lists.

use axum::extract::State;
use axum::response::Response;

use super::AppState;
use super::auth::Viewer;
use super::error::ApiError;
use crate::pipeline::Request;

/// Open Tasks, by falling priority, then by age.
pub(super) async fn tasks(State(state): State<AppState>, _viewer: Viewer) -> Result<Response, ApiError> {
    state.leader.ask(Request::Tasks).await
}

/// Workers, by name.
pub(super) async fn workers(State(state): State<AppState>, _viewer: Viewer) -> Result<Response, ApiError> {
    state.leader.ask(Request::Workers).await
}
