//! One socket, from the upgrade to its end.
//!
//! A single task reads, answers and notifies in turn, so that what it sends is in order by construction. While the
//! socket takes nothing, nothing else is read from it and no change is fetched for it: what waits, waits in the ring
//! that all share.

use std::fmt::Write as _;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, State};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::contexts::Contexts;
use super::frame::{self, Frame};
use super::message::{self, HttpRequest, Incoming, SdkMessage};
use super::objects;
use super::subscriptions::{self, Batch, Notice, Subscriptions};
use super::token::{self, Grant};
use crate::error::ApiError;
use crate::json::JsonObject;
use crate::parts::{Core, Shared};
use crate::sockets::{Seat, SocketView};
use crate::wire::Line;

/// Largest message read: a Document's 16 KiB with all its bytes escaped, and a header.
const MAX_MESSAGE: usize = 256 * 1024;
/// How long a socket may take to authenticate.
const INIT_WITHIN: Duration = Duration::from_secs(20);
/// How long a socket may take nothing before it is dropped.
const STALLED: Duration = Duration::from_secs(20);
/// How long the other side may take to close after the emulator's close.
const FAREWELL: Duration = Duration::from_secs(5);
/// The SDK wants to know this long before its token ends (documented at its event `tokenAboutToExpire`).
const NOTICE_MS: i64 = 3 * 60 * 1000;
/// What the SDK may do beyond the bare protocol.
const CAPABILITIES: [&str; 2] = ["client_update", "offline_storage"];
/// The only product behind this socket: the name of its grant.
const PRODUCT: &str = "data_sync";
/// Longest continuation token echoed.
const MAX_CONTINUATION: usize = 256;

enum SessionEnd {
    /// The other side is gone, or stalled.
    Gone,
    /// The emulator closes, with a status that the SDK knows.
    Close(u16, &'static str),
}

/// Takes a websocket, if there is room.
pub(crate) async fn upgrade(
    State(core): State<Shared>,
    ConnectInfo(line): ConnectInfo<Line>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let Some(seat) = core.sockets.enter() else {
        return axum::http::StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    upgrade
        .max_message_size(MAX_MESSAGE)
        .max_frame_size(MAX_MESSAGE)
        .on_upgrade(move |socket| serve(core, socket, seat, line))
}

async fn serve(core: Shared, socket: WebSocket, seat: Seat, line: Line) {
    let mut cuts = seat.cuts();
    let mut session = Session {
        core: &core,
        socket,
        seat,
        changes: core.sync.changed(),
        deadline: Instant::now() + INIT_WITHIN,
        grant: None,
        warned: false,
        subscriptions: Subscriptions::default(),
        contexts: Contexts::default(),
        cursor: 0,
        sent: 0,
    };
    tokio::select! {
        () = session.run() => {}
        _ = cuts.changed() => {
            line.cut();
            // The line fails as soon as something is written to it.
            let _ = session.socket.send(Message::Ping(Default::default())).await;
        }
    }
}

struct Session<'a> {
    core: &'a Core,
    socket: WebSocket,
    seat: Seat,
    changes: watch::Receiver<u64>,
    deadline: Instant,
    grant: Option<Grant>,
    /// Has the present token's end been announced?
    warned: bool,
    subscriptions: Subscriptions,
    contexts: Contexts,
    /// The last change looked at.
    cursor: u64,
    sent: u64,
}

impl Session<'_> {
    async fn run(&mut self) {
        let Err(end) = self.talk().await;
        if let SessionEnd::Close(code, status) = end {
            let goodbye = message::close(&self.id(), code, status);
            if self.send(goodbye, None).await.is_ok() {
                self.part().await;
            }
        }
    }

    /// Waits until the other side has closed.
    async fn part(&mut self) {
        let parting = async {
            if self.socket.send(Message::Close(None)).await.is_ok() {
                while let Some(Ok(_)) = self.socket.recv().await {}
            }
        };
        // A client that does not close is dropped.
        let _ = timeout(FAREWELL, parting).await;
    }

    async fn talk(&mut self) -> Result<std::convert::Infallible, SessionEnd> {
        loop {
            let end = self.grant.as_ref().map_or(i64::MAX, |grant| grant.expires);
            let notice = if self.warned { i64::MAX } else { end.saturating_sub(NOTICE_MS) };
            let known = self.grant.is_some();
            tokio::select! {
                received = self.socket.recv() => match received {
                    Some(Ok(Message::Binary(bytes))) => self.take(&bytes).await?,
                    Some(Ok(Message::Text(_))) => return Err(SessionEnd::Close(406, "NOT_ACCEPTABLE")),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(SessionEnd::Gone),
                },
                changed = self.changes.changed(), if known => {
                    // The emulator itself is gone.
                    changed.map_err(|_| SessionEnd::Gone)?;
                    self.catch_up().await?;
                }
                () = self.core.clock.reached(end), if known => return Err(SessionEnd::Close(410, "TOKEN_EXPIRED")),
                () = self.core.clock.reached(notice), if known && !self.warned => {
                    self.warned = true;
                    let update = message::token_about_to_expire(&self.id());
                    self.send(update, None).await?;
                }
                () = sleep_until(self.deadline), if !known => return Err(SessionEnd::Gone),
            }
        }
    }

    async fn take(&mut self, bytes: &[u8]) -> Result<(), SessionEnd> {
        let unreadable = SessionEnd::Close(406, "NOT_ACCEPTABLE");
        let Ok(Frame { header, payload }) = Frame::parse(bytes) else { return Err(unreadable) };
        let Ok(Incoming { id, what }) = serde_json::from_value(Value::Object(header)) else {
            return Err(unreadable);
        };
        match (what, self.grant.clone()) {
            (SdkMessage::Init { token, continuation_token, capabilities }, None) => {
                self.init(&id, &token, continuation_token, &capabilities).await
            }
            (SdkMessage::Update { token }, Some(grant)) => self.update(&id, &token, &grant).await,
            (SdkMessage::Message { active_grant, http_request }, Some(grant)) => {
                self.request(&id, &active_grant, &http_request, payload, &grant.identity).await
            }
            (SdkMessage::PutNotificationCtx { notification_ctx_id }, Some(_)) => {
                let (code, status) = match self.contexts.put(notification_ctx_id, payload, PRODUCT) {
                    Ok(()) => (200, "OK"),
                    Err(refused) => refused,
                };
                self.send(message::reply(&id, code, status), None).await
            }
            (SdkMessage::DeleteNotificationCtx { notification_ctx_id }, Some(_)) => {
                self.contexts.delete(&notification_ctx_id);
                self.send(message::reply(&id, 200, "OK"), None).await
            }
            (SdkMessage::Reply | SdkMessage::Telemetry, _) => Ok(()),
            (SdkMessage::Close, _) => {
                self.part().await;
                Err(SessionEnd::Gone)
            }
            (_, _) => self.send(message::reply(&id, 400, "BAD_REQUEST"), None).await,
        }
    }

    async fn init(
        &mut self,
        id: &str,
        token: &str,
        continuation: Option<String>,
        wanted: &[String],
    ) -> Result<(), SessionEnd> {
        let grant = match token::check(token, &self.core.account, self.core.clock.now_ms()) {
            Ok(grant) => grant,
            Err(error) => {
                let refused = message::refusal(id, error.status(), error.code(), &error.to_string());
                return self.send(refused, None).await;
            }
        };
        let mut reply = message::reply(id, 200, "OK");
        let known = continuation.filter(|token| !token.is_empty() && token.len() <= MAX_CONTINUATION);
        let status = json!({ "reissued": known.is_none(), "reissue_message": "" });
        let capabilities = CAPABILITIES.iter().filter(|known| wanted.iter().any(|name| name == *known));
        reply.insert(
            "continuation_token".to_owned(),
            known.unwrap_or_else(|| self.name("continuation", id)).into(),
        );
        reply.insert("continuation_token_status".to_owned(), status);
        reply.insert("capabilities".to_owned(), capabilities.copied().collect());
        // The browser keeps what it has read under this name; another life of the emulator must have another.
        let storage = self.name("storage", &grant.identity);
        reply.insert("offline_storage".to_owned(), json!({ PRODUCT: { "storage_id": storage } }));
        self.cursor = self.core.sync.last_change();
        self.welcome(grant);
        self.send(reply, None).await
    }

    async fn update(&mut self, id: &str, token: &str, old: &Grant) -> Result<(), SessionEnd> {
        let checked = token::check(token, &self.core.account, self.core.clock.now_ms());
        match checked {
            // Whose socket it is can't change under its subscriptions.
            Ok(grant) if grant.identity == old.identity => {
                self.welcome(grant);
                self.send(message::reply(id, 200, "OK"), None).await
            }
            Ok(_) => {
                let refused =
                    message::refusal(id, (401, "UNAUTHORIZED"), 20101, "The token is for another identity");
                self.send(refused, None).await
            }
            Err(error) => {
                // As the SDK expects it of an update: one status for whatever is wrong.
                let refused = message::refusal(id, (401, "UNAUTHORIZED"), error.code(), &error.to_string());
                self.send(refused, None).await
            }
        }
    }

    fn welcome(&mut self, grant: Grant) {
        self.grant = Some(grant);
        self.warned = false;
        self.show();
    }

    async fn request(
        &mut self,
        id: &str,
        product: &str,
        request: &HttpRequest,
        payload: &[u8],
        identity: &str,
    ) -> Result<(), SessionEnd> {
        if product != PRODUCT {
            return self.send(message::reply(id, 403, "FORBIDDEN"), None).await;
        }
        if (request.method.as_str(), request.path.as_str()) != ("POST", "/v4/Subscriptions") {
            let answer = objects::answer(self.core, identity, request, payload);
            return self.answer(id, answer).await;
        }
        let batch = match Batch::read(payload) {
            Ok(batch) => batch,
            Err(error) => return self.answer(id, Err(error)).await,
        };
        self.answer(id, Ok((200, Some(subscriptions::accepted())))).await?;
        // First what is due to the older subscriptions: a replay reaches up to the cursor.
        self.catch_up().await?;
        self.subscriptions.set_host(&request.host);
        for wish in batch.wishes() {
            let sync = &self.core.sync;
            let (missed, outcome) = self.subscriptions.apply(&batch, wish, sync, identity, self.cursor);
            for change in missed {
                if let Some(notice) = self.subscriptions.replay(&batch, &change) {
                    self.notify(notice).await?;
                }
            }
            self.notify(outcome).await?;
        }
        self.show();
        Ok(())
    }

    async fn answer(&mut self, id: &str, answer: objects::SdkAnswer) -> Result<(), SessionEnd> {
        let (code, body) = answer.unwrap_or_else(|error: ApiError| (error.status, Some(error.body())));
        let status = axum::http::StatusCode::from_u16(code).ok().and_then(|status| status.canonical_reason());
        let mut reply = message::reply(id, 200, "OK");
        reply.insert("http_status".to_owned(), json!({ "code": code, "status": status.unwrap_or("") }));
        reply.insert("http_headers".to_owned(), json!({ "content-type": "application/json" }));
        self.send(reply, body.as_ref()).await
    }

    /// Sends what has changed since the last look.
    async fn catch_up(&mut self) -> Result<(), SessionEnd> {
        loop {
            // So far behind that changes are forgotten: start over, which shows what is lost, if anything is.
            let Some(changes) = self.core.sync.changes_since(self.cursor) else {
                return Err(SessionEnd::Close(503, "SERVICE_UNAVAILABLE"));
            };
            if changes.is_empty() {
                return Ok(());
            }
            let watched = self.subscriptions.len();
            for change in changes {
                self.cursor = change.id;
                if let Some(notice) = self.subscriptions.live(&change) {
                    self.notify(notice).await?;
                }
            }
            if self.subscriptions.len() != watched {
                self.show();
            }
        }
    }

    async fn notify(&mut self, (message_type, payload): Notice) -> Result<(), SessionEnd> {
        if !self.contexts.allow(message_type) {
            return Ok(());
        }
        let header = message::notification(&self.id(), message_type);
        self.send(header, Some(&payload)).await
    }

    async fn send(
        &mut self,
        mut header: Map<String, Value>,
        body: Option<&JsonObject>,
    ) -> Result<(), SessionEnd> {
        // Our own structs with text keys always serialise.
        let payload = body.map(|body| serde_json::to_vec(body).unwrap_or_default()).unwrap_or_default();
        if body.is_some() {
            header.insert("payload_type".to_owned(), "application/json".into());
        }
        let bytes = frame::compose(header, &payload);
        match timeout(STALLED, self.socket.send(Message::Binary(bytes.into()))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(SessionEnd::Gone),
        }
    }

    fn show(&self) {
        let identity = self.grant.as_ref().map(|grant| grant.identity.clone());
        self.seat.show(SocketView { identity, subscriptions: self.subscriptions.len() });
    }

    fn id(&mut self) -> String {
        self.sent += 1;
        format!("TM{:032x}", self.sent)
    }

    /// A name for something of an identity's in this life of the emulator.
    fn name(&self, what: &str, of: &str) -> String {
        let account = &self.core.account;
        let life = (self.core.born_ms, self.core.local);
        let text = format!("{what} {of} {} {life:?}", account.sync_service_sid);
        Sha256::digest(text.as_bytes())[..16].iter().fold(String::new(), |mut name, byte| {
            // Writing to a string cannot fail.
            let _ = write!(name, "{byte:02x}");
            name
        })
    }
}
