//! Extractors: a handler that takes one of these is only reached by who may.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;

use super::{AccessError, Principal, Role};
use crate::server::{ApiError, AppState, same_site};

/// Somebody who may see.
#[derive(Debug)]
pub struct Viewer(pub Principal);

/// Anyone, for a page that answers a visitor who may not see with more than a refusal.
#[derive(Debug)]
pub struct Visitor(pub Result<Principal, AccessError>);

/// Somebody who may change.
#[derive(Debug)]
pub struct Editor;

impl FromRequestParts<AppState> for Viewer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        enter(parts, state, Role::Viewer).map(Self)
    }
}

impl FromRequestParts<AppState> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        Ok(Self(state.access.enter(&parts.method, &parts.headers, peer(parts), Role::Viewer)))
    }
}

impl FromRequestParts<AppState> for Editor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        enter(parts, state, Role::Editor).map(|_| Self)
    }
}

fn enter(parts: &Parts, state: &AppState, least: Role) -> Result<Principal, ApiError> {
    if !parts.method.is_safe() {
        same_site::check(&parts.headers, &state.public_url)?;
    }
    Ok(state.access.enter(&parts.method, &parts.headers, peer(parts), least)?)
}

/// Who is at the other end. Our listener always says; without that nobody counts as a neighbour.
pub fn peer(parts: &Parts) -> SocketAddr {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
    peer.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)))
}
