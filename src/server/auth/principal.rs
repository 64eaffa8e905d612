//! Extractors: a handler that takes one of these is only reached by who may.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;

use super::{Principal, Role};
use crate::server::{ApiError, AppState, same_site};

/// Somebody who may see.
#[derive(Debug)]
pub struct Viewer(pub Principal);

/// Somebody who may change.
#[derive(Debug)]
pub struct Editor;

impl FromRequestParts<AppState> for Viewer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        enter(parts, state, Role::Viewer).map(Self)
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
    state.access.enter(&parts.method, &parts.headers, peer(parts), least)
}

/// Who is at the other end. Our listener always says; without that nobody counts as a neighbour.
pub fn peer(parts: &Parts) -> SocketAddr {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
    peer.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)))
}
