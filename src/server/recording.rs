//! The recording callback of the TaskRouter dashboard: where a Task's recording is, so that its row can play it.
//!
//! Twilio sends it once, at the end of a recording, and it is kept in memory for as long as the Task is open.

use axum::body::Body;
use axum::extract::{OriginalUri, State};
use axum::http::{Request, StatusCode};

use super::error::ApiError;
use super::{AppState, webhook};
use crate::sid::TaskSid;

/// Longest URL that is kept.
const LONGEST_URL: usize = 2048;

/// Takes `RecordingUrl` of the Task in `?TaskSid=`.
pub(super) async fn receive(
    State(state): State<AppState>,
    OriginalUri(uri): OriginalUri,
    request: Request<Body>,
) -> Result<StatusCode, ApiError> {
    let (parts, body) = request.into_parts();
    let fields = webhook::signed_form(&state, &uri, &parts.headers, body).await?;
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let task = query.into_iter().find(|(name, _)| name == "TaskSid");
    let task: TaskSid = task.and_then(|(_, sid)| sid.parse().ok()).ok_or(ApiError::Parameter("TaskSid"))?;
    let url = fields.iter().find(|(name, _)| name == "RecordingUrl").map(|(_, url)| url.as_str());
    let plays = |url: &&str| url.starts_with("https://") && url.len() <= LONGEST_URL;
    let url = url.filter(plays).ok_or(ApiError::Parameter("RecordingUrl"))?;
    state.refresher.note_recording(task, url);
    Ok(StatusCode::NO_CONTENT)
}
