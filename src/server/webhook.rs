//! The event callback: verified, decoded, marked, answered. Nothing here waits for Twilio or anybody else.
//!
//! A request's way: method and content type, a bounded body, the signature over `PUBLIC_URL` and the body, the event or
//! batch in it, whose it is, and a mark on the refresh handle. The answer is 204 with a JSON content type, as Twilio's
//! "TaskRouter Events reference" asks for.

use axum::body::Body;
use axum::extract::{OriginalUri, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use tracing::debug;

use super::auth::peer;
use super::error::ApiError;
use super::{AppState, body, bootstrap, same_site};
use crate::config::PublicUrl;
use crate::event::{Event, Touch, Trace, decode_batch, fields_of_last};
use crate::stats::LatestEvent;
use crate::telemetry::metrics::{EventOutcome, event_type_label};
use crate::telemetry::trace;
use crate::twilio::signature::{
    SETTINGS_HEADER, SIGNATURE_HEADER, SignatureError, SignatureVerifier, SignedBody, SignedRequest, Verified,
};

/// Takes an event in, or starts the bootstrap where `?checkMap=true` asks for it.
pub(super) async fn receive(
    State(state): State<AppState>,
    OriginalUri(uri): OriginalUri,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let asks_for_bootstrap = bootstrap::is_asked_for(uri.query());
    if parts.method != Method::POST && !(parts.method == Method::GET && asks_for_bootstrap) {
        return Err(ApiError::Method(if asks_for_bootstrap { "GET, POST" } else { "POST" }));
    }
    let target = uri.path_and_query().map_or(uri.path(), http::uri::PathAndQuery::as_str);
    if asks_for_bootstrap {
        let signed = parts.headers.contains_key(SIGNATURE_HEADER);
        if signed {
            let raw = body::read(body).await?;
            let kind = if raw.is_empty() { BodyKind::Empty } else { body_kind(&parts.headers)? };
            verify(&state.verifier, &state.public_url, target, &parts.headers, kind.of(&raw))?;
        } else {
            same_site::check(&parts.headers, &state.public_url)?;
            state.access.administrator(&parts.headers, peer(&parts))?;
        }
        return bootstrap::run(&state).await;
    }
    let taken = take(&state, target, &parts.headers, body).await;
    if let Err(error) = &taken {
        let outcome = match error {
            // Counted by type where it was found.
            ApiError::Foreign(_) => None,
            ApiError::Signature { .. } => Some(EventOutcome::Signature),
            _ => Some(EventOutcome::Malformed),
        };
        outcome.into_iter().for_each(|outcome| state.monitor.event(None, outcome));
        if outcome == Some(EventOutcome::Signature) {
            state.signatures.refused(error.code());
        }
    }
    taken?;
    Ok((StatusCode::NO_CONTENT, [(CONTENT_TYPE, "application/json")]).into_response())
}

async fn take(state: &AppState, target: &str, headers: &HeaderMap, body: Body) -> Result<(), ApiError> {
    let kind = body_kind(headers)?;
    let raw = body::read(body).await?;
    let verified = verify(&state.verifier, &state.public_url, target, headers, kind.of(&raw))?;
    state.signatures.accepted();
    take_in(state, &verified)
}

/// Marks what the events touch. Of a batch with foreign events the own ones count all the same; the answer says 422.
fn take_in(state: &AppState, verified: &Verified<'_>) -> Result<(), ApiError> {
    let events = match verified {
        Verified::Form(form) => vec![Event::from_form(form)],
        Verified::Json(raw) => decode_batch(raw)?,
        Verified::Empty => Vec::new(),
    };
    let mut foreign = None;
    for event in events {
        match event.check_owner(state.twilio.account_sid, state.twilio.workspace_sid) {
            Ok(()) => {
                let trace = Trace::begin(&event);
                let event_type = event_type_label(event.event_type.as_deref());
                let span = trace::accepted(trace.newest.trace_id(), trace.newest, event_type);
                let _within = span.entered();
                debug!(event = %trace.newest, kind = event.event_type.as_deref(), "Event");
                state.monitor.event(event.event_type.as_deref(), EventOutcome::Taken);
                state.refresher.mark(&Touch { event: Some(trace), ..event.touch() });
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
    if state.shows_events {
        let fields = match verified {
            Verified::Form(form) => Some(Event::fields_of(form)),
            Verified::Json(raw) => fields_of_last(raw),
            Verified::Empty => None,
        };
        fields.into_iter().for_each(|fields| state.refresher.show_event(LatestEvent::new(fields)));
    }
    Ok(())
}

fn verify<'a>(
    verifier: &SignatureVerifier,
    public_url: &PublicUrl,
    target: &str,
    headers: &HeaderMap,
    body: SignedBody<'a>,
) -> Result<Verified<'a>, ApiError> {
    let url = public_url.called(target);
    // What is not text is no signature, but it is there.
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let request =
        SignedRequest { url: &url, signature: text(SIGNATURE_HEADER), settings: text(SETTINGS_HEADER), body };
    verifier.verify(request).map_err(|reason| match reason {
        SignatureError::Form(error) => error.into(),
        reason => ApiError::Signature { reason, url: without_values(&url) },
    })
}

/// The URL with the names of its query's parameters and not their values, which may be anybody's secrets.
fn without_values(url: &str) -> String {
    let Some((base, query)) = url.split_once('?') else { return url.to_owned() };
    let names = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) => format!("{name}=…"),
        None => pair.to_owned(),
    });
    format!("{base}?{}", names.collect::<Vec<_>>().join("&"))
}

#[derive(Clone, Copy)]
enum BodyKind {
    Empty,
    Form,
    Json,
}

impl BodyKind {
    fn of(self, raw: &[u8]) -> SignedBody<'_> {
        match self {
            Self::Empty => SignedBody::Empty,
            Self::Form => SignedBody::Form(raw),
            Self::Json => SignedBody::Json(raw),
        }
    }
}

fn body_kind(headers: &HeaderMap) -> Result<BodyKind, ApiError> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        Ok(BodyKind::Form)
    } else if essence.eq_ignore_ascii_case("application/json") {
        Ok(BodyKind::Json)
    } else {
        Err(ApiError::ContentType)
    }
}

/// Reads a request's body and lets through what Twilio signed.
pub(super) async fn signed_form(
    state: &AppState,
    uri: &http::Uri,
    headers: &HeaderMap,
    body: Body,
) -> Result<Vec<(String, String)>, ApiError> {
    let target = uri.path_and_query().map_or(uri.path(), http::uri::PathAndQuery::as_str);
    let BodyKind::Form = body_kind(headers)? else { return Err(ApiError::ContentType) };
    let raw = body::read(body).await?;
    match verify(&state.verifier, &state.public_url, target, headers, SignedBody::Form(&raw))? {
        Verified::Form(form) => Ok(form.fields().map(|(n, v)| (n.to_owned(), v.to_owned())).collect()),
        Verified::Json(_) | Verified::Empty => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_url_keeps_names_and_no_values() {
        assert_eq!(without_values("https://a.example/x"), "https://a.example/x");
        assert_eq!(without_values("https://a.example/x?Token=s3cret&y"), "https://a.example/x?Token=…&y");
    }
}
