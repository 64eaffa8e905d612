//! The recording callback of the TaskRouter dashboard: where a Task's recording is, so that its row can play it.
//!
//! Twilio sends it once, at the end of a recording, and it is kept in memory for as long as the Task is open.

use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;

use super::error::ApiError;
use super::openapi::refusals::{FormBody, NotAllowed, NotAsExpected};
use super::openapi::schemas::RecordingForm;
use super::query;
use super::signed::SignedForm;
use crate::refresh::Refresher;
use crate::sid::TaskSid;

const LONGEST_URL: usize = 2048;

/// Takes `RecordingUrl` of the Task in `?TaskSid=`.
#[utoipa::path(
    post,
    path = "/taskrouter_recording_callback",
    operation_id = "recording",
    tag = "Events",
    summary = "Note where a Task's recording is",
    security(("twilio" = [])),
    params(("TaskSid" = String, Query, description = "The SID of the recorded Task")),
    request_body(content = RecordingForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 204, description = "The recording's URL is noted"), FormBody, NotAllowed, NotAsExpected)
)]
pub(super) async fn receive(
    State(refresher): State<Refresher>,
    OriginalUri(uri): OriginalUri,
    form: SignedForm,
) -> Result<StatusCode, ApiError> {
    let task = query::value(&uri, "TaskSid").and_then(|sid| sid.parse::<TaskSid>().ok());
    let task = task.ok_or_else(|| ApiError::parameter("TaskSid"))?;
    // Without one there is nothing to play yet, as while it is recorded.
    let Some(url) = form.value("RecordingUrl") else { return Ok(StatusCode::NO_CONTENT) };
    if !url.starts_with("https://") || url.len() > LONGEST_URL {
        return Err(ApiError::parameter("RecordingUrl"));
    }
    refresher.note_recording(task, url);
    Ok(StatusCode::NO_CONTENT)
}
