//! Twilio's requests about Calls that agents placed: instructions (TwiML) and status callbacks. Both are signed.

use std::sync::Arc;

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use super::error::ApiError;
use super::openapi::refusals::{FormBody, NotAllowed, NotAsExpected, NotFound};
use super::openapi::schemas::{AnsweredCall, CallStatusForm};
use super::signed::SignedForm;
use super::{AppState, query};
use crate::dialling::{CONTACT_PARAMETER, Dialler};
use crate::sid::CallSid;

const LONGEST_CONTACT: usize = 512;

/// Extractor for the dialler; where Calls are not configured there is nothing at these addresses.
#[derive(Debug)]
pub(super) struct Dialling(pub(super) Arc<Dialler>);

impl FromRequestParts<AppState> for Dialling {
    type Rejection = ApiError;

    async fn from_request_parts(_: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        state.dialler.clone().map(Self).ok_or_else(ApiError::not_found)
    }
}

/// `POST /twilio-webhook/callHandlerTwiml`: what to do with an answered Call.
#[utoipa::path(
    post,
    path = "/twilio-webhook/callHandlerTwiml",
    operation_id = "callInstructions",
    tag = "Calls",
    summary = "What to do with an answered Call",
    security(("twilio" = [])),
    params(("workerContactUri" = String, Query, description = "The contact URI of the Worker who placed the Call")),
    request_body(content = AnsweredCall, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "TwiML instructions", body = String, content_type = "text/xml"),
        FormBody, NotAllowed, NotFound, NotAsExpected
    )
)]
pub(super) async fn instructions(
    Dialling(dialler): Dialling,
    OriginalUri(uri): OriginalUri,
    form: SignedForm,
) -> Result<Response, ApiError> {
    let refused = || ApiError::parameter(CONTACT_PARAMETER);
    let contact = query::value(&uri, CONTACT_PARAMETER);
    let contact = contact.filter(|contact| (1..=LONGEST_CONTACT).contains(&contact.len()));
    let contact = contact.ok_or_else(refused)?;
    let twiml = dialler.instructions(&contact, form.needed("To")?).map_err(|_| refused())?;
    Ok(([(CONTENT_TYPE, "text/xml; charset=utf-8")], twiml).into_response())
}

/// `POST /twilio-webhook/callStatusCallbackHandler`: the status of a Call.
#[utoipa::path(
    post,
    path = "/twilio-webhook/callStatusCallbackHandler",
    operation_id = "callStatus",
    tag = "Calls",
    summary = "The status of a Call",
    security(("twilio" = [])),
    request_body(content = CallStatusForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "The status is passed on to the Worker"), FormBody, NotAllowed, NotFound, NotAsExpected)
)]
pub(super) async fn status(Dialling(dialler): Dialling, form: SignedForm) -> Result<StatusCode, ApiError> {
    let call: CallSid = form.needed("CallSid")?.parse().map_err(|_| ApiError::parameter("CallSid"))?;
    // A recording's callback may be sent here too, and says nothing of how the Call goes.
    let Some(status) = form.value("CallStatus") else { return Ok(StatusCode::OK) };
    let sequence = form.value("SequenceNumber").and_then(|number| number.parse().ok());
    dialler.told(call, status, sequence);
    Ok(StatusCode::OK)
}
