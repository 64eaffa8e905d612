//! `GET /api/session`: who is signed in, and what a page needs to know of the configuration.

use axum::Json;
use axum::extract::{FromRef, State};
use axum::http::header::{CACHE_CONTROL, SET_COOKIE};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::auth::Role;
use super::flex_viewer::AnyFlexOrViewer;
use super::openapi::refusals::Admission;
use super::sync_endpoint::SyncEndpoint;
use super::{AppState, login};
use crate::VERSION;
use crate::config::LayoutName;
use crate::service_level::ServiceLevel;

/// Answers who is signed in, with the configuration that a page needs.
#[utoipa::path(
    get,
    path = "/api/session",
    operation_id = "session",
    tag = "Signing in",
    summary = "Who is signed in, and the configuration that a page needs",
    security(("basic" = []), ("bearer" = []), ("session" = []), ("flex" = [])),
    responses((status = 200, description = "The session", body = SessionView), Admission)
)]
pub(super) async fn show(
    State(state): State<AppState>,
    AnyFlexOrViewer(watcher): AnyFlexOrViewer,
) -> Response {
    let watches = watcher.watches(&state);
    let dials = state.dialler.as_ref().filter(|_| watcher.is_worker());
    let principal = watcher.principal;
    let csrf = principal.session.as_ref().map(|session| state.access.sessions().csrf_token(session));
    let gets_token = state.twilio.api_key.is_some() && state.sync_gate.gives_token(principal.role).await;
    let statistics = &state.statistics;
    let body = Json(SessionView {
        user: principal.user.clone(),
        role: principal.role,
        csrf_token: csrf,
        channels: state.feed.picture().channels().unwrap_or_else(|| statistics.channels.clone()),
        sla_thresholds: statistics.sla_thresholds.clone(),
        time_zone: statistics.time_zone.iana_name().map(str::to_owned),
        day_start: statistics.day_start.strftime("%H:%M").to_string(),
        centre_name: state.centre_name.as_deref().map(str::to_owned),
        workspace_sid: state.twilio.workspace_sid.to_string(),
        sync_token: gets_token,
        sync: gets_token.then(|| sync_objects(&state)).flatten(),
        sla: statistics.service_level.name(),
        sla_of_queues: json!(statistics.service_levels),
        sla_names: ServiceLevel::ALL.map(|level| SlaName { name: level.name(), label: level.label() }),
        watches,
        caller_ids: dials.map(|dialler| dialler.caller_ids().to_vec()),
        version: VERSION,
        now: Timestamp::now().to_string(),
    });
    let mut response = ([(CACHE_CONTROL, "no-store")], body).into_response();
    // A page that stays open asks now and then, and stays signed in: no one signs in at a screen on the wall.
    if let Some(session) = principal.session.and_then(|session| state.access.renewed(session)) {
        let cookie = login::cookie(&login::SignIn::from_ref(&state), &session);
        response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    }
    response
}

/// Which Sync objects a page can show from; null where it gets no token, or not all that it shows is written.
fn sync_objects(state: &AppState) -> Option<SyncObjects> {
    let (sync, written) = (&state.sync, |layout| state.sync.layouts.contains(&layout));
    let queues = if written(LayoutName::QueueDocuments) {
        // Each of its Documents has its own write budget, so it is the fresher of the two.
        QueueObjects { index: Some(sync.task_queues_map.clone()), map: None }
    } else {
        QueueObjects { index: None, map: Some(sync.queue_stats_map.clone()) }
    };
    let all = (written(LayoutName::QueueDocuments) || written(LayoutName::QueueMap))
        && written(LayoutName::DashboardDocument)
        && written(LayoutName::DashboardMetrics);
    all.then(|| SyncObjects {
        queues,
        workspace: sync.dashboard_data_document.clone(),
        metrics: sync.dashboard_metrics_document.clone(),
        endpoint: state.sync_endpoint(),
    })
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Session)]
pub(super) struct SessionView {
    user: String,
    #[schema(inline)]
    role: Role,
    csrf_token: Option<String>,
    channels: Vec<String>,
    sla_thresholds: Vec<u32>,
    time_zone: Option<String>,
    day_start: String,
    /// The contact centre's name, where that is configured
    centre_name: Option<String>,
    workspace_sid: String,
    /// Whether there are Sync access tokens
    sync_token: bool,
    sync: Option<SyncObjects>,
    /// The service level's rule: one of `slaNames`
    sla: &'static str,
    /// The rule of each TaskQueue that has another one, by SID
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    sla_of_queues: Value,
    #[schema(value_type = Vec<SlaName>)]
    sla_names: [SlaName; ServiceLevel::ALL.len()],
    /// Whether this user may see statistics; only Flex users may lack that
    watches: bool,
    /// Numbers that this Flex user's Calls may show; null for users who place none
    caller_ids: Option<Vec<String>>,
    /// The version of the service
    version: &'static str,
    now: String,
}

/// Names of Sync objects, and where Sync is
#[derive(Debug, Serialize, ToSchema)]
struct SyncObjects {
    queues: QueueObjects,
    workspace: String,
    metrics: String,
    /// Where Sync is; null for Twilio itself
    endpoint: Option<SyncEndpoint>,
}

/// How the layout with an object for each TaskQueue is stored: one of two ways
#[derive(Debug, Serialize, ToSchema)]
struct QueueObjects {
    /// A Map that names a Document for each TaskQueue
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<String>,
    /// A Map with an Item for each TaskQueue
    #[serde(skip_serializing_if = "Option::is_none")]
    map: Option<String>,
}

/// A rule of the service level
#[derive(Debug, Serialize, ToSchema)]
struct SlaName {
    name: &'static str,
    label: &'static str,
}
