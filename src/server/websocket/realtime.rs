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

use super::client::{Guest, Wish};
use super::connection::Ending;
use super::{Connection, look_again, open};
use crate::feed::ItemsWatcher;
use crate::server::{ApiError, AppState};

/// Between two arrays to the same client.
const SPACING: Duration = Duration::from_secs(1);

/// Opens it.
pub(in crate::server) async fn realtime_stats(
    State(state): State<AppState>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    let watcher = state.feed.watch_items().map_err(|_| ApiError::busy())?;
    let talk = |mut connection, guest| async move {
        let Err(ending) = talk(&mut connection, guest, watcher).await;
        connection.close(ending).await;
    };
    open(&state, parts, Wish::Watch, talk).await
}

async fn talk(
    connection: &mut Connection,
    mut guest: Guest,
    mut watcher: ItemsWatcher,
) -> Result<Infallible, Ending> {
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
                connection.send(items.ok_or(Ending::Stopping)?).await?;
                next_at = Instant::now() + SPACING;
            }
            () = guest.due() => look_again(&mut guest).await?,
        }
    }
}
