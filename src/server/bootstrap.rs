//! `?checkMap=true`: creates what is missing in Sync, refreshes, waits for the writes, answers with all queue items.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::LeaderClient;
use super::auth::Editor;
use super::error::ApiError;
use super::openapi::refusals::{Admission, NotFinished, TwilioFails};
use super::openapi::schemas::QueueItem;
use super::same_site::SameSite;
use crate::pipeline::Request;

pub(super) fn is_asked_for(query: Option<&str>) -> bool {
    let query = query.unwrap_or_default().as_bytes();
    form_urlencoded::parse(query).any(|(name, value)| name == "checkMap" && value == "true")
}

/// The manual refresh of the TaskRouter dashboard: the same as `?checkMap=true`, for an editor.
#[utoipa::path(
    get,
    path = "/sync_taskrouter_statistics",
    operation_id = "refreshByHand",
    tag = "Events",
    summary = "Read and write everything, as with `checkMap=true`",
    security(("basic" = []), ("bearer" = []), ("session" = [])),
    responses(
        (status = 200, description = "All queue items", body = Vec<QueueItem>),
        Admission, TwilioFails, NotFinished
    )
)]
pub(super) async fn by_hand(
    State(leader): State<Arc<LeaderClient>>,
    _site: SameSite,
    _editor: Editor,
) -> Result<Response, ApiError> {
    leader.ask(Request::Bootstrap).await
}

/// The same, answered with the Tasks.
#[utoipa::path(
    get,
    path = "/sync_taskrouter_tasks",
    operation_id = "syncTasks",
    tag = "Events",
    summary = "Read and write everything, and answer the Tasks",
    security(("basic" = []), ("bearer" = []), ("session" = [])),
    responses(
        (status = 200, description = "The Tasks", body = Vec<Object>),
        Admission, TwilioFails, NotFinished
    )
)]
pub(super) async fn tasks_by_hand(
    State(leader): State<Arc<LeaderClient>>,
    _site: SameSite,
    _editor: Editor,
) -> Result<Response, ApiError> {
    leader.ask(Request::Bootstrap).await?;
    leader.ask(Request::Tasks).await
}

#[cfg(test)]
mod tests {
    use super::is_asked_for;

    #[test]
    fn is_asked_for_by_exactly_one_value() {
        assert!(is_asked_for(Some("checkMap=true")));
        assert!(is_asked_for(Some("a=b&checkMap=true")));
        for other in [None, Some(""), Some("checkMap=false"), Some("checkMap"), Some("checkmap=true")] {
            assert!(!is_asked_for(other), "{other:?}");
        }
    }
}
