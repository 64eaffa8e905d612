//! `?checkMap=true`: creates what is missing in Sync, refreshes, waits for the writes, answers with all queue items.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::time::timeout;

use super::AppState;
use super::access::Editor;
use super::error::ApiError;
use super::same_site::SameSite;
use crate::layout::queue_items;

/// A thousand queues take about a minute to write within Sync's limits.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// Whether the query asks for it.
pub(super) fn is_asked_for(query: Option<&str>) -> bool {
    let query = query.unwrap_or_default().as_bytes();
    form_urlencoded::parse(query).any(|(name, value)| name == "checkMap" && value == "true")
}

/// The TaskRouter dashboard's refresh by hand: the same, for an editor.
pub(super) async fn by_hand(
    State(state): State<AppState>,
    _site: SameSite,
    _editor: Editor,
) -> Result<Response, ApiError> {
    run(&state).await
}

/// Runs it for a caller who has been let in.
pub(super) async fn run(state: &AppState) -> Result<Response, ApiError> {
    let items = timeout(LONGEST_WAIT, refresh_and_write(state)).await;
    let items = items.map_err(|_| ApiError::NotFinished(LONGEST_WAIT.as_secs()))??;
    Ok(Json(items).into_response())
}

async fn refresh_and_write(state: &AppState) -> Result<Vec<Value>, ApiError> {
    let snapshot = state.refresher.refresh_all().await.map_err(|_| ApiError::Stopping)?;
    if let Some(stale) = &snapshot.directory_stale {
        return Err(ApiError::TaskRouter(stale.reason.to_string()));
    }
    state.publisher.restored(snapshot.number).await.map_err(|_| ApiError::Stopping)?;
    Ok(queue_items(&snapshot))
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
