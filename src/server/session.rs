//! `GET /api/session`: who is signed in, and what a page needs to know of the configuration.

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, SET_COOKIE};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::access::Viewer;
use super::{AppState, login};

/// Says it.
pub(super) async fn show(State(state): State<AppState>, Viewer(principal): Viewer) -> Response {
    let csrf = principal.session.as_ref().map(|session| state.access.sessions().csrf_token(session));
    let statistics = &state.statistics;
    let body = Json(json!({
        "user": principal.user,
        "role": principal.role,
        "csrfToken": csrf,
        "channels": statistics.channels,
        "slaThresholds": statistics.sla_thresholds,
        "timeZone": statistics.time_zone.iana_name(),
        "dayStart": statistics.day_start.strftime("%H:%M").to_string(),
        "workspaceSid": state.twilio.workspace_sid,
        "syncToken": state.twilio.api_key.is_some(),
    }));
    let mut response = ([(CACHE_CONTROL, "no-store")], body).into_response();
    // A page that stays open asks now and then, and stays signed in: a screen on the wall has nobody to sign in.
    if let Some(session) = principal.session {
        let cookie = login::cookie(&state, &state.access.renewed(session));
        response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    }
    response
}
