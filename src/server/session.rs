//! `GET /api/session`: who is signed in, and what a page needs to know of the configuration.

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, SET_COOKIE};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::auth::Viewer;
use super::{AppState, login};
use crate::config::LayoutName;
use crate::service_level::ServiceLevel;

/// Says it.
pub(super) async fn show(State(state): State<AppState>, Viewer(principal): Viewer) -> Response {
    let csrf = principal.session.as_ref().map(|session| state.access.sessions().csrf_token(session));
    let gets_token = state.twilio.api_key.is_some() && state.sync_gate.gives_token(principal.role).await;
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
        "syncToken": gets_token,
        "sync": gets_token.then(|| sync_objects(&state)).flatten(),
        "sla": statistics.service_level.name(),
        "slaOfQueues": statistics.service_levels,
        "slaNames": ServiceLevel::ALL.map(|level| json!({ "name": level.name(), "label": level.label() })),
        "now": Timestamp::now(),
    }));
    let mut response = ([(CACHE_CONTROL, "no-store")], body).into_response();
    // A page that stays open asks now and then, and stays signed in: a screen on the wall has nobody to sign in.
    if let Some(session) = principal.session {
        let cookie = login::cookie(&state, &state.access.renewed(session));
        response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    }
    response
}

/// Which Sync objects a page can show from; null where it gets no token, or not all that it shows is written.
fn sync_objects(state: &AppState) -> Option<Value> {
    let (sync, written) = (&state.sync, |layout| state.sync.layouts.contains(&layout));
    let queues = if written(LayoutName::QueueDocuments) {
        // Each of its Documents has a write budget of its own, so it is the fresher of the two.
        json!({ "index": sync.task_queues_map })
    } else {
        json!({ "map": sync.queue_stats_map })
    };
    let all = (written(LayoutName::QueueDocuments) || written(LayoutName::QueueMap))
        && written(LayoutName::DashboardDocument)
        && written(LayoutName::DashboardMetrics);
    all.then(|| {
        json!({
            "queues": queues,
            "workspace": sync.dashboard_data_document,
            "metrics": sync.dashboard_metrics_document,
            "endpoint": state.sync_endpoint(),
        })
    })
}
