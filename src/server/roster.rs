//! `GET /taskrouter_tasks` and `/taskrouter_workers`: the TaskRouter dashboard's lists.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::AppState;
use super::auth::Viewer;
use super::desk::{Head, Question};
use super::error::ApiError;
use crate::layout::task_item;
use crate::twilio::taskrouter::Worker;

/// Open Tasks, by falling priority, then by age.
pub(super) async fn tasks(State(state): State<AppState>, _viewer: Viewer) -> Result<Response, ApiError> {
    state.desk.ask(Question::Tasks).await
}

/// Workers, by name.
pub(super) async fn workers(State(state): State<AppState>, _viewer: Viewer) -> Result<Response, ApiError> {
    state.desk.ask(Question::Workers).await
}

pub(super) async fn shown_tasks(head: &Head) -> Result<Vec<Value>, ApiError> {
    let tasks = head.roster.tasks().await.map_err(|error| ApiError::TaskRouter(error.to_string()))?;
    let mut tasks: Vec<_> = tasks.iter().collect();
    tasks.sort_by(|(_, a), (_, b)| {
        b.task.priority.cmp(&a.task.priority).then_with(|| a.task.date_created.cmp(&b.task.date_created))
    });
    let recordings = head.refresher.snapshots().borrow().recordings.clone();
    let items =
        tasks.into_iter().map(|(sid, task)| task_item(*sid, task, recordings.get(sid).map(|url| &**url)));
    Ok(items.collect())
}

pub(super) async fn shown_workers(head: &Head) -> Result<Vec<Value>, ApiError> {
    let workers = head.roster.workers().await.map_err(|error| ApiError::TaskRouter(error.to_string()))?;
    let mut workers: Vec<_> = workers.iter().collect();
    workers.sort_by(|a, b| a.friendly_name.cmp(&b.friendly_name));
    Ok(workers.into_iter().map(|worker| shown(worker, head)).collect())
}

/// The attributes first, so that none of them can pass for one of our own fields.
fn shown(worker: &Worker, head: &Head) -> Value {
    let attributes = serde_json::from_str::<Map<String, Value>>(&worker.attributes);
    let mut shown = attributes.unwrap_or_default();
    shown.insert("worker_sid".into(), json!(worker.sid));
    shown.insert("friendly_name".into(), json!(worker.friendly_name));
    shown.insert("activity_name".into(), json!(worker.activity_name));
    shown.insert("available".into(), json!(worker.available));
    shown.insert("date_status_changed".into(), json!(worker.date_status_changed));
    shown.insert("account_sid".into(), json!(head.account));
    shown.insert("workspace_sid".into(), json!(head.workspace));
    Value::Object(shown)
}
