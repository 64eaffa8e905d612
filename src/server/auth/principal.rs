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

/// The peer's address, by which wrong credentials are counted. Our listener always says it.
pub fn peer(parts: &Parts) -> SocketAddr {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
    peer.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)))
}
