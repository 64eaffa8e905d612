//! `GET /api/token`, `/token`, `/syncToken`: a Sync access token for a page, as Twilio's SDK expects it.
//!
//! It lasts as long as the older systems' did, since their pages do not renew it; this service's own page does.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::{OlderViewer, SyncGate};
use super::error::ApiError;
use super::openapi::refusals::{Admission, NotFound};
use crate::config::TwilioConfig;
use crate::twilio::access_token::{AccessToken, DASHBOARD_IDENTITY};

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AccessToken)]
pub(super) struct TokenAnswer {
    identity: &'static str,
    token: String,
    /// Lifetime in seconds
    expires_in: i64,
}

/// Issues a token to a viewer.
#[utoipa::path(
    get,
    path = "/api/token",
    operation_id = "accessToken",
    tag = "Watching",
    summary = "A short-lived Sync access token",
    security(("basic" = []), ("bearer" = []), ("session" = [])),
    responses((status = 200, description = "The token", body = TokenAnswer), Admission, NotFound)
)]
pub(super) async fn issue(
    State(twilio): State<Arc<TwilioConfig>>,
    State(gate): State<Arc<SyncGate>>,
    OlderViewer(principal): OlderViewer,
) -> Result<Response, ApiError> {
    let no_key = || {
        let message = "there are no access tokens: set TWILIO_API_KEY and TWILIO_API_SECRET";
        ApiError::new(StatusCode::NOT_FOUND, "no_api_key", message)
    };
    let key = twilio.api_key.as_ref().ok_or_else(no_key)?;
    if !gate.gives_token(principal.role).await {
        let message = "viewers get no access token while the Sync Service's access control is off: run setup --protect-sync";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "sync_not_protected", message));
    }
    let life_seconds = i64::try_from(twilio.token_life.as_secs()).unwrap_or(i64::MAX);
    let token = AccessToken {
        account: twilio.account_sid,
        key,
        identity: DASHBOARD_IDENTITY,
        sync_service: twilio.sync_service,
        region: twilio.token_region.as_deref(),
        life_seconds,
    };
    let token = token.issue(Timestamp::now());
    let body = Json(TokenAnswer { identity: DASHBOARD_IDENTITY, token, expires_in: life_seconds });
    Ok(([(CACHE_CONTROL, "no-store")], body).into_response())
}
