//! The demo's stand-in for Flex: a page of another site with the Flex plugin in it, whose user the emulator knows.
//!
//! Requests to `/emulator` are forwarded to the emulator's control interface, which has no CORS.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use jiff::{SignedDuration, Timestamp};
use rust_embed::RustEmbed;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use twilio_emulator::{Answering, Emulator, FlexToken};

use super::CommandError;

#[derive(RustEmbed)]
#[folder = "web/dist-shell"]
#[allow_missing = true]
struct ShellFiles;

const TOKEN: &str = "demo-flex-user";
const USER: &str = "supervisor@example.com";
/// Lifetime of the stand-in's tokens: a demo may stay open over a weekend.
const LIFE: SignedDuration = SignedDuration::from_hours(24 * 30);

/// The caller ID of the demo's Calls, and the prefix of numbers that may be called.
pub(super) const CALLER_ID: &str = "+15005550000";
pub(super) const PREFIX: &str = "+1500";

struct Shell {
    config: Value,
    emulator: String,
    client: reqwest::Client,
}

/// Whether the page is built.
pub(super) fn is_built() -> bool {
    ShellFiles::get("index.html").is_some()
}

/// Binds the shell's address, so that the service can be configured with it.
pub(super) async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves the page for as long as the future is polled; the emulator answers Calls.
pub(super) fn serve(
    listener: TcpListener,
    emulator: &Emulator,
    service_url: &str,
) -> Result<impl Future<Output = std::io::Result<()>> + use<>, CommandError> {
    emulator.calls().behave(Answering::Answers);
    let worker = emulator.world().workers().into_iter().next();
    let contact = worker.as_ref().and_then(|worker| {
        let attributes: Value = serde_json::from_str(&worker.attributes).ok()?;
        Some(attributes.get("contact_uri")?.clone())
    });
    let user = FlexToken {
        realm_user_id: USER.to_owned(),
        roles: vec!["supervisor".to_owned()],
        worker_sid: worker.as_ref().map(|worker| worker.sid.clone()),
        expiration: Some(Timestamp::now() + LIFE),
        ..FlexToken::default()
    };
    emulator.tokens().register(TOKEN, user);
    let config = json!({
        "service": service_url,
        "token": TOKEN,
        "identity": USER,
        "roles": ["supervisor"],
        "worker": worker.map(|worker| json!({ "sid": worker.sid, "contactUri": contact })),
        "attributes": { "DeviceMonitoringPlugin": { "alertAgent": true } },
    });
    let client = client().map_err(CommandError::failed)?;
    let shell = Arc::new(Shell { config, emulator: emulator.url(), client });
    let router = Router::new()
        .route("/config.json", get(show_config))
        .route("/emulator/{*path}", any(pass))
        .fallback(file)
        .with_state(shell);
    Ok(async move { axum::serve(listener, router).await })
}

async fn show_config(State(shell): State<Arc<Shell>>) -> axum::Json<Value> {
    axum::Json(shell.config.clone())
}

fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder().build()
}

#[expect(clippy::disallowed_methods, reason = "asks the emulator's control pages, not Twilio")]
async fn pass(
    State(shell): State<Arc<Shell>>,
    Path(path): Path<String>,
    method: Method,
    body: Bytes,
) -> Response {
    let request = shell.client.request(method, format!("{}/emulator/{path}", shell.emulator)).body(body);
    let Ok(answer) = request.send().await else { return StatusCode::BAD_GATEWAY.into_response() };
    let status = answer.status();
    let body = answer.bytes().await.unwrap_or_default();
    if body.is_empty() {
        return axum::Json(Value::Null).into_response();
    }
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}

async fn file(uri: axum::http::Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    let name = if path.is_empty() { "index.html" } else { path };
    // A debug build reads the page's files from the disk.
    if name.split(['/', '\\']).any(|part| part == "..") {
        return StatusCode::NOT_FOUND.into_response();
    }
    match ShellFiles::get(name) {
        Some(file) => {
            let kind = file.metadata.mimetype().to_owned();
            ([(CONTENT_TYPE, kind)], file.data.into_owned()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
