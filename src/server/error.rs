//! How a refused request is answered: a status, a code for programs, a sentence for people.
//!
//! Each module that can fail has its own enum ([`AccessError`](super::auth::AccessError), [`RequestError`] and others) with
//! the answer beside it; handlers branch on those, never on codes. A refusal of one handler alone is made on the spot.

use std::borrow::Cow;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::refusals;
use crate::feed::BadSelection;
use crate::form::FormError;
use crate::pipeline::{LeaderAnswer, Refusal, RequestError};
use crate::wallboard::Problem;

/// A refused request. One pointer, since every handler returns it.
#[derive(Debug)]
pub struct ApiError(Box<Kind>);

#[derive(Debug)]
enum Kind {
    Own(Own),
    /// Another replica's refusal, logged and counted there.
    Relayed {
        status: StatusCode,
        body: LeaderAnswer,
    },
}

#[derive(Debug, Serialize)]
struct Own {
    #[serde(skip)]
    status: StatusCode,
    code: &'static str,
    message: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problems: Option<Vec<Problem>>,
    #[serde(skip)]
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl ApiError {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        let message = message.into();
        Self(Box::new(Kind::Own(Own { status, code, message, problems: None, headers: Vec::new() })))
    }

    #[must_use]
    pub(super) fn with(mut self, name: HeaderName, value: &'static str) -> Self {
        if let Kind::Own(own) = &mut *self.0 {
            own.headers.push((name, HeaderValue::from_static(value)));
        }
        self
    }

    pub(super) fn relayed(status: u16, body: LeaderAnswer) -> Self {
        Self(Box::new(Kind::Relayed { status: status_of(status), body }))
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is nothing at this address")
    }

    /// The refusal of a path that is one of ours but for the slash at its end.
    pub(super) fn slash_too_many() -> Self {
        let message = "there is nothing at this address; there is without the slash at its end";
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub(super) fn method(allowed: &'static str) -> Self {
        let message = format!("this address takes {allowed} requests only");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message).with(header::ALLOW, allowed)
    }

    pub(super) fn content_type() -> Self {
        let message = "the Content-Type must be application/x-www-form-urlencoded or application/json";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type", message)
    }

    pub(super) fn malformed(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed_body", message)
    }

    pub(super) fn parameter(name: &str) -> Self {
        Self::bad_parameter(format!("the parameter {name} is missing or not of its form"))
    }

    fn bad_parameter(message: String) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_parameter", message)
    }

    /// The refusal where no place for another client is left.
    pub(super) fn busy() -> Self {
        let message = "too many clients watch already; try again later";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_clients", message)
    }

    pub fn status(&self) -> StatusCode {
        match &*self.0 {
            Kind::Own(own) => own.status,
            Kind::Relayed { status, .. } => *status,
        }
    }
}

impl From<FormError> for ApiError {
    fn from(error: FormError) -> Self {
        Self::malformed(format!("the form body can't be decoded: {error}"))
    }
}

impl From<BadSelection> for ApiError {
    fn from(error: BadSelection) -> Self {
        Self::bad_parameter(error.to_string())
    }
}

impl From<RequestError> for ApiError {
    fn from(error: RequestError) -> Self {
        let Refusal { status, code, message, problems } = error.into();
        let (status, message) = (status_of(status), message.into());
        Self(Box::new(Kind::Own(Own { status, code, message, problems, headers: Vec::new() })))
    }
}

fn status_of(number: u16) -> StatusCode {
    StatusCode::from_u16(number).unwrap_or(StatusCode::BAD_GATEWAY)
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        const JSON: (HeaderName, &str) = (header::CONTENT_TYPE, "application/json");
        match *self.0 {
            Kind::Relayed { status, body } => {
                let headers = [JSON, (header::CACHE_CONTROL, "no-store")];
                (status, headers, format!("{body}\n")).into_response()
            }
            Kind::Own(own) => {
                // Texts only, which can't fail. A newline, so that a shell's prompt stays on a line of its own.
                let body = serde_json::to_string(&own).unwrap_or_default() + "\n";
                let Own { status, code, message, headers, .. } = own;
                let mut response = (status, [JSON], body).into_response();
                response.extensions_mut().insert(refusals::LoggedRefusal { code, message });
                response.headers_mut().extend(headers);
                response
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use serde_json::{Value, json};

    use super::*;

    async fn shown(error: ApiError) -> (u16, String) {
        let response = error.into_response();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        (status, String::from_utf8(body.into()).unwrap())
    }

    #[tokio::test]
    async fn a_refusal_is_a_line_of_json() {
        let (status, body) = shown(ApiError::parameter("To")).await;
        assert_eq!(status, 422);
        assert_eq!(
            body,
            "{\"code\":\"bad_parameter\",\"message\":\"the parameter To is missing or not of its form\"}\n"
        );
    }

    #[tokio::test]
    async fn problems_are_reported_field_by_field() {
        let problems = vec![Problem::of("title", "is missing")];
        let (status, body) = shown(RequestError::Definitions(problems).into()).await;
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &body["code"]), (422, &json!("bad_definitions")));
        assert_eq!(body["problems"], json!([{ "field": "title", "message": "is missing" }]));
    }

    #[tokio::test]
    async fn another_replica_s_refusal_is_passed_on_as_it_is() {
        let body = serde_json::from_str(r#"{"code":"of_a_newer_version","message":"x"}"#).unwrap();
        let (status, body) = shown(ApiError::relayed(418, body)).await;
        assert_eq!((status, &*body), (418, "{\"code\":\"of_a_newer_version\",\"message\":\"x\"}\n"));
    }
}
