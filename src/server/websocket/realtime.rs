//! `GET /websocket/realtimeStats`: the older systems' protocol. The whole array of queue items on connect, and again when
//! something has changed; any text comes back as `echo: <text>`.
//!
//! For a thousand TaskQueues the array is megabytes, so it is sent once a second at most. `/api/feed` is the better way.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use axum::response::Response;
use bytes::Bytes;
use tokio::time::Instant;

use super::client::{Purpose, WebsocketClient};
use super::connection::CloseReason;
use super::{ClientConnection, look_again, open};
use crate::feed::ItemsWatcher;
use crate::server::openapi::refusals::{Admission, NotAWebsocket, NotFound};
use crate::server::{ApiError, AppState};

/// Between two arrays to the same client.
const SPACING: Duration = Duration::from_secs(1);

/// Opens the websocket that sends all queue items.
#[utoipa::path(
    get,
    path = "/websocket/realtimeStats",
    operation_id = "realtimeStats",
    tag = "Watching",
    summary = "All queue items over a websocket: docs/websockets.md",
    security(("basic" = []), ("bearer" = []), ("session" = []), ("flex" = [])),
    responses((status = 101, description = "The websocket is open"), Admission, NotFound, NotAWebsocket)
)]
pub(in crate::server) async fn realtime_stats(
    State(state): State<AppState>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    let watcher = state.feed.watch_items().map_err(|_| ApiError::busy())?;
    let talk = |mut connection, client| async move {
        let Err(reason) = talk(&mut connection, client, watcher).await;
        connection.close(reason).await;
    };
    open(&state, parts, Purpose::Watch, talk).await
}

async fn talk(
    connection: &mut ClientConnection,
    mut client: WebsocketClient,
    mut watcher: ItemsWatcher,
) -> Result<Infallible, CloseReason> {
    let mut next_at = Instant::now();
    loop {
        let items = async {
            tokio::time::sleep_until(next_at).await;
            watcher.next().await
        };
        tokio::select! {
            said = connection.next() => {
                let echo = format!("echo: {}", said?);
                connection.send(Bytes::from(echo)).await?;
            }
            items = items => {
                connection.send(items.ok_or(CloseReason::Stopping)?).await?;
                next_at = Instant::now() + SPACING;
            }
            () = client.due() => look_again(&mut client).await?,
        }
    }
}
