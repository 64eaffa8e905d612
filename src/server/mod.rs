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
//! GET      /api/feed                                    what changes, as server-sent events
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
mod error;
mod feed;
mod headers;
mod health;
mod listener;
mod login;
mod recording;
mod refusals;
mod roster;
mod session;
mod token;
mod webhook;

use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::middleware::map_response_with_state;
use axum::routing::{any, get, post};
use tokio::sync::watch;

pub use access::{Access, Principal, Role};
pub use error::{ApiError, LARGEST_BODY};
pub use listener::serve;
pub use refusals::Refusals;

use crate::config::{PublicUrl, StatisticsConfig, TwilioConfig};
use crate::feed::Feed;
use crate::publish::Publisher;
use crate::refresh::{Refresher, Roster};
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
    /// Who may do what.
    pub access: Arc<Access>,
    /// Marks what is stale.
    pub refresher: Refresher,
    /// Knows how far the writes are.
    pub publisher: Publisher,
    /// Tasks and Workers, read when asked for.
    pub roster: Roster,
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
    let routes = routes
        .route("/taskrouter_recording_callback", post(recording::receive).fallback(post_only))
        .route("/login", get(login::form).post(login::sign_in))
        .route("/login.css", get(login::style).fallback(get_only))
        .route("/logout", post(login::sign_out).fallback(post_only))
        .route("/api/session", get(session::show).fallback(get_only))
        .route("/api/feed", get(feed::watch).fallback(get_only))
        .route("/api/token", get(token::issue).fallback(get_only))
        .route("/token", get(token::issue).fallback(get_only))
        .route("/syncToken", get(token::issue).fallback(get_only))
        .route("/taskrouter_tasks", get(roster::tasks).fallback(get_only))
        .route("/taskrouter_workers", get(roster::workers).fallback(get_only))
        .route("/sync_taskrouter_statistics", get(bootstrap::by_hand).fallback(get_only))
        .route("/keepalive", get(health::keepalive).fallback(get_only))
        .route("/healthz", get(health::alive).fallback(get_only))
        .route("/readyz", get(health::ready).fallback(get_only));
    let below_prefix =
        if prefix.is_empty() { Router::new() } else { Router::new().nest(&prefix, routes.clone()) };
    let routes = routes.merge(below_prefix).fallback(|| async { ApiError::NotFound });
    // One layer for both: each costs every event an allocation and a copy of its service.
    let finish = map_response_with_state(state.refusals.clone(), |refusals, response| async {
        headers::add(refusals::log(refusals, response))
    });
    routes.layer(finish).with_state(state)
}
