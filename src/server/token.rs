//! `GET /api/token`: a Sync access token for the page, as Twilio's SDK expects it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::json;

use super::auth::{SyncGate, Viewer};
use super::error::ApiError;
use crate::config::TwilioConfig;
use crate::twilio::access_token::{AccessToken, DASHBOARD_IDENTITY};

/// Short, since a token can't be called back; the page renews it before it expires.
const LIFE_SECONDS: i64 = 900;

/// Issues one.
pub(super) async fn issue(
    State(twilio): State<Arc<TwilioConfig>>,
    State(gate): State<Arc<SyncGate>>,
    Viewer(principal): Viewer,
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
    let token = AccessToken {
        account: twilio.account_sid,
        key,
        identity: DASHBOARD_IDENTITY,
        sync_service: twilio.sync_service,
        region: twilio.token_region.as_deref(),
        life_seconds: LIFE_SECONDS,
    };
    let token = token.issue(Timestamp::now());
    let body = Json(json!({ "identity": DASHBOARD_IDENTITY, "token": token, "expiresIn": LIFE_SECONDS }));
    Ok(([(CACHE_CONTROL, "no-store")], body).into_response())
}
