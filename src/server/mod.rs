//! The HTTP side: routes, and the handles that their handlers use.
//!
//! [`ROUTES`] lists all addresses; `/openapi.json` describes them. All of them also exist below the path prefix of
//! `PUBLIC_URL`, so it makes no difference whether a proxy strips it.

mod auth;
mod body;
mod bootstrap;
mod call_quality;
mod definitions;
mod dialling;
mod error;
mod feed;
mod flex_plugin;
mod flex_viewer;
mod forwarded;
mod headers;
mod health;
mod history;
mod leader_client;
mod listener;
mod login;
mod metrics;
mod openapi;
mod page;
mod query;
mod recording;
mod refusals;
mod roster;
mod routes;
mod same_site;
mod session;
mod shared_answers;
mod signature_alarm;
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

pub use auth::{Access, AccessError, FlexGate, Principal, Role, SyncGate};
pub use error::ApiError;
pub use flex_plugin::FlexPluginBundle;
pub use headers::DefaultHeaders;
pub use leader_client::LeaderClient;
pub use listener::{listen, serve};
pub use refusals::Refusals;
pub use routes::{ROUTES, Route, is_own_path};
pub use signature_alarm::SignatureAlarm;
pub use websocket::Sockets;

use crate::call_quality::Voice;
use crate::config::{Networks, PublicUrl, RefreshConfig, StatisticsConfig, SyncConfig, TwilioConfig};
use crate::dialling::Dialler;
use crate::feed::Feed;
use crate::history::Archive;
use crate::refresh::Refresher;
use crate::telemetry::metrics::Monitor;
use crate::twilio::signature::SignatureVerifier;

/// The addresses of events, our own first.
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

#[derive(Debug)]
pub struct Handles {
    pub verifier: Arc<SignatureVerifier>,
    pub public_url: Arc<PublicUrl>,
    /// The account and workspace whose events are ours.
    pub twilio: Arc<TwilioConfig>,
    /// The part of the configuration that pages need to show statistics.
    pub statistics: Arc<StatisticsConfig>,
    pub rhythm: RefreshConfig,
    pub access: Arc<Access>,
    /// The proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Networks,
    pub centre_name: Option<Arc<str>>,
    pub headers: Arc<DefaultHeaders>,
    /// Whether viewers get Sync access tokens.
    pub sync_gate: Arc<SyncGate>,
    /// Identifies Flex users by their tokens.
    pub flex: Arc<FlexGate>,
    pub sockets: Sockets,
    /// Places agents' Calls, where that is configured.
    pub dialler: Option<Arc<Dialler>>,
    /// Takes reports of poor call quality.
    pub voice: Arc<Voice>,
    pub refresher: Refresher,
    /// Sends requests to the process that reads and writes.
    pub leader: Arc<LeaderClient>,
    pub sync: Arc<SyncConfig>,
    pub feed: Feed,
    pub archive: Archive,
    pub shows_events: bool,
    pub refusals: Refusals,
    pub signature_alarm: SignatureAlarm,
    pub monitor: Monitor,
    /// What `/readyz` answers.
    pub ready: watch::Receiver<bool>,
}

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
    ready: watch::Receiver<bool>,
    sync_gate: Arc<SyncGate>,
    archive: Archive,
    feed: Feed,
    flex: Arc<FlexGate>,
    leader: Arc<LeaderClient>,
    refresher: Refresher,
    sockets: Sockets,
    twilio: Arc<TwilioConfig>,
    voice: Arc<Voice>,
}

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
    let trusted = Arc::new(state.trusted_proxies.clone());
    routes.layer(map_request_with_state(trusted, forwarded::resolve)).with_state(state)
}

/// Answers an unknown path; one with a slash too many gets a hint.
async fn nowhere(uri: Uri) -> ApiError {
    let without = uri.path().trim_end_matches('/');
    let is_route = ROUTES.iter().any(|route| !without.is_empty() && without.ends_with(route.path));
    if is_route && without != uri.path() { ApiError::slash_too_many() } else { ApiError::not_found() }
}

/// The same routes below a path; with and without the slash behind it.
fn below(prefix: &str, routes: Router<AppState>) -> Router<AppState> {
    Router::new().route(&format!("{prefix}/"), get(page::index)).nest(prefix, routes)
}
