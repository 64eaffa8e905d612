//! The HTTP side: routes, and the handles that their handlers use.
//!
//! ```text
//! POST     /taskrouter/events                           an event callback, or an Event Streams batch
//! POST     /taskrouter_event, /dashboardStats, /api/stats,
//!          /realtimestats-updateQueueStatistics         the same, under the older systems' names
//! GET,POST any of these with ?checkMap=true             the bootstrap
//! POST     /taskrouter_recording_callback?TaskSid=…       where a Task's recording is, signed by Twilio
//! GET      /healthz                                     the process answers
//! GET      /readyz                                      a first snapshot has been read and written
//! ```
//!
//! All of them stand below the path prefix of `PUBLIC_URL` too, so it makes no difference whether a proxy strips it.

mod access;
mod bootstrap;
mod error;
mod health;
mod recording;
mod webhook;

use std::sync::Arc;

use axum::Router;
use axum::routing::{any, get, post};
use tokio::sync::watch;

pub use access::Access;
pub use error::{ApiError, LARGEST_BODY};

use crate::config::PublicUrl;
use crate::publish::Publisher;
use crate::refresh::Refresher;
use crate::sid::{AccountSid, WorkspaceSid};
use crate::twilio::signature::SignatureVerifier;

/// Where events arrive, the first being ours.
pub const EVENT_PATHS: [&str; 5] = [
    "/taskrouter/events",
    "/taskrouter_event",
    "/dashboardStats",
    "/api/stats",
    "/realtimestats-updateQueueStatistics",
];

/// The handles that handlers use; cheap to clone.
#[derive(Debug, Clone)]
pub struct AppState {
    /// Checks Twilio's signatures.
    pub verifier: Arc<SignatureVerifier>,
    /// How Twilio calls us.
    pub public_url: Arc<PublicUrl>,
    /// Whose events are ours.
    pub account: AccountSid,
    /// Whose events are ours.
    pub workspace: WorkspaceSid,
    /// Who may ask for a bootstrap.
    pub access: Arc<Access>,
    /// Marks what is stale.
    pub refresher: Refresher,
    /// Knows how far the writes are.
    pub publisher: Publisher,
    /// Whether a layout wants the latest event itself.
    pub shows_events: bool,
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
        .route("/healthz", get(health::alive).fallback(get_only))
        .route("/readyz", get(health::ready).fallback(get_only));
    let below_prefix =
        if prefix.is_empty() { Router::new() } else { Router::new().nest(&prefix, routes.clone()) };
    routes.merge(below_prefix).fallback(|| async { ApiError::NotFound }).with_state(state)
}
