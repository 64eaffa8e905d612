//! `POST /respond-to-issue`: an agent's browser reports a call that was bad to hear, as a form or as JSON.
//!
//! The page is Flex's, so it is another site's: browsers ask first (CORS), and only known sites may.

use std::collections::HashMap;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, ORIGIN};
use axum::http::{HeaderMap, HeaderValue, Method, Request};
use secrecy::SecretString;
use serde_json::{Value, json};
use tower_http::cors::CorsLayer;

use super::error::ApiError;
use super::websocket::Sockets;
use super::{AppState, body};
use crate::call_quality::{Action, Report};
use crate::form::Form;

/// How long a browser may remember what it was allowed.
const REMEMBERED: Duration = Duration::from_secs(600);
/// Longest of the short fields.
const LONGEST_NUMBER: usize = 128;

/// Answers browsers that ask whether a site's pages may report.
pub(super) fn cors(sockets: &Sockets) -> CorsLayer {
    let origins: Vec<HeaderValue> = sockets.origins().filter_map(|origin| origin.parse().ok()).collect();
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::POST])
        .allow_headers([CONTENT_TYPE])
        .max_age(REMEMBERED)
}

/// Takes a report.
pub(super) async fn receive(
    State(state): State<AppState>,
    request: Request<Body>,
) -> Result<Json<Value>, ApiError> {
    let (parts, raw) = request.into_parts();
    if let Some(origin) = parts.headers.get(ORIGIN) {
        let origin = origin.to_str().unwrap_or_default();
        if !state.sockets.allows(origin) {
            return Err(ApiError::Origin(origin.chars().take(LONGEST_NUMBER).collect()));
        }
    }
    let mut fields = fields(&parts.headers, &body::read(raw).await?)?;
    let mut field = |name: &str| fields.remove(name).unwrap_or_default();
    let token = SecretString::from(field("Token"));
    let user = state.flex.user(&token).await?;
    let action = Action::named(&field("action")).ok_or(ApiError::Parameter("action"))?;
    let report = Report { issues: field("issues"), caller_id: field("callerId"), dnis: field("dnis") };
    for (name, number) in [("callerId", &report.caller_id), ("dnis", &report.dnis)] {
        if number.len() > LONGEST_NUMBER {
            return Err(ApiError::Parameter(name));
        }
    }
    state.voice.respond(&user, &report, action).await?;
    Ok(Json(json!({ "data": "success" })))
}

/// The fields of a form, or of a JSON object of texts.
fn fields(headers: &HeaderMap, raw: &[u8]) -> Result<HashMap<String, String>, ApiError> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/x-www-form-urlencoded" => {
            let form = Form::parse(raw)?;
            Ok(form.fields().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
        }
        "application/json" => {
            let object: HashMap<String, Value> =
                serde_json::from_slice(raw).map_err(|_| ApiError::NotAnObject)?;
            let text = |value| match value {
                Value::String(text) => text,
                Value::Null => String::new(),
                other => other.to_string(),
            };
            Ok(object.into_iter().map(|(name, value)| (name, text(value))).collect())
        }
        _ => Err(ApiError::ContentType),
    }
}
