//! Authenticates a websocket's client, and checks again while it is connected.
//!
//! A client sends a Flex token (as the sub-protocol, the only field that a browser's script can set, or in a header),
//! or the credentials of any other page: a session, HTTP Basic or a bearer token. A browser names its page's site, and
//! only known sites may connect; otherwise any page could use its visitor's session.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::header::SEC_WEBSOCKET_PROTOCOL;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use jiff::Timestamp;
use secrecy::SecretString;
use tokio::time::Instant;

use super::Sockets;
use crate::server::auth::{Access, AccessError, FlexError, FlexGate, Role, Session, left, peer};
use crate::server::{ApiError, AppState};
use crate::sid::WorkerSid;
use crate::twilio::flex_token::FlexUser;

/// A token is checked again after this time at the latest: access may have been revoked meanwhile.
const LONGEST_TRUST: Duration = Duration::from_secs(180);
/// Shortest time between two checks while Twilio can't be asked.
const SHORTEST_TRUST: Duration = Duration::from_secs(15);
pub(in crate::server) const TOKEN_HEADER: &str = "token";

#[derive(Debug)]
pub(in crate::server) struct WebsocketClient {
    who: Who,
    /// When to check again.
    due: Option<Instant>,
}

#[derive(Debug)]
enum Who {
    Flex {
        gate: Arc<FlexGate>,
        from: IpAddr,
        token: SecretString,
        user: Arc<FlexUser>,
        roles: Option<Arc<[String]>>,
    },
    /// Admitted by the credentials of any other page: a session until it ends, others without limit.
    Account { access: Arc<Access>, session: Option<Session> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum Purpose {
    /// Read by HTTP, perhaps only who the user is and what they may do.
    Ask,
    Watch,
    /// Place Calls, which only a Worker does.
    Dial,
}

impl WebsocketClient {
    /// Admits a client, with the sub-protocol to name back.
    pub(in crate::server) async fn admit(
        state: &AppState,
        parts: &Parts,
        purpose: Purpose,
    ) -> Result<(Self, Option<HeaderValue>), ApiError> {
        let headers = &parts.headers;
        state.sockets.check_origin(headers)?;
        let protocol = chosen_protocol(headers);
        let named = protocol.as_ref().or_else(|| headers.get(TOKEN_HEADER));
        let client = match named {
            Some(token) => {
                let token = SecretString::from(token.to_str().map_err(|_| FlexError::Invalid)?);
                Self::with_token(state, token, peer(parts).ip(), purpose).await?
            }
            None if purpose == Purpose::Dial => return Err(no_worker()),
            None => Self::with_account(state, parts).await?,
        };
        Ok((client, protocol))
    }

    async fn with_token(
        state: &AppState,
        token: SecretString,
        from: IpAddr,
        purpose: Purpose,
    ) -> Result<Self, ApiError> {
        let user = state.flex.user(&token, from).await?;
        // Placing Calls is an agent's work, whatever the statistics are for.
        let roles = state.sockets.roles().filter(|_| purpose == Purpose::Watch);
        if purpose == Purpose::Dial && user.worker.is_none() {
            return Err(no_worker());
        }
        if !fits(&user, roles.as_deref()) {
            let message = "this Flex user has none of the roles in FLEX_ROLES";
            return Err(ApiError::new(StatusCode::FORBIDDEN, "flex_role", message));
        }
        let due = Some(Instant::now() + trust(&user));
        Ok(Self { who: Who::Flex { gate: state.flex.clone(), token, from, user, roles }, due })
    }

    async fn with_account(state: &AppState, parts: &Parts) -> Result<Self, ApiError> {
        let entered = state.access.enter(&parts.method, &parts.headers, peer(parts), Role::Viewer).await;
        let principal = entered.map_err(|error| match error {
            AccessError::SignInNeeded
            | AccessError::CredentialsNeeded
            | AccessError::WrongCredentials
            | AccessError::NoAdministrator => {
                let message = "a Flex token, a session or credentials are needed";
                ApiError::new(StatusCode::FORBIDDEN, "not_admitted", message)
            }
            error => error.into(),
        })?;
        let due = principal.session.as_ref().map(look_again);
        Ok(Self { who: Who::Account { access: state.access.clone(), session: principal.session }, due })
    }

    /// The Flex user's name.
    pub(in crate::server) fn user(&self) -> Option<&str> {
        let Who::Flex { user, .. } = &self.who else { return None };
        Some(&user.name)
    }

    /// Whether the Flex user has one of the roles that see statistics.
    pub(in crate::server) fn has_role(&self, sockets: &Sockets) -> bool {
        let Who::Flex { user, .. } = &self.who else { return true };
        fits(user, sockets.roles().as_deref())
    }

    pub(in crate::server) fn worker(&self) -> Option<WorkerSid> {
        let Who::Flex { user, .. } = &self.who else { return None };
        user.worker
    }

    /// Waits until the client's rights have to be checked again.
    pub(in crate::server) async fn due(&self) {
        match self.due {
            Some(due) => tokio::time::sleep_until(due).await,
            None => std::future::pending().await,
        }
    }

    /// Checks the client's rights again. While Twilio can't be asked they hold, until the token's own expiry.
    pub(in crate::server) async fn may_stay(&mut self) -> bool {
        let (gate, token, from, user, roles) = match &mut self.who {
            Who::Account { access, session } => {
                self.due = session.as_ref().map(look_again);
                return session.as_ref().is_none_or(|session| access.goes_on(session));
            }
            Who::Flex { gate, token, from, user, roles } => (gate, token, *from, user, roles),
        };
        match gate.user(token, from).await {
            Ok(now) if now.worker == user.worker && fits(&now, roles.as_deref()) => {
                self.due = Some(Instant::now() + trust(&now));
                *user = now;
                true
            }
            Err(FlexError::Unchecked) => {
                let left = left(user).unwrap_or_default();
                self.due = Some(Instant::now() + left.min(SHORTEST_TRUST));
                !left.is_zero()
            }
            Ok(_) | Err(_) => false,
        }
    }
}

/// At the session's end, and periodically before it, since a user may sign out.
fn look_again(session: &Session) -> Instant {
    let left = session.expires.saturating_sub(Timestamp::now().as_second()).max(0);
    Instant::now() + Duration::from_secs(left.unsigned_abs()).min(LONGEST_TRUST)
}

/// Adds jitter: thousands of clients may have connected at the same moment.
fn trust(user: &FlexUser) -> Duration {
    let longest = LONGEST_TRUST.mul_f64(0.75 + 0.25 * rand::random::<f64>());
    left(user).map_or(longest, |left| left.min(longest))
}

fn fits(user: &FlexUser, roles: Option<&[String]>) -> bool {
    roles.is_none_or(|roles| {
        user.roles.iter().any(|role| roles.iter().any(|wanted| wanted.eq_ignore_ascii_case(role)))
    })
}

/// The first sub-protocol named, which is the one to choose.
fn chosen_protocol(headers: &HeaderMap) -> Option<HeaderValue> {
    let named = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    let first = named.flat_map(|value| value.split(',')).map(str::trim).find(|name| !name.is_empty())?;
    HeaderValue::from_str(first).ok()
}

fn no_worker() -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, "no_worker", "the Flex token of a Worker is needed")
}
