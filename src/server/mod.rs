//! The HTTP side: routes, and the handles that their handlers use.
//!
//! ```text
//! POST     /taskrouter/events                           an event callback, or an Event Streams batch
//! POST     /taskrouter_event, /dashboardStats, /api/stats,
//!          /realtimestats-updateQueueStatistics         the same, under the older systems' names
//! GET,POST any of these with ?checkMap=true             the bootstrap
//! POST     /taskrouter_recording_callback?TaskSid=…       where a Task's recording is, signed by Twilio
//! GET,POST /login; POST /logout                         signing in and out
//! GET      /api/session                                 who is signed in, and what a page must know
//! GET      /api/feed                                    what changes, as server-sent events or over a websocket
//! GET      /, /taskrouter_dashboard.html, /assets/…       the dashboard's page
//! GET      /voice-quality.js                            rules that watch a call's quality, for a Flex plugin
//! GET      /api/definitions, /api/definitions/fields    the metrics' definitions; what formulas see
//! POST     /api/save, /api/definitions/{delete,order}   changes of definitions
//! POST     /api/definitions/preview                     what a definition would show
//! GET      /api/history?metric=…                        a metric's last hours
//! GET      /api/health                                  what is failing, for a page that reads Sync
//! GET      /websocket/realtimeStats                     all queue items, over a websocket
//! GET      /websocket/outboundDial                      Calls that agents place, over a websocket
//! POST     /twilio-webhook/callHandlerTwiml,
//!          /twilio-webhook/callStatusCallbackHandler    what to do with such a Call, and how it goes; signed by Twilio
//! POST     /respond-to-issue                            a call that was bad to hear, reported by an agent's browser
//! GET      /api/token, /token, /syncToken               a Sync access token
//! GET      /taskrouter_tasks, /taskrouter_workers       open Tasks; Workers
//! GET      /sync_taskrouter_statistics                  the refresh by hand, for an editor
//! GET      /healthz, /keepalive                         the process answers
//! GET      /readyz                                      a first snapshot has been read and written
//! ```
//!
//! All of them stand below the path prefix of `PUBLIC_URL` too, so it makes no difference whether a proxy strips it.

mod access;
mod body;
mod bootstrap;
mod definitions;
mod desk;
mod dialling;
mod error;
mod feed;
mod headers;
mod health;
mod listener;
mod login;
mod page;
mod recording;
mod refusals;
mod respond;
mod roster;
mod session;
mod socket;
mod sync_endpoint;
mod token;
mod webhook;

use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::middleware::map_response_with_state;
use axum::routing::{any, get, post};
use tokio::sync::watch;
use tower_http::compression::CompressionLayer;

pub use access::{Access, FlexGate, Principal, Role};
pub use desk::{Desk, Head};
pub use error::{ApiError, LARGEST_BODY};
pub use listener::{listen, serve};
pub use refusals::Refusals;
pub use socket::Sockets;

use crate::config::{PublicUrl, StatisticsConfig, SyncConfig, TwilioConfig};
use crate::dialling::{Dialler, STATUS_PATH, TWIML_PATH};
use crate::feed::Feed;
use crate::refresh::Refresher;
use crate::twilio::signature::SignatureVerifier;
use crate::voice::Voice;

/// Where events arrive, the first being ours.
pub const EVENT_PATHS: [&str; 5] = [
    "/taskrouter/events",
    "/taskrouter_event",
    "/dashboardStats",
    "/api/stats",
    "/realtimestats-updateQueueStatistics",
];

/// The handles that handlers use. Every request clones it several times on its way, so it is one pointer.
#[derive(Debug, Clone)]
pub struct AppState(Arc<Handles>);

impl From<Handles> for AppState {
    fn from(handles: Handles) -> Self {
        Self(Arc::new(handles))
    }
}

impl Deref for AppState {
    type Target = Handles;

    fn deref(&self) -> &Handles {
        &self.0
    }
}

/// What handlers use.
#[derive(Debug)]
pub struct Handles {
    /// Checks Twilio's signatures.
    pub verifier: Arc<SignatureVerifier>,
    /// How Twilio calls us.
    pub public_url: Arc<PublicUrl>,
    /// The account and workspace whose events are ours.
    pub twilio: Arc<TwilioConfig>,
    /// What pages must know of the statistics they show.
    pub statistics: Arc<StatisticsConfig>,
    /// Who may do what.
    pub access: Arc<Access>,
    /// Knows Flex users by their tokens.
    pub flex: Arc<FlexGate>,
    /// The open websockets.
    pub sockets: Sockets,
    /// Places agents' Calls, where they may.
    pub dialler: Option<Arc<Dialler>>,
    /// Takes reports of bad calls.
    pub voice: Arc<Voice>,
    /// Marks what is stale.
    pub refresher: Refresher,
    /// Whoever reads and writes.
    pub desk: Desk,
    /// What is written, and under which names.
    pub sync: Arc<SyncConfig>,
    /// What changed, for whoever watches us.
    pub feed: Feed,
    /// Whether a layout wants the latest event itself.
    pub shows_events: bool,
    /// Which refusals are logged.
    pub refusals: Refusals,
    /// Whether `/readyz` says so.
    pub ready: watch::Receiver<bool>,
}

/// All routes.
pub fn router(state: AppState) -> Router {
    let prefix = state.public_url.prefix().to_owned();
    let mut routes = Router::new();
    for path in EVENT_PATHS {
        routes = routes.route(path, any(webhook::receive));
    }
    let post_only = || async { ApiError::Method("POST") };
    let get_only = || async { ApiError::Method("GET") };
    let respond = post(respond::receive).fallback(post_only).layer(respond::cors(&state.sockets));
    let routes = routes
        .route("/respond-to-issue", respond)
        .route("/taskrouter_recording_callback", post(recording::receive).fallback(post_only))
        .route("/login", get(login::form).post(login::sign_in))
        .route("/login.css", get(login::style).fallback(get_only))
        .route("/logout", post(login::sign_out).fallback(post_only))
        .route("/api/session", get(session::show).fallback(get_only))
        .route("/api/feed", get(feed::watch).fallback(get_only))
        .route("/api/definitions", get(definitions::show).fallback(get_only))
        .route("/api/definitions/fields", get(definitions::fields).fallback(get_only))
        .route("/api/definitions/preview", post(definitions::preview).fallback(post_only))
        .route("/api/definitions/delete", post(definitions::delete).fallback(post_only))
        .route("/api/definitions/order", post(definitions::order).fallback(post_only))
        .route("/api/save", post(definitions::save).fallback(post_only))
        .route("/api/history", get(definitions::history).fallback(get_only))
        .route("/api/health", get(health::told).fallback(get_only))
        .route("/websocket/realtimeStats", get(socket::realtime_stats).fallback(get_only))
        .route("/websocket/outboundDial", get(socket::outbound_dial).fallback(get_only))
        .route(TWIML_PATH, post(dialling::instructions).fallback(post_only))
        .route(STATUS_PATH, post(dialling::status).fallback(post_only))
        .route("/api/token", get(token::issue).fallback(get_only))
        .route("/token", get(token::issue).fallback(get_only))
        .route("/syncToken", get(token::issue).fallback(get_only))
        .route("/taskrouter_tasks", get(roster::tasks).fallback(get_only))
        .route("/taskrouter_workers", get(roster::workers).fallback(get_only))
        .route("/sync_taskrouter_statistics", get(bootstrap::by_hand).fallback(get_only))
        .merge(pages())
        .route("/keepalive", get(health::keepalive).fallback(get_only))
        .route("/healthz", get(health::alive).fallback(get_only))
        .route("/readyz", get(health::ready).fallback(get_only));
    let below_prefix = if prefix.is_empty() { Router::new() } else { below(&prefix, routes.clone()) };
    let routes = routes.merge(below_prefix).fallback(|| async { ApiError::NotFound });
    // One layer for both: each costs every event an allocation and a copy of its service.
    let finish = map_response_with_state(state.refusals.clone(), |refusals, response| async {
        headers::add(refusals::log(refusals, response))
    });
    routes.layer(finish).with_state(state)
}

/// The page's files, compressed where the browser takes that.
fn pages() -> Router<AppState> {
    let get_only = || async { ApiError::Method("GET") };
    Router::new()
        .route("/", get(page::index).fallback(get_only))
        .route("/taskrouter_dashboard.html", get(page::index).fallback(get_only))
        .route("/assets/{*path}", get(page::asset).fallback(get_only))
        .route("/icon.svg", get(page::icon).fallback(get_only))
        .route("/voice-quality.js", get(page::voice_quality).fallback(get_only))
        .layer(CompressionLayer::new())
}

/// The same routes below a path; with and without the slash behind it.
fn below(prefix: &str, routes: Router<AppState>) -> Router<AppState> {
    Router::new().route(&format!("{prefix}/"), get(page::index)).nest(prefix, routes)
}
