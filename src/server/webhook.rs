//! The event callback: verified, decoded, marked, answered. Nothing here waits for Twilio or anything else.
//!
//! A request's way: method and content type, a bounded body, the signature over `PUBLIC_URL` and the body, the event or
//! batch in it, its owner, and a mark on the refresh handle. The answer is 204 with a JSON content type, as Twilio's
//! "TaskRouter Events reference" asks for.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::{FromRequest, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use tracing::debug;

use super::auth::peer;
use super::error::ApiError;
use super::openapi::refusals::{Admission, FormBody, NotAsExpected, NotFinished, TwilioFails, WrongMethod};
use super::openapi::schemas::{CheckMap, CloudEventSchema, EventForm, QueueItem};
use super::signed::{Claimed, SignedError, target};
use super::{AppState, bootstrap, same_site};
use crate::event::{Event, ForeignEvent, Invalidation, Trace, decode_batch, fields_of_last};
use crate::pipeline;
use crate::stats::LatestEvent;
use crate::telemetry::metrics::{EventOutcome, event_type_label};
use crate::telemetry::trace;
use crate::twilio::signature::{SIGNATURE_HEADER, Verified};

/// Extractor for a request at an address of events.
#[derive(Debug)]
pub(super) enum Callback {
    /// `?checkMap=true`, by Twilio or by the administrator.
    Bootstrap,
    Events(Received),
}

#[derive(Debug)]
pub(super) struct Received {
    events: Vec<Event>,
    /// The fields of the last event, for the layout that shows the event itself.
    fields: Option<BTreeMap<String, String>>,
}

/// Receives events, or carries the bootstrap out.
#[utoipa::path(
    post,
    path = "/taskrouter/events",
    operation_id = "taskrouterEvents",
    tag = "Events",
    summary = "Receive an event",
    security(("twilio" = []), ("basic" = []), ("bearer" = [])),
    params(
        ("checkMap" = inline(Option<CheckMap>), Query, description = "`true` asks for the bootstrap: everything is read and written, and the answer has all queue items")
    ),
    request_body(content((EventForm = "application/x-www-form-urlencoded"), (Vec<CloudEventSchema> = "application/json"))),
    responses(
        (status = 200, description = "With `checkMap=true`: all queue items", body = Vec<QueueItem>),
        (status = 204, description = "What the events touch is marked for reading; nothing has been read yet"),
        FormBody, Admission, NotAsExpected, TwilioFails, NotFinished
    )
)]
pub(super) async fn receive(State(state): State<AppState>, callback: Callback) -> Result<Response, ApiError> {
    match callback {
        Callback::Bootstrap => state.leader.ask(pipeline::Request::Bootstrap).await,
        Callback::Events(received) => {
            mark(&state, received)?;
            Ok((StatusCode::NO_CONTENT, [(CONTENT_TYPE, "application/json")]).into_response())
        }
    }
}

/// Carries the bootstrap out; by GET nothing else is asked for.
#[utoipa::path(
    get,
    path = "/taskrouter/events",
    operation_id = "taskrouterEventsBootstrap",
    tag = "Events",
    summary = "Bootstrap",
    security(("twilio" = []), ("basic" = []), ("bearer" = [])),
    params(
        ("checkMap" = inline(CheckMap), Query, description = "`true` asks for the bootstrap: everything is read and written, and the answer has all queue items")
    ),
    responses(
        (status = 200, description = "All queue items, once they are written", body = Vec<QueueItem>),
        FormBody, Admission, WrongMethod, TwilioFails, NotFinished
    )
)]
pub(super) async fn bootstrap(state: State<AppState>, callback: Callback) -> Result<Response, ApiError> {
    receive(state, callback).await
}

/// Marks what the events touch. Of a batch with foreign events the own ones count all the same; the answer says 422.
fn mark(state: &AppState, received: Received) -> Result<(), ApiError> {
    let mut foreign = None;
    for event in received.events {
        match event.check_owner(state.twilio.account_sid, state.twilio.workspace_sid) {
            Ok(()) => {
                let trace = Trace::begin(&event);
                let event_type = event_type_label(event.event_type.as_deref());
                let span = trace::accepted(trace.newest.trace_id(), trace.newest, event_type);
                let _within = span.entered();
                debug!(event = %trace.newest, kind = event.event_type.as_deref(), "Event");
                state.monitor.event(event.event_type.as_deref(), EventOutcome::Taken);
                state.refresher.mark(&Invalidation { event: Some(trace), ..event.touch() });
            }
            Err(error) => {
                state.monitor.event(event.event_type.as_deref(), EventOutcome::Foreign);
                foreign = Some(error);
            }
        }
    }
    if let Some(error) = foreign {
        return Err(error.into());
    }
    received
        .fields
        .into_iter()
        .for_each(|fields| state.refresher.show_event(LatestEvent::new(fields, Timestamp::now())));
    Ok(())
}

impl FromRequest<AppState> for Callback {
    type Rejection = ApiError;

    async fn from_request(request: Request<Body>, state: &AppState) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let target = target(&mut parts, state).await;
        if bootstrap::is_asked_for(parts.uri.query()) {
            admit_bootstrap(parts, body, target, state).await?;
            return Ok(Self::Bootstrap);
        }
        if parts.method != Method::POST {
            return Err(ApiError::method("POST"));
        }
        let malformed = || state.monitor.event(None, EventOutcome::Malformed);
        let claimed = Claimed::read(parts, body, target, false).await.inspect_err(|_| malformed())?;
        let verified =
            claimed.verify(&state.verifier, &state.public_url).inspect_err(|error| match error {
                SignedError::Form(_) => malformed(),
                SignedError::Signature { .. } => {
                    state.monitor.event(None, EventOutcome::Signature);
                    state.signature_alarm.refused(error.code());
                }
            })?;
        state.signature_alarm.accepted();
        Received::of(&verified, state.shows_events).inspect_err(|_| malformed()).map(Self::Events)
    }
}

/// Admits the bootstrap by Twilio's signature, or by the administrator's credentials.
async fn admit_bootstrap(parts: Parts, body: Body, target: String, state: &AppState) -> Result<(), ApiError> {
    if parts.method != Method::POST && parts.method != Method::GET {
        return Err(ApiError::method("GET, POST"));
    }
    if parts.headers.contains_key(SIGNATURE_HEADER) {
        let claimed = Claimed::read(parts, body, target, true).await?;
        claimed.verify(&state.verifier, &state.public_url)?;
        return Ok(());
    }
    same_site::check(&parts.headers, &state.public_url)?;
    Ok(state.access.administrator(&parts.headers, peer(&parts)).await?)
}

impl Received {
    fn of(verified: &Verified<'_>, shows_events: bool) -> Result<Self, ApiError> {
        let events = match verified {
            Verified::Form(form) => vec![Event::from_form(form)],
            Verified::Json(raw) => {
                decode_batch(raw).map_err(|error| ApiError::malformed(error.to_string()))?
            }
            Verified::Empty => Vec::new(),
        };
        let fields = match verified {
            Verified::Form(form) if shows_events => Some(Event::fields_of(form)),
            Verified::Json(raw) if shows_events => fields_of_last(raw),
            _ => None,
        };
        Ok(Self { events, fields })
    }
}

impl From<ForeignEvent> for ApiError {
    fn from(error: ForeignEvent) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "foreign_event", error.to_string())
    }
}
