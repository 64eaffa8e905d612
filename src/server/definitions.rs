//! The metrics' definitions over HTTP: read by whoever may see, changed by whoever may edit.
//!
//! `POST /api/save` and `/saveDefinition` take `{"<unique name>": {"metric": {…}}, …}` and answer all definitions, as the wallboard's own
//! backend did. Either all of a request is stored or nothing; the answer names each field that is wrong. With
//! `?failing=refuse`, as editors ask that show problems, a formula that has no value now is such a field, too.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;

use super::auth::{Editor, OlderEditor, OlderViewer, Viewer};
use super::error::ApiError;
use super::{LeaderClient, body, query};
use crate::pipeline::Request;
use crate::wallboard::Raw;

/// Bytes of a request with definitions: as many as Sync is given to hold.
const LARGEST: usize = 300 * 1024;

#[derive(Debug, Deserialize)]
pub(super) struct Names {
    names: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct OneMetric {
    metric: Value,
}

/// All of them, in the order of the tiles.
pub(super) async fn show(
    State(leader): State<Arc<LeaderClient>>,
    _viewer: OlderViewer,
) -> Result<Response, ApiError> {
    leader.ask(Request::Definitions).await
}

/// Adds or replaces some.
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

/// Takes some out.
pub(super) async fn delete(
    State(leader): State<Arc<LeaderClient>>,
    _editor: Editor,
    body: Body,
) -> Result<Response, ApiError> {
    let Names { names } = body::json(body, LARGEST).await?;
    leader.ask(Request::Delete(names)).await
}

/// Puts the tiles into an order.
pub(super) async fn order(
    State(leader): State<Arc<LeaderClient>>,
    _editor: Editor,
    body: Body,
) -> Result<Response, ApiError> {
    let Names { names } = body::json(body, LARGEST).await?;
    leader.ask(Request::Order(names)).await
}

/// What a definition would show now; nothing is stored.
pub(super) async fn preview(
    State(leader): State<Arc<LeaderClient>>,
    _editor: Editor,
    body: Body,
) -> Result<Response, ApiError> {
    let OneMetric { metric } = body::json(body, LARGEST).await?;
    leader.ask(Request::Preview(metric)).await
}

/// What formulas see, with the values of now.
pub(super) async fn fields(
    State(leader): State<Arc<LeaderClient>>,
    _editor: Editor,
) -> Result<Response, ApiError> {
    leader.ask(Request::Fields).await
}

/// A metric's last hours: `points` of seconds since 1970 and a value, or null where there was none.
pub(super) async fn history(
    State(leader): State<Arc<LeaderClient>>,
    _viewer: Viewer,
    uri: Uri,
) -> Result<Response, ApiError> {
    let metric = query::value(&uri, "metric").ok_or_else(|| ApiError::parameter("metric"))?;
    leader.ask(Request::History(metric)).await
}
