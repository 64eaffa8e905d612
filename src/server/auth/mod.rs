//! Who may do what: accounts, signed-in browsers, and what a request must show to be let in.
//!
//! A request comes with HTTP Basic or a bearer token (scripts), or with a session cookie (browsers, which must send a
//! CSRF token along with every change). Where a request seems to come from lets no caller in: a proxy on the same machine
//! makes every visitor look local. Without any account configured every door is shut, and pages name the variables to set.

mod cookies;
mod error;
mod flex;
mod keeper;
mod principal;
mod session;
mod signed_out;
mod sync_gate;
mod throttle;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::http::header::USER_AGENT;
use axum::http::{HeaderMap, Method};
use axum_extra::headers::HeaderMapExt;
use axum_extra::headers::authorization::{Authorization, Basic, Bearer};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::time::Instant;
use utoipa::ToSchema;

use crate::config::{Administrator, ServerConfig};
use crate::coordination::gossip::{Broadcaster, SharedFact};
use crate::twilio::sync::SyncService;

pub use cookies::Cookies;
pub use error::{AccessError, FlexError};
pub use flex::{FlexGate, left};
pub use keeper::Keeper;
pub use principal::{Editor, OlderEditor, OlderViewer, Peer, Viewer, Visitor, peer};
use session::LONGEST_LIFE;
pub use session::{LIFE, Session, Sessions};
pub use signed_out::SignedOut;
pub use sync_gate::SyncGate;
use throttle::{AttemptKey, Throttle, device_key, key};

/// Names under which wrong tokens are counted; with a colon, as no user has.
const BEARER: &str = "bearer:";
const METRICS: &str = "metrics:";
const CSRF_HEADER: &str = "x-csrf-token";
/// Browsers on a secure origin send this with every request.
const FETCH_MODE_HEADER: &str = "sec-fetch-mode";
/// In bytes. Longer ones are wrong, and are not kept while they would wait for their turn.
const LONGEST_NAME: usize = 256;
const LONGEST_PASSWORD: usize = 1024;
/// A sign-in waits for its turn for this long at most.
const LONGEST_TURN: Duration = Duration::from_secs(10);
/// Every browser's `User-Agent` begins with this.
const BROWSER_AGENT: &str = "Mozilla/";

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// See everything.
    Viewer,
    /// Change definitions, too, and ask for refreshes.
    Editor,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub user: String,
    pub role: Role,
    /// The browser's session; `None` for scripts.
    pub session: Option<Session>,
}

/// Checks credentials, and throttles guessing.
#[derive(Debug)]
pub struct Access {
    accounts: Administrator,
    cookies: Cookies,
    screens: Vec<String>,
    sessions: Sessions,
    signed_out: SignedOut,
    throttle: Throttle,
    broadcaster: Broadcaster,
}

impl Access {
    /// For the accounts of this configuration; `root` is the secret that sessions are signed with besides the passwords.
    /// What other replicas have to know is said there.
    pub fn new(server: &ServerConfig, root: &SecretString, broadcaster: Broadcaster) -> Self {
        let accounts = server.administrator.clone();
        let passwords = [&accounts.basic, &accounts.viewer].map(|account| {
            account
                .as_ref()
                .map_or(String::new(), |(user, password)| format!("{user}:{}", password.expose_secret()))
        });
        let secrets = std::iter::once(root.expose_secret()).chain(passwords.iter().map(String::as_str));
        let sessions = Sessions::new(secrets);
        let users = [&accounts.basic, &accounts.viewer].into_iter().flatten().map(|(user, _)| user.as_str());
        let throttle = Throttle::new(users.chain([BEARER, METRICS]), broadcaster.clone());
        let cookies = Cookies::new(&server.public_url, !server.frame_ancestors.is_empty());
        let screens = server.tv_links.clone();
        let signed_out = SignedOut::in_memory(Timestamp::now().as_second());
        Self { accounts, cookies, screens, sessions, signed_out, throttle, broadcaster }
    }

    /// Makes sign-outs survive a restart: returns the task that keeps them in Sync; `None` where no account can sign in.
    pub fn keep_sign_outs(&mut self, sync: SyncService) -> Option<Keeper> {
        self.has_sign_in().then(|| {
            let (signed_out, ended) = SignedOut::kept(Timestamp::now().as_second());
            self.signed_out = signed_out;
            Keeper { sync, ended }
        })
    }

    /// Other replicas' sign-outs are read from Redis; until [`Self::sign_outs_are_known`], earlier sessions wait.
    pub fn share_sign_outs(&mut self) {
        self.signed_out = SignedOut::shared(Timestamp::now().as_second());
    }

    pub fn sign_outs_are_known(&self) {
        self.signed_out.read();
    }

    pub fn cookies(&self) -> &Cookies {
        &self.cookies
    }

    /// The key in a screen's link; `None` where `TV_LINKS` has no such screen.
    pub fn screen_key(&self, name: &str) -> Option<String> {
        self.screens.iter().any(|screen| screen == name).then(|| self.sessions.screen_key(name))
    }

    /// Whose key it is, as long as `TV_LINKS` has that screen.
    pub fn screen(&self, key: &str) -> Option<&str> {
        let name = self.sessions.screen(key)?;
        self.screens.iter().map(String::as_str).find(|screen| *screen == name)
    }

    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Lets the administrator in, by credentials in the request itself.
    pub async fn administrator(&self, headers: &HeaderMap, peer: SocketAddr) -> Result<(), AccessError> {
        if !self.has_administrator() {
            return Err(AccessError::NoAdministrator);
        }
        let principal = self.by_credentials(headers, peer).await?.ok_or(AccessError::Unauthorized)?;
        if principal.role == Role::Editor { Ok(()) } else { Err(AccessError::Forbidden) }
    }

    /// Lets a caller in with at least this role. A change by a browser needs its CSRF token.
    pub async fn enter(
        &self,
        method: &Method,
        headers: &HeaderMap,
        peer: SocketAddr,
        least: Role,
    ) -> Result<Principal, AccessError> {
        let principal = match self.by_credentials(headers, peer).await? {
            Some(principal) => principal,
            None => self.by_cookie(method, headers)?.ok_or_else(|| self.not_entered(headers))?,
        };
        if principal.role >= least { Ok(principal) } else { Err(AccessError::Forbidden) }
    }

    /// Lets Prometheus in by its own token, and viewers.
    pub async fn scraper(
        &self,
        method: &Method,
        headers: &HeaderMap,
        peer: SocketAddr,
    ) -> Result<(), AccessError> {
        match (headers.typed_get::<Authorization<Bearer>>(), &self.accounts.metrics) {
            (Some(given), Some(token)) => {
                let tokens = std::iter::once(token).chain(&self.accounts.bearer);
                self.by_token(peer, METRICS, tokens, given.token())
            }
            _ => self.enter(method, headers, peer, Role::Viewer).await.map(drop),
        }
    }

    /// Signs a user in by name and password. Waits for its turn where too many were wrong lately; `device` is the cookie of
    /// a device that has signed in before, whose turns are its own.
    pub async fn sign_in(
        &self,
        user: &str,
        password: &str,
        peer: SocketAddr,
        device: Option<&str>,
    ) -> Result<Session, AccessError> {
        if user.len() > LONGEST_NAME || password.len() > LONGEST_PASSWORD {
            return Err(AccessError::WrongCredentials);
        }
        let known = device.and_then(|device| self.sessions.device(device, user));
        let key = known.map_or_else(|| key(peer.ip(), user), device_key);
        let role = self.in_turn(key, user, password).await?;
        let now = Timestamp::now().as_second();
        Ok(Session {
            user: user.to_owned(),
            role,
            began: now,
            expires: end_of_session(now),
            nonce: rand::random(),
        })
    }

    /// The cookie of the device that this user has just signed in on.
    pub fn device(&self, user: &str) -> String {
        self.sessions.device_cookie(user, rand::random())
    }

    /// Ends a session, wherever its cookie may have gone. Waits a moment until a restart would remember it.
    pub async fn sign_out(&self, session: &Session) {
        let until = self.signed_out.end(session.nonce, Timestamp::now().as_second());
        self.broadcaster.broadcast(SharedFact::SignedOut { nonce: session.nonce });
        self.signed_out.keep(session.nonce, until).await;
    }

    /// Another replica ended a session.
    pub fn hear_signed_out(&self, nonce: u64) {
        self.signed_out.end(nonce, Timestamp::now().as_second());
    }

    pub fn hear_wrong(&self, address: IpAddr, account: [u8; 16]) {
        self.throttle.hear(address, account);
    }

    /// Whether a session that was good goes on being so.
    pub fn goes_on(&self, session: &Session) -> bool {
        session.expires > Timestamp::now().as_second() && self.signed_out.has(session) == Some(false)
    }

    /// The same session, from now on as long as a new one, and no longer than any session may last; `None` where it was
    /// ended while its request was answered.
    pub fn renewed(&self, session: Session) -> Option<Session> {
        self.goes_on(&session).then(|| Session { expires: end_of_session(session.began), ..session })
    }

    pub fn has_sign_in(&self) -> bool {
        self.accounts.basic.is_some() || self.accounts.viewer.is_some()
    }

    fn has_administrator(&self) -> bool {
        self.accounts.basic.is_some() || self.accounts.bearer.is_some()
    }

    /// What a request without credentials gets. A challenge makes wget, curl --anyauth and Python's handlers send the
    /// credentials they hold back; in a browser it would open a dialogue over the page.
    fn not_entered(&self, headers: &HeaderMap) -> AccessError {
        if !self.has_administrator() && !self.has_sign_in() {
            AccessError::NoAdministrator
        } else if is_browser(headers) {
            AccessError::SignInNeeded
        } else {
            AccessError::CredentialsNeeded
        }
    }

    /// Lets in a caller with one of these tokens. They are long, so a right one is let in whatever was guessed from the same
    /// address, which may be a proxy's: a guesser must not lock Prometheus out. Wrong ones are counted below a name with a colon,
    /// which no account has, so that no account is counted with them.
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
        let checked = self.throttle.checked(key(peer.ip(), name), || None::<()>);
        checked.map_err(|_| AccessError::TooManyAttempts)?.ok_or(AccessError::WrongCredentials)
    }

    async fn by_credentials(
        &self,
        headers: &HeaderMap,
        peer: SocketAddr,
    ) -> Result<Option<Principal>, AccessError> {
        if let Some(given) = headers.typed_get::<Authorization<Bearer>>() {
            self.by_token(peer, BEARER, self.accounts.bearer.iter(), given.token())?;
            return Ok(Some(Principal { user: "token".to_owned(), role: Role::Editor, session: None }));
        }
        let given = headers.typed_try_get::<Authorization<Basic>>();
        let Some(Authorization(given)) = given.map_err(|_| AccessError::WrongCredentials)? else {
            return Ok(None);
        };
        let user = given.username();
        let role = self.in_turn(key(peer.ip(), user), user, given.password()).await?;
        Ok(Some(Principal { user: user.to_owned(), role, session: None }))
    }

    /// Checks a name and a password. Waits for its turn where too many were wrong lately, so that guesses from behind the
    /// same proxy slow the right ones down; while guesses take every place to wait, a right one is refused like them.
    async fn in_turn(&self, key: AttemptKey, user: &str, password: &str) -> Result<Role, AccessError> {
        let deadline = Instant::now() + LONGEST_TURN;
        let checked = self.throttle.checked_in_turn(key, deadline, || self.role_of(user, password)).await;
        checked.map_err(|_| AccessError::TooManyAttempts)?.ok_or(AccessError::WrongCredentials)
    }

    fn by_cookie(&self, method: &Method, headers: &HeaderMap) -> Result<Option<Principal>, AccessError> {
        let now = Timestamp::now().as_second();
        let session = self.cookies.session(headers).and_then(|cookie| self.sessions.open(cookie, now));
        let Some(session) = session else { return Ok(self.by_screen(method, headers)) };
        if self.signed_out.has(&session).ok_or(AccessError::Starting)? {
            return Ok(self.by_screen(method, headers));
        }
        if !method.is_safe() {
            let sent = headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
            if !same(&self.sessions.csrf_token(&session), sent) {
                return Err(AccessError::CsrfToken);
            }
        }
        Ok(Some(Principal { user: session.user.clone(), role: session.role, session: Some(session) }))
    }

    /// A screen that was opened by its link: it sees, and has no session that could end over night.
    fn by_screen(&self, method: &Method, headers: &HeaderMap) -> Option<Principal> {
        let name =
            self.cookies.screen(headers).and_then(|key| self.screen(key)).filter(|_| method.is_safe())?;
        Some(Principal { user: format!("screen {name}"), role: Role::Viewer, session: None })
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

fn is_browser(headers: &HeaderMap) -> bool {
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    agent.starts_with(BROWSER_AGENT)
        || headers.contains_key(FETCH_MODE_HEADER)
        || headers.contains_key(principal::OWN_PAGE_HEADER)
}

/// When a session ends that was used now.
fn end_of_session(began: i64) -> i64 {
    let unused = Timestamp::now().as_second() + LIFE.as_secs().cast_signed();
    unused.min(began + LONGEST_LIFE.as_secs().cast_signed())
}

/// Compares without telling by the time taken where, or in what length, two texts differ.
fn same(a: &str, b: &str) -> bool {
    Sha256::digest(a).ct_eq(&Sha256::digest(b)).into()
}

#[cfg(test)]
mod account_tests;
#[cfg(test)]
mod script_tests;

#[cfg(test)]
#[path = "access_tests.rs"]
mod tests;
