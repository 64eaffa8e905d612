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
//! GET      /flex-plugin.json                            the Flex plugin that this service carries
//! GET      /flex-plugin/{*path}                         its bundle
//! GET      /api/definitions, /getDefinitions,
//!          /api/definitions/fields                      the metrics' definitions; what formulas see
//! POST     /api/save, /saveDefinition,
//!          /api/definitions/{delete,order}              changes of definitions
//! POST     /api/definitions/preview                     what a definition would show
//! GET      /api/history?metric=…                        a metric's last hours
//! GET      /api/health                                  what is failing, for a page that reads Sync
//! GET      /websocket/realtimeStats                     all queue items, over a websocket
//! GET      /websocket/outboundDial                      Calls that agents place, over a websocket
//! POST     /twilio-webhook/callHandlerTwiml,
//!          /twilio-webhook/callStatusCallbackHandler    what to do with such a Call, and how it goes; signed by Twilio
//! POST     /respond-to-issue                            a call that was bad to hear, reported by an agent's browser
//! GET      /api/token, /token, /syncToken               a Sync access token
//! GET      /taskrouter_tasks, /taskrouter_workers       Tasks, open and lately finished; Workers
//! GET      /sync_taskrouter_statistics,
//!          /sync_taskrouter_tasks                       the refresh by hand, for an editor
//! GET      /metrics                                     what the service does and how the centre is, for Prometheus
//! GET      /openapi.json                                this interface, for programs
//! GET      /healthz, /keepalive                         the process answers
//! GET      /readyz                                      a first snapshot has been read and written
//! ```
//!
//! All of them stand below the path prefix of `PUBLIC_URL` too, so it makes no difference whether a proxy strips it.

mod auth;
mod body;
mod bootstrap;
mod definitions;
mod dialling;
mod error;
mod feed;
mod flex_plugin;
mod flex_viewer;
mod forwarded;
mod headers;
mod health;
mod leader_client;
mod listener;
mod login;
mod monitoring;
mod openapi;
mod page;
mod query;
mod recording;
mod refusals;
mod respond;
mod roster;
mod routes;
mod same_site;
mod session;
mod shared_answers;
mod signatures;
mod signed;
mod sync_endpoint;
mod token;
mod webhook;
mod websocket;

use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRef, State};
use axum::http::Uri;
use axum::middleware::{map_request_with_state, map_response_with_state};
use axum::response::Response;
use axum::routing::get;
use tokio::sync::watch;

pub use auth::{Access, AccessError, FlexGate, Principal, Role, SIGN_OUTS_MAP, SyncGate};
pub use error::ApiError;
pub use flex_plugin::FlexPluginBundle;
pub use headers::DefaultHeaders;
pub use leader_client::LeaderClient;
pub use listener::{listen, serve};
pub use refusals::Refusals;
pub use routes::{ROUTES, Route, is_own_path};
pub use signatures::Signatures;
pub use websocket::Sockets;

use crate::call_quality::Voice;
use crate::config::{Networks, PublicUrl, RefreshConfig, StatisticsConfig, SyncConfig, TwilioConfig};
use crate::dialling::Dialler;
use crate::feed::Feed;
use crate::refresh::Refresher;
use crate::telemetry::metrics::Monitor;
use crate::twilio::signature::SignatureVerifier;

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
    /// How often they are read.
    pub rhythm: RefreshConfig,
    /// Who may do what.
    pub access: Arc<Access>,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Networks,
    /// What the contact centre is called.
    pub centre_name: Option<Arc<str>>,
    /// What every answer carries.
    pub headers: Arc<DefaultHeaders>,
    /// Whether viewers get Sync access tokens.
    pub sync_gate: Arc<SyncGate>,
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
    /// Puts requests to the process that reads and writes.
    pub leader: Arc<LeaderClient>,
    /// What is written, and under which names.
    pub sync: Arc<SyncConfig>,
    /// Changes, for the service's own clients.
    pub feed: Feed,
    /// Whether a layout wants the latest event itself.
    pub shows_events: bool,
    /// Which refusals are logged.
    pub refusals: Refusals,
    /// How the signatures of events have been.
    pub signatures: Signatures,
    /// Counts what is done.
    pub monitor: Monitor,
    /// What `/readyz` answers.
    pub ready: watch::Receiver<bool>,
}

/// Lets a handler take the handle that it uses.
macro_rules! handle_by_type {
    ($($field:ident: $handle:ty),* $(,)?) => {
        $(impl FromRef<AppState> for $handle {
            fn from_ref(state: &AppState) -> Self {
                state.$field.clone()
            }
        })*
    };
}

handle_by_type! {
    sync_gate: Arc<SyncGate>,
    feed: Feed,
    flex: Arc<FlexGate>,
    leader: Arc<LeaderClient>,
    refresher: Refresher,
    sockets: Sockets,
    twilio: Arc<TwilioConfig>,
    voice: Arc<Voice>,
}

/// All routes.
pub fn router(state: AppState) -> Router {
    let prefix = state.public_url.prefix().to_owned();
    let routes = routes::all(&state);
    let below_prefix = if prefix.is_empty() { Router::new() } else { below(&prefix, routes.clone()) };
    let routes = routes.merge(below_prefix).fallback(nowhere);
    // One layer for both: each costs every event an allocation and a copy of its service.
    let finish =
        map_response_with_state(state.clone(), async |State(state): State<AppState>, response: Response| {
            state.headers.add(refusals::log(&state.refusals, response))
        });
    let routes = routes.layer(finish);
    if state.trusted_proxies.is_empty() {
        return routes.with_state(state);
    }
    routes.layer(map_request_with_state(state.clone(), forwarded::resolve)).with_state(state)
}

/// An address that is none of ours; one with a slash too many is told so.
async fn nowhere(uri: Uri) -> ApiError {
    let without = uri.path().trim_end_matches('/');
    let is_route = ROUTES.iter().any(|route| !without.is_empty() && without.ends_with(route.path));
    if is_route && without != uri.path() { ApiError::slash_too_many() } else { ApiError::not_found() }
}

/// The same routes below a path; with and without the slash behind it.
fn below(prefix: &str, routes: Router<AppState>) -> Router<AppState> {
    Router::new().route(&format!("{prefix}/"), get(page::index)).nest(prefix, routes)
}
