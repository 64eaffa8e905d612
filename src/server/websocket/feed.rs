//! `GET /api/feed` as a websocket: the same frames as the server-sent events, as `{"type", "id", …}` each.
//!
//! A client says by the query, or by a message of the same members, what it wants to see and where it was:
//! `{"since": "<id>", "queues": ["WQ…"], "channels": ["voice"]}`. With `?first=message` nothing is sent before that.

use std::convert::Infallible;
use std::time::Duration;

use axum::http::request::Parts;
use axum::response::Response;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::client::{Purpose, WebsocketClient};
use super::connection::CloseReason;
use super::{ClientConnection, look_again, open};
use crate::feed::{Selection, Watcher};
use crate::server::feed::FeedQuery;
use crate::server::{ApiError, AppState};

/// With `?first=message`: if the client sends no selection within this time, its query applies.
const LONGEST_SILENCE: Duration = Duration::from_secs(10);

/// A message that a client may send: what it wants to see, and its cursor.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SubscribeMessage {
    #[serde(default)]
    since: Option<String>,
    #[serde(default)]
    queues: Option<Vec<String>>,
    #[serde(default)]
    channels: Option<Vec<String>>,
}

pub(in crate::server) async fn watch(
    state: &AppState,
    parts: Parts,
    asked: FeedQuery,
) -> Result<Response, ApiError> {
    let watcher = state.feed.watch(asked.since.as_deref(), asked.selection);
    let watcher = watcher.map_err(|_| ApiError::busy())?;
    let (waits, statistics, feed) = (asked.first_is_message, state.statistics.clone(), state.feed.clone());
    let talk = move |mut connection, client| async move {
        let channels = || feed.channels(&statistics.channels);
        let Err(reason) = talk(&mut connection, client, watcher, waits, channels).await;
        connection.close(reason).await;
    };
    open(state, parts, Purpose::Watch, talk).await
}

async fn talk(
    connection: &mut ClientConnection,
    mut client: WebsocketClient,
    mut watcher: Watcher,
    mut waits: bool,
    channels: impl Fn() -> Vec<String>,
) -> Result<Infallible, CloseReason> {
    let speak_by = Instant::now() + LONGEST_SILENCE;
    loop {
        tokio::select! {
            () = tokio::time::sleep_until(speak_by), if waits => waits = false,
            said = connection.next() => match wanted(&said?, &channels()) {
                Ok((since, selection)) => {
                    watcher.select(since.as_deref(), selection);
                    waits = false;
                }
                Err(message) => {
                    let error = json!({ "type": "error", "message": message });
                    connection.send(Bytes::from(error.to_string())).await?;
                }
            },
            frame = watcher.next(), if !waits => {
                let frame = frame.ok_or(CloseReason::Stopping)?;
                connection.send(frame.message()).await?;
            }
            () = client.due() => look_again(&mut client).await?,
        }
    }
}

fn wanted(said: &str, channels: &[String]) -> Result<(Option<String>, Selection), String> {
    // Decoded as an object first, or serde would also take a list of the members in their order.
    let object = serde_json::from_str::<Map<String, Value>>(said);
    let wanted: Result<SubscribeMessage, _> =
        object.and_then(|object| serde_json::from_value(Value::Object(object)));
    let wanted = wanted.map_err(|_| {
        "expected a JSON object of, at most, since (text), queues and channels (lists of texts)".to_owned()
    })?;
    let selection = Selection::of(wanted.queues.as_deref(), wanted.channels.as_deref(), channels);
    Ok((wanted.since, selection.map_err(|bad| bad.to_string())?))
}
