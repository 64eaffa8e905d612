//! `GET /taskrouter_tasks` and `/taskrouter_workers`, the TaskRouter dashboard's lists, and `/api/workers/{sid}/queues`.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;

use super::LeaderClient;
use super::auth::Viewer;
use super::error::ApiError;
use super::openapi::refusals::{Admission, NotFound, TwilioFails};
use super::openapi::schemas::QueueName;
use crate::pipeline::Request;
use crate::sid::WorkerSid;

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

/// The TaskQueues whose `TargetWorkers` a Worker's attributes match.
#[utoipa::path(
    get,
    path = "/api/workers/{sid}/queues",
    operation_id = "workerQueues",
    tag = "Watching",
    summary = "The TaskQueues that a Worker is eligible for, in TaskRouter's order",
    security(("basic" = []), ("bearer" = []), ("session" = [])),
    params(("sid" = String, Path, description = "The Worker's SID")),
    responses(
        (status = 200, description = "The TaskQueues; none for an unknown Worker", body = Vec<QueueName>),
        Admission, NotFound, TwilioFails
    )
)]
pub(super) async fn queues(
    State(leader): State<Arc<LeaderClient>>,
    _viewer: Viewer,
    worker: Result<Path<WorkerSid>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(worker) = worker.map_err(|_| ApiError::not_found())?;
    leader.ask(Request::WorkerQueues(worker)).await
}
