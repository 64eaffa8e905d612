//! Who may do what: accounts, signed-in browsers, and what a request must show to be let in.
//!
//! A request comes with HTTP Basic or a bearer token (scripts), or with a session cookie (browsers, which must send a
//! CSRF token along with every change). Without any account configured only this very machine is let in, so that a new
//! service can be tried at once and never stands open by accident.

mod error;
mod flex;
mod principal;
mod session;
mod signed_out;
mod throttle;

use std::net::{IpAddr, SocketAddr};

use axum::http::header::{AUTHORIZATION, COOKIE as COOKIE_HEADER, HOST, HeaderName};
use axum::http::{HeaderMap, Method};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use utoipa::ToSchema;

use crate::config::Administrator;
use crate::coordination::gossip::{Broadcaster, SharedFact};

pub use error::{AccessError, FlexError};
pub use flex::{FlexGate, left};
pub use principal::{Editor, OlderEditor, OlderViewer, Viewer, Visitor, peer};
pub use session::{COOKIE, LIFE, Session, Sessions};
use signed_out::SignedOut;
use throttle::Throttle;

/// A page sends its CSRF token in this header.
const CSRF_HEADER: &str = "x-csrf-token";
/// A request with one of these came through a proxy, so the peer's address says nothing of who sent it.
const PROXY_HEADERS: [HeaderName; 3] = [
    HeaderName::from_static("forwarded"),
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("via"),
];

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// See everything.
    Viewer,
    /// Change definitions, too, and ask for refreshes.
    Editor,
}

/// Somebody who was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Their name.
    pub user: String,
    /// What they may do.
    pub role: Role,
    /// The browser's session; `None` for scripts.
    pub session: Option<Session>,
}

/// Checks credentials, and slows down whoever guesses.
#[derive(Debug)]
pub struct Access {
    accounts: Administrator,
    sessions: Sessions,
    signed_out: SignedOut,
    throttle: Throttle,
    broadcaster: Broadcaster,
}

impl Access {
    /// For these accounts; `root` is the secret that sessions are signed with besides the passwords. What other replicas
    /// have to know is said there.
    pub fn new(accounts: Administrator, root: &SecretString, broadcaster: Broadcaster) -> Self {
        let passwords = [&accounts.basic, &accounts.viewer].map(|account| {
            account
                .as_ref()
                .map_or(String::new(), |(user, password)| format!("{user}:{}", password.expose_secret()))
        });
        let secrets = std::iter::once(root.expose_secret()).chain(passwords.iter().map(String::as_str));
        let sessions = Sessions::new(secrets);
        let throttle = Throttle::told_to(broadcaster.clone());
        Self { accounts, sessions, signed_out: SignedOut::default(), throttle, broadcaster }
    }

    /// Signs cookies.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Lets the administrator in, by credentials in the request itself.
    pub fn administrator(&self, headers: &HeaderMap, peer: SocketAddr) -> Result<(), AccessError> {
        if !self.has_administrator() {
            return Err(AccessError::NoAdministrator);
        }
        let principal = self.by_credentials(headers, peer)?.ok_or(AccessError::Unauthorized)?;
        if principal.role == Role::Editor { Ok(()) } else { Err(AccessError::Forbidden) }
    }

    /// Lets somebody in who may do at least this much. A change by a browser needs its CSRF token.
    pub fn enter(
        &self,
        method: &Method,
        headers: &HeaderMap,
        peer: SocketAddr,
        least: Role,
    ) -> Result<Principal, AccessError> {
        let principal = match self.by_credentials(headers, peer)? {
            Some(principal) => principal,
            None => self.by_cookie(method, headers)?.or_else(|| self.as_neighbour(headers, peer)).ok_or(
                if self.has_administrator() {
                    AccessError::SignInNeeded
                } else {
                    AccessError::NoAdministrator
                },
            )?,
        };
        if principal.role >= least { Ok(principal) } else { Err(AccessError::Forbidden) }
    }

    /// Lets Prometheus in by its own token, and viewers.
    pub fn scraper(&self, method: &Method, headers: &HeaderMap, peer: SocketAddr) -> Result<(), AccessError> {
        let given = headers.get(AUTHORIZATION).and_then(|given| given.to_str().ok()?.split_once(' '));
        match (given, &self.accounts.metrics) {
            (Some((scheme, given)), Some(token)) if scheme.eq_ignore_ascii_case("bearer") => {
                let tokens = std::iter::once(token).chain(&self.accounts.bearer);
                self.by_token(peer, "metrics:", tokens, given.trim())
            }
            _ => self.enter(method, headers, peer, Role::Viewer).map(drop),
        }
    }

    /// Signs somebody in by name and password.
    pub fn sign_in(&self, user: &str, password: &str, peer: SocketAddr) -> Result<Session, AccessError> {
        let role = self.throttled(peer, user, || self.role_of(user, password))?;
        Ok(Session { user: user.to_owned(), role, expires: end_of_session(), nonce: rand::random() })
    }

    /// Ends a session, wherever its cookie may have gone.
    pub fn sign_out(&self, session: &Session) {
        self.signed_out.end(session.nonce, Timestamp::now().as_second());
        self.broadcaster.broadcast(SharedFact::SignedOut { nonce: session.nonce });
    }

    /// Another replica ended a session.
    pub fn hear_signed_out(&self, nonce: u64) {
        self.signed_out.end(nonce, Timestamp::now().as_second());
    }

    /// Another replica was given wrong credentials.
    pub fn hear_wrong(&self, address: IpAddr, account: [u8; 16]) {
        self.throttle.hear(address, account);
    }

    /// Whether a session that was good goes on being so.
    pub fn goes_on(&self, session: &Session) -> bool {
        session.expires > Timestamp::now().as_second() && !self.signed_out.has(session)
    }

    /// The same session, from now on as long as a new one.
    pub fn renewed(&self, session: Session) -> Session {
        Session { expires: end_of_session(), ..session }
    }

    fn has_administrator(&self) -> bool {
        self.accounts.basic.is_some() || self.accounts.bearer.is_some()
    }

    /// Lets in whoever has one of these tokens. Those are long, so a right one is let in whatever was guessed from the same
    /// address, which may be a proxy's: nobody is to keep Prometheus out. Wrong ones are counted below a name with a colon,
    /// which is nobody's, so that no account is counted with them.
    fn by_token<'t>(
        &self,
        peer: SocketAddr,
        name: &str,
        mut tokens: impl Iterator<Item = &'t SecretString>,
        given: &str,
    ) -> Result<(), AccessError> {
        if tokens.any(|token| same(token.expose_secret(), given)) {
            return Ok(());
        }
        self.throttled(peer, name, || None)
    }

    fn by_credentials(
        &self,
        headers: &HeaderMap,
        peer: SocketAddr,
    ) -> Result<Option<Principal>, AccessError> {
        let Some(given) = headers.get(AUTHORIZATION) else { return Ok(None) };
        let given = given.to_str().ok().and_then(|given| given.split_once(' '));
        let (scheme, credentials) = given.ok_or(AccessError::WrongCredentials)?;
        let credentials = credentials.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            self.by_token(peer, "bearer:", self.accounts.bearer.iter(), credentials)?;
            return Ok(Some(Principal { user: "token".to_owned(), role: Role::Editor, session: None }));
        }
        let decoded =
            BASE64_STANDARD.decode(credentials).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"));
        let decoded = decoded.and_then(|decoded| String::from_utf8(decoded).ok());
        let (user, password) =
            decoded.as_deref().and_then(|pair| pair.split_once(':')).ok_or(AccessError::WrongCredentials)?;
        let role = self.throttled(peer, user, || self.role_of(user, password))?;
        Ok(Some(Principal { user: user.to_owned(), role, session: None }))
    }

    fn throttled<T>(
        &self,
        peer: SocketAddr,
        account: &str,
        check: impl FnOnce() -> Option<T>,
    ) -> Result<T, AccessError> {
        let checked = self.throttle.checked(peer.ip(), account, check);
        checked.map_err(|_| AccessError::TooManyAttempts)?.ok_or(AccessError::WrongCredentials)
    }

    fn by_cookie(&self, method: &Method, headers: &HeaderMap) -> Result<Option<Principal>, AccessError> {
        let cookies = headers.get_all(COOKIE_HEADER).iter().filter_map(|value| value.to_str().ok());
        let mut cookies =
            cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let ours = cookies.find(|(name, _)| *name == COOKIE).map(|(_, value)| value);
        let now = Timestamp::now().as_second();
        let session = ours.and_then(|cookie| self.sessions.open(cookie, now));
        let Some(session) = session.filter(|session| !self.signed_out.has(session)) else { return Ok(None) };
        if !method.is_safe() {
            let sent = headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
            if !same(&self.sessions.csrf_token(&session), sent) {
                return Err(AccessError::CsrfToken);
            }
        }
        Ok(Some(Principal { user: session.user.clone(), role: session.role, session: Some(session) }))
    }

    /// Without any account: whoever sits at this very machine. The name in `Host` is checked as well, because a page
    /// from elsewhere can make a browser here call this address under a name of its own.
    fn as_neighbour(&self, headers: &HeaderMap, peer: SocketAddr) -> Option<Principal> {
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let name = host
            .rsplit_once(':')
            .map_or(host, |(name, port)| if port.bytes().all(|b| b.is_ascii_digit()) { name } else { host });
        let local_name = matches!(name, "localhost" | "127.0.0.1" | "[::1]");
        let proxied = PROXY_HEADERS.iter().any(|header| headers.contains_key(header));
        let alone = !self.has_administrator() && self.accounts.viewer.is_none();
        (alone && local_name && !proxied && peer.ip().is_loopback()).then(|| Principal {
            user: "this machine".to_owned(),
            role: Role::Editor,
            session: None,
        })
    }

    fn role_of(&self, user: &str, password: &str) -> Option<Role> {
        let fits = |account: &Option<(String, SecretString)>| {
            account.as_ref().is_some_and(|(name, secret)| {
                // Both are compared, whatever the first says, so that the time taken tells nothing.
                same(name, user) & same(secret.expose_secret(), password)
            })
        };
        let (editor, viewer) = (fits(&self.accounts.basic), fits(&self.accounts.viewer));
        if editor { Some(Role::Editor) } else { viewer.then_some(Role::Viewer) }
    }
}

fn end_of_session() -> i64 {
    Timestamp::now().as_second() + LIFE.as_secs().cast_signed()
}

/// Compares without telling by the time taken where, or in what length, two texts differ.
fn same(a: &str, b: &str) -> bool {
    Sha256::digest(a).ct_eq(&Sha256::digest(b)).into()
}

#[cfg(test)]
#[path = "access_tests.rs"]
mod tests;
