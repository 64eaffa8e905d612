//! `GET /api/feed`: the feed as server-sent events, for the page and for plain `curl -N`.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, HeaderName};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use super::AppState;
use super::access::Viewer;
use super::error::ApiError;

const LAST_EVENT_ID: &str = "last-event-id";
/// A page that hears nothing for twice as long knows that the connection is dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A snapshot first, then what changes; a client that comes back gets what it missed.
pub(super) async fn watch(
    State(state): State<AppState>,
    _viewer: Viewer,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let seen = headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok());
    let watcher = state.feed.watch(seen).map_err(|_| ApiError::Busy)?;
    let frames = stream::unfold(watcher, async |mut watcher| {
        let frame = watcher.next().await?;
        let event = Event::default().event(frame.kind).id(frame.id).data(frame.data);
        Some((Ok::<_, Infallible>(event), watcher))
    });
    let mut response = Sse::new(frames).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would hold frames back to fill its buffers.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}
