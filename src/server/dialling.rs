//! What Twilio asks and tells about Calls that agents placed. Both are signed.

use axum::body::Body;
use axum::extract::{OriginalUri, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};

use super::error::ApiError;
use super::{AppState, webhook};
use crate::dialling::CONTACT_PARAMETER;
use crate::sid::CallSid;

/// Longest contact that is passed on.
const LONGEST_CONTACT: usize = 512;

/// `POST /twilio-webhook/callHandlerTwiml`: what to do with an answered Call.
pub(super) async fn instructions(
    State(state): State<AppState>,
    OriginalUri(uri): OriginalUri,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let dialler = state.dialler.as_ref().ok_or(ApiError::NotFound)?;
    let (parts, body) = request.into_parts();
    let fields = webhook::signed_form(&state, &uri, &parts.headers, body).await?;
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let contact = query.into_iter().find(|(name, _)| name == CONTACT_PARAMETER).map(|(_, contact)| contact);
    let fits = |contact: &str| (1..=LONGEST_CONTACT).contains(&contact.len());
    let contact = contact.filter(|contact| fits(contact)).ok_or(ApiError::Parameter(CONTACT_PARAMETER))?;
    let to = field(&fields, "To").ok_or(ApiError::Parameter("To"))?;
    let twiml = dialler.instructions(&contact, to).map_err(|_| ApiError::Parameter(CONTACT_PARAMETER))?;
    Ok(([(CONTENT_TYPE, "text/xml; charset=utf-8")], twiml).into_response())
}

/// `POST /twilio-webhook/callStatusCallbackHandler`: how a Call goes.
pub(super) async fn status(
    State(state): State<AppState>,
    OriginalUri(uri): OriginalUri,
    request: Request<Body>,
) -> Result<StatusCode, ApiError> {
    let dialler = state.dialler.as_ref().ok_or(ApiError::NotFound)?;
    let (parts, body) = request.into_parts();
    let fields = webhook::signed_form(&state, &uri, &parts.headers, body).await?;
    let call: Option<CallSid> = field(&fields, "CallSid").and_then(|sid| sid.parse().ok());
    let call = call.ok_or(ApiError::Parameter("CallSid"))?;
    let status = field(&fields, "CallStatus").ok_or(ApiError::Parameter("CallStatus"))?;
    let sequence = field(&fields, "SequenceNumber").and_then(|number| number.parse().ok());
    dialler.told(call, status, sequence);
    Ok(StatusCode::OK)
}

fn field<'f>(fields: &'f [(String, String)], name: &str) -> Option<&'f str> {
    let value = fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
    value.filter(|value| !value.is_empty())
}
