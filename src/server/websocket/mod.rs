//! Websockets: who may open one, how many there are, and the task that serves each.
//!
//! ```text
//! request ─► upgrade (is it one?) ─► client (site, token or account, role) ─► a place ─► 101 ─► a task of its own
//! ```
//!
//! A task holds only its client's cursor and queues no messages: a client that is ready gets the newest picture.

mod client;
mod connection;
mod dial;
mod feed;
mod realtime;
mod upgrade;

use std::sync::Arc;
use std::time::Duration;

use axum::http::header::ORIGIN;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(super) use dial::{__path_outbound_dial, outbound_dial};
pub(super) use feed::watch;
pub(super) use realtime::{__path_realtime_stats, realtime_stats};
pub(super) use upgrade::is_asked_for;

pub(super) use client::{Purpose, TOKEN_HEADER, WebsocketClient};
use connection::CloseReason;
use upgrade::Upgrade;

use super::{ApiError, AppState};
use crate::config::{PublicUrl, SocketConfig};

/// How long close frames may take when the service stops.
const LONGEST_GOODBYE: Duration = Duration::from_secs(3);

/// Most characters of an unknown site that the refusal repeats.
const LONGEST_ORIGIN: usize = 200;

type ClientConnection = connection::Connection<TokioIo<Upgraded>>;

/// The open websockets and their rules. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sockets(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    places: Arc<Semaphore>,
    most: usize,
    origins: Vec<String>,
    roles: Option<Arc<[String]>>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Sockets {
    /// No websockets yet; those that open end with `stop`.
    pub fn new(config: &SocketConfig, public_url: &PublicUrl, stop: CancellationToken) -> Self {
        let own = std::iter::once(public_url.origin());
        Self(Arc::new(Shared {
            places: Arc::new(Semaphore::new(config.most_clients)),
            most: config.most_clients,
            origins: own.chain(config.origins.iter().cloned()).collect(),
            roles: config.flex_roles.as_deref().map(Into::into),
            tasks: TaskTracker::new(),
            stop,
        }))
    }

    pub fn open(&self) -> usize {
        self.0.most - self.0.places.available_permits().min(self.0.most)
    }

    /// Waits until all websockets have ended, for a limited time.
    pub async fn ended(&self) {
        self.0.tasks.close();
        // A client that does not take its close frame in time goes without.
        let _ = tokio::time::timeout(LONGEST_GOODBYE, self.0.tasks.wait()).await;
    }

    /// The sites whose pages may send requests: `ALLOWED_ORIGINS`.
    pub(super) fn origins(&self) -> impl Iterator<Item = &str> {
        self.0.origins.iter().map(String::as_str)
    }

    /// Refuses pages of sites other than `PUBLIC_URL`'s and `ALLOWED_ORIGINS`. Only browsers send `Origin`, and only they
    /// can be made to act for their user.
    pub(super) fn check_origin(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
        let origin = origin.to_str().unwrap_or_default();
        if self.0.origins.iter().any(|known| known == origin) {
            return Ok(());
        }
        let shown: String = origin.chars().take(LONGEST_ORIGIN).collect();
        let message =
            format!("pages of {shown:?} may not call this: only those of PUBLIC_URL and ALLOWED_ORIGINS may");
        Err(ApiError::new(StatusCode::FORBIDDEN, "origin", message))
    }

    fn roles(&self) -> Option<Arc<[String]>> {
        self.0.roles.clone()
    }

    /// Done when the service stops.
    pub(super) async fn stopping(&self) {
        self.0.stop.cancelled().await;
    }
}

/// Opens a websocket for a client with the right to it, and talks over it until it ends.
async fn open<F>(
    state: &AppState,
    mut parts: Parts,
    purpose: Purpose,
    talk: impl FnOnce(ClientConnection, WebsocketClient) -> F + Send + 'static,
) -> Result<Response, ApiError>
where
    F: Future<Output = ()> + Send,
{
    let upgrade = Upgrade::of(&mut parts)?;
    let (client, protocol) = WebsocketClient::admit(state, &parts, purpose).await?;
    let shared = &state.sockets.0;
    let place = shared.places.clone().try_acquire_owned().map_err(|_| ApiError::busy())?;
    let (response, connection) = upgrade.accept(protocol);
    shared.tasks.spawn(async move {
        if let Some(connection) = connection.await {
            talk(connection, client).await;
        }
        drop(place);
    });
    Ok(response)
}

/// Checks the client's rights again; an error closes the connection.
async fn look_again(client: &mut WebsocketClient) -> Result<(), CloseReason> {
    if client.may_stay().await { Ok(()) } else { Err(CloseReason::NotAdmitted) }
}
