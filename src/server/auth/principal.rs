//! Extractors: a handler that takes one of these is only reached by who may.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::{CONTENT_TYPE, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};

use super::{AccessError, Principal, Role};
use crate::config::PublicUrl;
use crate::server::{ApiError, AppState, same_site};

#[derive(Debug)]
pub struct Viewer(pub Principal);

/// Anyone, for a page that answers a visitor who may not see with more than a refusal.
#[derive(Debug)]
pub struct Visitor(pub Result<Principal, AccessError>);

#[derive(Debug)]
pub struct Editor;

/// The client's address, as far as it is known.
#[derive(Debug)]
pub struct Peer(pub SocketAddr);

impl FromRequestParts<AppState> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Infallible> {
        Ok(Self(peer(parts)))
    }
}

impl FromRequestParts<AppState> for Viewer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        enter(parts, state, Role::Viewer).await.map(Self)
    }
}

impl FromRequestParts<AppState> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        Ok(Self(state.access.enter(&parts.method, &parts.headers, peer(parts), Role::Viewer).await))
    }
}

impl FromRequestParts<AppState> for Editor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        enter(parts, state, Role::Editor).await.map(|_| Self)
    }
}

/// This service's own page sends this header; browsers then show no dialog of theirs, since the page has a form.
pub(super) const OWN_PAGE_HEADER: &str = "x-requested-with";

/// A viewer, perhaps through an older system's page. Such a page has no form to sign in with, so a browser
/// asks for name and password by itself.
#[derive(Debug)]
pub struct OlderViewer(pub Principal);

/// An editor, perhaps through an older system's page, which knows of no CSRF token.
///
/// JSON is something that no form of another site's can send, and that a script elsewhere can send only where CORS lets it;
/// and the browser itself says whose page it is. Both together protect as well as a token does.
#[derive(Debug)]
pub struct OlderEditor;

impl FromRequestParts<AppState> for OlderViewer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let entered = state.access.enter(&parts.method, &parts.headers, peer(parts), Role::Viewer).await;
        Ok(entered.map(Self).map_err(|error| ask_the_browser(error, &parts.headers))?)
    }
}

impl FromRequestParts<AppState> for OlderEditor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let origins = state.sockets.origins();
        let method = checked_method(&parts.method, &parts.headers, &state.public_url, origins)?;
        let entered = state.access.enter(method, &parts.headers, peer(parts), Role::Editor).await;
        Ok(entered.map(|_| Self).map_err(|error| ask_the_browser(error, &parts.headers))?)
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// The method by which a CSRF token is asked for or not: a safe one where the browser itself says whose page sent the request.
fn checked_method<'m, 'o>(
    method: &'m Method,
    headers: &HeaderMap,
    public_url: &PublicUrl,
    origins: impl Iterator<Item = &'o str>,
) -> Result<&'m Method, ApiError> {
    let is_json = is_json(headers);
    let listed = is_json && is_listed(headers, origins);
    if !listed {
        same_site::check(headers, public_url)?;
    }
    let is_proven = listed || (is_json && same_site::is_own_page(headers, public_url));
    Ok(if is_proven { &Method::GET } else { method })
}

/// Whether the request comes from a page of one of `ALLOWED_ORIGINS`, and says so.
fn is_listed<'o>(headers: &HeaderMap, mut origins: impl Iterator<Item = &'o str>) -> bool {
    let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
    origin.is_some_and(|origin| origins.any(|listed| listed == origin))
}

/// A refusal that makes a browser ask for name and password, but for our own page's.
fn ask_the_browser(error: AccessError, headers: &HeaderMap) -> AccessError {
    match error {
        AccessError::SignInNeeded | AccessError::CredentialsNeeded
            if !headers.contains_key(OWN_PAGE_HEADER) =>
        {
            AccessError::Unauthorized
        }
        error => error,
    }
}

async fn enter(parts: &Parts, state: &AppState, least: Role) -> Result<Principal, ApiError> {
    if !parts.method.is_safe() {
        same_site::check(&parts.headers, &state.public_url)?;
    }
    Ok(state.access.enter(&parts.method, &parts.headers, peer(parts), least).await?)
}

/// The peer's address, by which wrong credentials are counted. Our listener always says it.
pub fn peer(parts: &Parts) -> SocketAddr {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
    peer.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    /// Whether a change that an older system's page sends is let in without a CSRF token; `None` where it is refused.
    fn needs_no_token(pairs: &[(&'static str, &str)]) -> Option<bool> {
        let public_url = PublicUrl::parse("https://hooks.example.com").unwrap();
        let origins = ["https://flex.example.com", "https://wall.example.com"].into_iter();
        let method = checked_method(&Method::POST, &headers(pairs), &public_url, origins).ok()?;
        Some(method == Method::GET)
    }

    #[test]
    fn json_from_a_page_that_the_browser_names_needs_no_csrf_token() {
        let json = ("content-type", "Application/JSON; charset=utf-8");
        let form = ("content-type", "application/x-www-form-urlencoded");
        let (own, listed) = (("origin", "https://hooks.example.com"), ("origin", "https://wall.example.com"));
        let other = ("origin", "https://evil.example");
        assert_eq!(needs_no_token(&[json, own]), Some(true));
        assert_eq!(needs_no_token(&[json, listed]), Some(true));
        assert_eq!(needs_no_token(&[json]), Some(false), "no browser said whose page it is");
        assert_eq!(needs_no_token(&[form, own]), Some(false), "any form can send that");
        assert_eq!(needs_no_token(&[form, listed]), None);
        assert_eq!(needs_no_token(&[own]), Some(false));
        assert_eq!(needs_no_token(&[json, other]), None);
    }

    #[test]
    fn a_browser_asks_for_name_and_password_but_for_our_own_page() {
        for error in [AccessError::SignInNeeded, AccessError::CredentialsNeeded] {
            assert_eq!(ask_the_browser(error, &headers(&[])), AccessError::Unauthorized);
            assert_eq!(ask_the_browser(error, &headers(&[(OWN_PAGE_HEADER, "x")])), error);
        }
        assert_eq!(ask_the_browser(AccessError::Forbidden, &headers(&[])), AccessError::Forbidden);
    }

    #[test]
    fn the_peer_is_whom_the_listener_names() {
        let mut parts = axum::http::Request::new(()).into_parts().0;
        assert!(peer(&parts).ip().is_unspecified());
        let address: SocketAddr = "192.0.2.1:5000".parse().unwrap();
        parts.extensions.insert(ConnectInfo(address));
        assert_eq!(peer(&parts), address);
    }
}
