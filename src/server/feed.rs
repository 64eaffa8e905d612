//! `GET /api/feed`: the feed as server-sent events, for the page and for plain `curl -N`, or as a websocket where the
//! client asks for one.
//!
//! `?queues=WQ…,WQ…` and `?channels=voice,chat` choose what is shown, `?since=<id>` says where the client was.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderValue, Request};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use super::error::ApiError;
use super::flex_viewer::FlexOrViewer;
use super::openapi::refusals::{Admission, NotAWebsocket, NotAsExpected};
use super::{AppState, websocket};
use crate::feed::Selection;

pub(super) const LAST_EVENT_ID: &str = "last-event-id";
/// Between two heartbeats. A page that receives nothing for twice as long takes the connection for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

#[derive(Debug, Default)]
pub(super) struct FeedQuery {
    /// The id of the last frame that the client got.
    pub(super) since: Option<String>,
    pub(super) selection: Selection,
    /// Whether a websocket's client sends its selection and cursor in its first message instead.
    pub(super) first_is_message: bool,
}

/// A snapshot first, then what changes; a client that comes back gets what it missed.
#[utoipa::path(
    get,
    path = "/api/feed",
    operation_id = "feed",
    tag = "Watching",
    summary = "The statistics and their changes, as a stream",
    description = "The stream does not end.",
    security(("basic" = []), ("bearer" = []), ("session" = []), ("flex" = [])),
    params(
        ("queues" = Option<String>, Query, description = "TaskQueue SIDs, comma-separated; all if absent"),
        ("channels" = Option<String>, Query, description = "TaskChannels, comma-separated, or `all`"),
        ("since" = Option<String>, Query, description = "The id of the last frame that the client received"),
        ("first" = Option<String>, Query, description = "`message`: a websocket's client sends these parameters in its first message instead"),
        ("Last-Event-ID" = Option<String>, Header)
    ),
    responses(
        (status = 101, description = "The websocket is open, where the client asked for one: docs/websockets.md"),
        (status = 200, description = "Server-sent events: a `snapshot`, then each `change`", body = String, content_type = "text/event-stream"),
        Admission, NotAsExpected, NotAWebsocket
    )
)]
pub(super) async fn watch(
    State(state): State<AppState>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (mut parts, _) = request.into_parts();
    let channels = state.feed.channels(&state.statistics.channels);
    let asked = FeedQuery::by(parts.uri.query().unwrap_or_default(), &channels);
    if websocket::is_asked_for(&parts.headers) {
        return websocket::watch(&state, parts, asked?).await;
    }
    let reader = FlexOrViewer::from_request_parts(&mut parts, &state).await?;
    let FeedQuery { since, selection, .. } = asked?;
    let seen = parts.headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok());
    let watcher = state.feed.watch(seen.or(since.as_deref()), selection).map_err(|_| ApiError::busy())?;
    let guest = (watcher, state.clone(), reader);
    let frames = stream::unfold(guest, async |(mut watcher, state, mut reader)| {
        let text = tokio::select! {
            shown = watcher.next() => shown?.event(),
            () = tokio::time::sleep(KEEP_ALIVE) => Bytes::from_static(b":\n\n"),
            // It would hold the listener up; the client goes on elsewhere.
            () = state.sockets.stopping() => return None,
            () = reader.expired() => return None,
        };
        // A session may end while its stream is open.
        if reader.session().is_some_and(|session| !state.access.goes_on(session)) {
            return None;
        }
        // The one text that all who watch the same share; a client that does not take it costs no copy.
        Some((Ok::<_, Infallible>(text), (watcher, state, reader)))
    });
    let mut response = Body::from_stream(frames).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would hold frames back to fill its buffers.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

impl FeedQuery {
    fn by(query: &str, known: &[String]) -> Result<Self, ApiError> {
        let value = |name: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs.find(|(n, value)| n == name && !value.is_empty()).map(|(_, value)| value.into_owned())
        };
        let (queues, channels) = (value("queues"), value("channels"));
        let queues = queues.as_deref().map(split);
        let channels = channels.as_deref().map(split);
        let selection = Selection::of(queues.as_deref(), channels.as_deref(), known)?;
        let first_is_message = value("first").is_some_and(|first| first == "message");
        Ok(Self { since: value("since"), selection, first_is_message })
    }
}

fn split(list: &str) -> Vec<&str> {
    list.split(',').map(str::trim).collect()
}
