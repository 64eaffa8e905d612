//! The metrics' definitions over HTTP: read by viewers, changed by editors.
//!
//! `POST /api/save` and `/saveDefinition` take `{"<unique name>": {"metric": {…}}, …}` and answer all definitions, as the
//! wallboard's own backend did. Either all of a request is stored or nothing; the answer names each field that is wrong.
//! With `?failing=refuse`, which an editor that shows problems sends, a formula without a value counts as wrong, too.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::auth::{Editor, OlderEditor, OlderViewer};
use super::error::ApiError;
use super::flex_viewer::FlexOrViewer;
use super::openapi::refusals::{Admission, JsonBody, NotAsExpected, NotFound, TwilioFails};
use super::openapi::schemas::{DefinitionsByName, Failing, MetricHistory};
use super::{LeaderClient, body, query};
use crate::pipeline::Request;
use crate::wallboard::Raw;

/// Most bytes of a request with definitions: the most that the service writes to Sync for them.
const LARGEST: usize = 300 * 1024;

#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Names {
    names: Vec<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct OneMetric {
    #[schema(value_type = Object)]
    metric: Value,
}

/// Answers all definitions, in the order of the tiles.
#[utoipa::path(
    get,
    path = "/api/definitions",
    operation_id = "definitions",
    tag = "Metrics",
    summary = "The metrics' definitions, in the order of the tiles",
    security(("basic" = []), ("bearer" = []), ("session" = [])),
    responses((status = 200, description = "All definitions", body = DefinitionsByName), Admission, NotFound)
)]
pub(super) async fn show(
    State(leader): State<Arc<LeaderClient>>,
    _viewer: OlderViewer,
) -> Result<Response, ApiError> {
    leader.ask(Request::Definitions).await
}

/// Adds or replaces definitions; the others stay.
#[utoipa::path(
    post,
    path = "/api/save",
    operation_id = "saveDefinitions",
    tag = "Metrics",
    summary = "Add or replace definitions",
    security(("basic" = []), ("bearer" = []), ("session" = [])),
    params(
        ("failing" = inline(Option<Failing>), Query, description = "`refuse`: also refuse a formula that has no value now, or one that does not fit its format")
    ),
    request_body(content = DefinitionsByName, content_type = "application/json"),
    responses(
        (status = 200, description = "All of them", body = DefinitionsByName),
        JsonBody, Admission, NotFound, NotAsExpected, TwilioFails
    )
)]
pub(super) async fn save(
    State(leader): State<Arc<LeaderClient>>,
    _editor: OlderEditor,
    uri: Uri,
    body: Body,
) -> Result<Response, ApiError> {
    let changes: Raw = body::json(body, LARGEST).await?;
    let changes = changes.into_iter().collect();
    let refuse_failing = query::value(&uri, "failing").is_some_and(|value| value == "refuse");
    let request = if refuse_failing { Request::SaveWorking(changes) } else { Request::Save(changes) };
    leader.ask(request).await
}

/// Deletes definitions by name.
#[utoipa::path(
    post,
    path = "/api/definitions/delete",
    operation_id = "deleteDefinitions",
    tag = "Metrics",
    summary = "Delete definitions",
    security(("basic" = []), ("bearer" = []), ("session" = [])),
    request_body(content = Names, content_type = "application/json"),
    responses(
        (status = 200, description = "The remaining definitions", body = DefinitionsByName),
        JsonBody, Admission, NotFound, NotAsExpected, TwilioFails
    )
)]
pub(super) async fn delete(
    State(leader): State<Arc<LeaderClient>>,
    _editor: Editor,
    body: Body,
) -> Result<Response, ApiError> {
    let Names { names } = body::json(body, LARGEST).await?;
    leader.ask(Request::Delete(names)).await
}

/// Puts the tiles into an order.
#[utoipa::path(
    post,
    path = "/api/definitions/order",
    operation_id = "orderDefinitions",
    tag = "Metrics",
    summary = "Put the tiles into an order",
    security(("basic" = []), ("bearer" = []), ("session" = [])),
    request_body(content = Names, content_type = "application/json"),
    responses(
        (status = 200, description = "All of them", body = DefinitionsByName),
        JsonBody, Admission, NotFound, NotAsExpected, TwilioFails
    )
)]
pub(super) async fn order(
    State(leader): State<Arc<LeaderClient>>,
    _editor: Editor,
    body: Body,
) -> Result<Response, ApiError> {
    let Names { names } = body::json(body, LARGEST).await?;
    leader.ask(Request::Order(names)).await
}

/// What a definition would show now; nothing is stored.
#[utoipa::path(
    post,
    path = "/api/definitions/preview",
    operation_id = "preview",
    tag = "Metrics",
    summary = "What a definition would show now; nothing is stored",
    security(("basic" = []), ("bearer" = []), ("session" = [])),
    request_body(content = OneMetric, content_type = "application/json"),
    responses(
        (status = 200, description = "The tile, with every problem of its definition", body = Object),
        JsonBody, Admission, NotFound
    )
)]
pub(super) async fn preview(
    State(leader): State<Arc<LeaderClient>>,
    _editor: Editor,
    body: Body,
) -> Result<Response, ApiError> {
    let OneMetric { metric } = body::json(body, LARGEST).await?;
    leader.ask(Request::Preview(metric)).await
}

/// The fields that formulas can use, with their present values.
#[utoipa::path(
    get,
    path = "/api/definitions/fields",
    operation_id = "fields",
    tag = "Metrics",
    summary = "The fields that formulas can use, with their present values",
    security(("basic" = []), ("bearer" = []), ("session" = [])),
    responses((status = 200, description = "The fields and their values", body = Object), Admission, NotFound)
)]
pub(super) async fn fields(
    State(leader): State<Arc<LeaderClient>>,
    _editor: Editor,
) -> Result<Response, ApiError> {
    leader.ask(Request::Fields).await
}

/// A metric's last hours: `points` of seconds since 1970 and a value, or null where there was none.
#[utoipa::path(
    get,
    path = "/api/history",
    operation_id = "history",
    tag = "Metrics",
    summary = "A metric's last hours",
    security(("basic" = []), ("bearer" = []), ("session" = []), ("flex" = [])),
    params(("metric" = String, Query, description = "The metric's unique name")),
    responses(
        (status = 200, description = "Seconds since 1970 and a value, or null where there was none", body = MetricHistory),
        Admission, NotFound, NotAsExpected
    )
)]
pub(super) async fn history(
    State(leader): State<Arc<LeaderClient>>,
    _viewer: FlexOrViewer,
    uri: Uri,
) -> Result<Response, ApiError> {
    let metric = query::value(&uri, "metric").ok_or_else(|| ApiError::parameter("metric"))?;
    leader.ask(Request::History(metric)).await
}
