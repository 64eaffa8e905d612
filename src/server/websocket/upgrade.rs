//! From a request to a websocket: the handshake of RFC 6455, section 4.2.

use axum::http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL};
use axum::http::header::{SEC_WEBSOCKET_VERSION, UPGRADE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::connection::Connection;
use crate::server::ApiError;

/// A request for a websocket, not answered yet.
#[derive(Debug)]
pub(super) struct Upgrade {
    on_upgrade: OnUpgrade,
    accept: HeaderValue,
}

pub(in crate::server) fn is_asked_for(headers: &HeaderMap) -> bool {
    has(headers, &CONNECTION, "upgrade") && has(headers, &UPGRADE, "websocket")
}

impl Upgrade {
    pub(super) fn of(parts: &mut Parts) -> Result<Self, ApiError> {
        let headers = &parts.headers;
        let version = headers.get(SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13");
        let key = headers.get(SEC_WEBSOCKET_KEY).filter(|key| key.len() == 24);
        let is_get = parts.method == Method::GET;
        let (true, true, true, Some(key)) = (is_get, is_asked_for(headers), version, key) else {
            return Err(not_a_websocket());
        };
        let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes()));
        let accept = accept.map_err(|_| not_a_websocket())?;
        let on_upgrade = parts.extensions.remove::<OnUpgrade>().ok_or_else(not_a_websocket)?;
        Ok(Self { on_upgrade, accept })
    }

    /// The answer, and the websocket, which exists once the answer was sent. A browser requires the answer to repeat its
    /// sub-protocol.
    pub(super) fn accept(
        self,
        protocol: Option<HeaderValue>,
    ) -> (Response, impl Future<Output = Option<Connection<TokioIo<Upgraded>>>> + Send + 'static) {
        let headers = [
            (CONNECTION, HeaderValue::from_static("upgrade")),
            (UPGRADE, HeaderValue::from_static("websocket")),
            (SEC_WEBSOCKET_ACCEPT, self.accept),
        ];
        let mut response = (StatusCode::SWITCHING_PROTOCOLS, headers).into_response();
        response.headers_mut().extend(protocol.map(|protocol| (SEC_WEBSOCKET_PROTOCOL, protocol)));
        let on_upgrade = self.on_upgrade;
        let connection = async move {
            // An error means that the client has left already.
            let upgraded = on_upgrade.await.ok()?;
            Some(Connection::new(TokioIo::new(upgraded)).await)
        };
        (response, connection)
    }
}

fn not_a_websocket() -> ApiError {
    let message = "this address takes websockets only (RFC 6455, version 13)";
    let error = ApiError::new(StatusCode::UPGRADE_REQUIRED, "not_a_websocket", message);
    error.with(UPGRADE, "websocket").with(SEC_WEBSOCKET_VERSION, "13")
}

fn has(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(word))
}
