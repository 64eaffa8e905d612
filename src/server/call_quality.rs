//! `POST /respond-to-issue`: an agent's browser reports a call that was bad to hear, as a form or as JSON.
//!
//! The report comes from a page of Flex, another site, so CORS applies: only `PUBLIC_URL` and `ALLOWED_ORIGINS` may
//! send it.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::auth::{FlexGate, Peer};
use super::body;
use super::error::ApiError;
use super::openapi::refusals::{FormBody, NotAllowed, NotAsExpected, NotNow, TooMany, TwilioFails};
use super::openapi::schemas::{QualityAnswer, QualityReport};
use super::websocket::Sockets;
use crate::call_quality::{Action, CallReport, Done, Voice, VoiceError};
use crate::form::Form;
use crate::lenient_json;

/// Most characters of each short field.
const LONGEST_NUMBER: usize = 128;

/// Checks and records a report, then carries out its action, such as a Message.
#[utoipa::path(
    post,
    path = "/respond-to-issue",
    operation_id = "respondToIssue",
    tag = "Calls",
    summary = "Report poor call quality",
    description = "`Token` is the Flex user's token.",
    request_body(content((QualityReport = "application/json"), (QualityReport = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "The report was acted on, or recorded with the reason why no more could be done", body = QualityAnswer),
        FormBody, NotAllowed, NotAsExpected, TooMany, TwilioFails, NotNow
    )
)]
pub(super) async fn receive(
    State(sockets): State<Sockets>,
    State(flex): State<Arc<FlexGate>>,
    State(voice): State<Arc<Voice>>,
    Peer(peer): Peer,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, ApiError> {
    sockets.check_origin(&headers)?;
    let mut fields = fields(&headers, &body::read(body, body::LARGEST_BODY).await?)?;
    let mut field = |name: &str| fields.remove(name).unwrap_or_default();
    let token = SecretString::from(field("Token"));
    let user = flex.user(&token, peer.ip()).await?;
    let action = Action::named(&field("action"));
    let report = CallReport { issues: field("issues"), caller_id: field("callerId"), dnis: field("dnis") };
    for (name, number) in [("callerId", &report.caller_id), ("dnis", &report.dnis)] {
        if number.len() > LONGEST_NUMBER {
            return Err(ApiError::parameter(name));
        }
    }
    let done = voice.respond(&user, &report, &action).await?;
    Ok(Json(match done {
        Done::AsAsked => json!({ "data": "success" }),
        Done::OnlyRecorded => json!({
            "data": "success",
            "message": "the alert is recorded; no webhook is configured that could carry this action out",
        }),
    }))
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
            // With a byte order mark, or half of a surrogate pair in a name, it is an alert all the same.
            let raw = raw.strip_prefix("\u{feff}".as_bytes()).unwrap_or(raw);
            let value = serde_json::from_slice(raw)
                .or_else(|_| lenient_json::parse(raw).map(|(value, _)| value).ok_or(()))
                .map_err(|()| ApiError::malformed("the body is not JSON"))?;
            let Value::Object(object) = value else {
                return Err(ApiError::malformed("the JSON body is not an object"));
            };
            let text = |value| match value {
                Value::String(text) => text,
                Value::Null => String::new(),
                other => other.to_string(),
            };
            Ok(object.into_iter().map(|(name, value)| (name, text(value))).collect())
        }
        _ => Err(ApiError::content_type()),
    }
}

impl From<VoiceError> for ApiError {
    fn from(error: VoiceError) -> Self {
        let (status, code) = match error {
            VoiceError::Sender => (StatusCode::FORBIDDEN, "sender"),
            VoiceError::Destination => (StatusCode::FORBIDDEN, "destination"),
            VoiceError::NoWorker => (StatusCode::FORBIDDEN, "no_worker"),
            VoiceError::Recipient => (StatusCode::UNPROCESSABLE_ENTITY, "recipient"),
            VoiceError::NoWebhook => (StatusCode::UNPROCESSABLE_ENTITY, "no_webhook"),
            VoiceError::TooMany => (StatusCode::TOO_MANY_REQUESTS, "too_many_messages"),
            VoiceError::Twilio(_) => (StatusCode::BAD_GATEWAY, "message_not_sent"),
            VoiceError::Full => (StatusCode::SERVICE_UNAVAILABLE, "too_many_webhooks"),
        };
        Self::new(status, code, error.to_string())
    }
}
