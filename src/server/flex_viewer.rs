//! Admits viewers from inside Flex: the plugin runs on another site's page and has no session, so it sends its Flex user's
//! token.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::auth::{Principal, Role, Session, Viewer};
use super::websocket::{Purpose, TOKEN_HEADER, WebsocketClient};
use super::{ApiError, AppState};

/// A viewer, or a Flex user by the header `token`.
#[derive(Debug)]
pub(super) struct FlexOrViewer {
    pub(super) principal: Principal,
    /// The Flex user behind the header `token`.
    flex: Option<WebsocketClient>,
}

/// The same, and also a Flex user who may place Calls but not see statistics.
#[derive(Debug)]
pub(super) struct AnyFlexOrViewer(pub(super) FlexOrViewer);

impl FromRequestParts<AppState> for FlexOrViewer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        Self::admit(parts, state, Purpose::Watch).await
    }
}

impl FromRequestParts<AppState> for AnyFlexOrViewer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        FlexOrViewer::admit(parts, state, Purpose::Ask).await.map(Self)
    }
}

impl FlexOrViewer {
    async fn admit(parts: &mut Parts, state: &AppState, purpose: Purpose) -> Result<Self, ApiError> {
        if !parts.headers.contains_key(TOKEN_HEADER) {
            let Viewer(principal) = Viewer::from_request_parts(parts, state).await?;
            return Ok(Self { principal, flex: None });
        }
        let (client, _) = WebsocketClient::admit(state, parts, purpose).await?;
        let user = client.user().unwrap_or_default().to_owned();
        let principal = Principal { user, role: Role::Viewer, session: None };
        Ok(Self { principal, flex: Some(client) })
    }

    /// Whether this Flex user is a Worker, who may place Calls.
    pub(super) fn is_worker(&self) -> bool {
        self.flex.as_ref().is_some_and(|client| client.worker().is_some())
    }

    /// Whether this user may see statistics (`FLEX_ROLES`).
    pub(super) fn watches(&self, state: &AppState) -> bool {
        self.flex.as_ref().is_none_or(|client| client.has_role(&state.sockets))
    }

    /// Waits until the Flex token has expired or was revoked. The caller checks sessions itself.
    pub(super) async fn expired(&mut self) {
        let Some(client) = &mut self.flex else { return std::future::pending().await };
        loop {
            client.due().await;
            if !client.may_stay().await {
                return;
            }
        }
    }

    pub(super) fn session(&self) -> Option<&Session> {
        self.principal.session.as_ref()
    }
}
