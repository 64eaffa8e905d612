//! `GET /websocket/outboundDial`: an agent places and ends Calls, and gets their status.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Value, json};

use super::client::{Purpose, WebsocketClient};
use super::connection::CloseReason;
use super::{ClientConnection, Sockets, look_again, open};
use crate::dialling::{DialError, Line, Update};
use crate::server::dialling::Dialling;
use crate::server::openapi::refusals::{Admission, NotAWebsocket, NotFound};
use crate::server::{ApiError, AppState};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order<'a> {
    Call { to: &'a str, from: &'a str, contact: &'a str },
    HangUp(&'a str),
}

/// Opens the websocket over which a Worker places and ends Calls.
#[utoipa::path(
    get,
    path = "/websocket/outboundDial",
    operation_id = "outboundDial",
    tag = "Watching",
    summary = "Calls that agents place, over a websocket: docs/websockets.md",
    security(("basic" = []), ("bearer" = []), ("session" = []), ("flex" = [])),
    responses((status = 101, description = "The websocket is open"), Admission, NotFound, NotAWebsocket)
)]
pub(in crate::server) async fn outbound_dial(
    State(state): State<AppState>,
    Dialling(dialler): Dialling,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    let sockets = state.sockets.clone();
    let talk = move |mut connection: ClientConnection, client: WebsocketClient| async move {
        // Only Workers are let in.
        let Some(worker) = client.worker() else { return };
        let line = dialler.line(worker);
        let Err(reason) = talk(&mut connection, client, line, &sockets).await;
        connection.close(reason).await;
    };
    open(&state, parts, Purpose::Dial, talk).await
}

async fn talk(
    connection: &mut ClientConnection,
    mut client: WebsocketClient,
    mut line: Line,
    sockets: &Sockets,
) -> Result<Infallible, CloseReason> {
    loop {
        tokio::select! {
            said = connection.next() => {
                let said = said?;
                if let Some(answer) = answer(&line, &said).await {
                    connection.send(Bytes::from(answer)).await?;
                }
            }
            update = line.next() => {
                let update = update.ok_or(CloseReason::Stalled)?;
                if let Err(reason) = connection.send(text(&update)).await {
                    line.give_back(update);
                    return Err(reason);
                }
            }
            () = client.due() => look_again(&mut client).await?,
            () = sockets.stopping() => return Err(CloseReason::Stopping),
        }
    }
}

fn text(Update { call, status }: &Update) -> Bytes {
    let update = json!({ "messageType": "callUpdate", "callSid": call, "callStatus": status });
    Bytes::from(update.to_string())
}

/// Carries an order out; the Call's updates come by the line.
async fn answer(line: &Line, said: &str) -> Option<String> {
    let Ok(payload) = serde_json::from_str::<Value>(said) else { return Some(format!("echo: {said}")) };
    let Some(order) = Order::of(&payload) else { return Some(format!("Unrecognized payload: {said}")) };
    let done = match order {
        Order::Call { to, from, contact } => line.call(to, from, contact).await,
        Order::HangUp(call) => match call.parse() {
            Ok(call) => line.hang_up(call).await,
            Err(_) => Err(DialError::NotYours),
        },
    };
    let error = done.err()?;
    Some(json!({ "messageType": "error", "message": error.to_string() }).to_string())
}

impl<'a> Order<'a> {
    fn of(payload: &'a Value) -> Option<Self> {
        // What is missing is refused by the rules, in words that say what.
        let text = |name: &str| payload[name].as_str().unwrap_or_default();
        match payload["method"].as_str()? {
            "call" => {
                Some(Self::Call { to: text("to"), from: text("from"), contact: text("workerContactUri") })
            }
            "hangup" => Some(Self::HangUp(text("callSid"))),
            _ => None,
        }
    }
}
