//! Refusals in Twilio's shape: an HTTP status and `{code, message, more_info, status}`.
//!
//! Every endpoint answers `Result<Reply, ApiError>`. Besides what the client sees, an error remembers *why* it was
//! raised, because the journal counts invented parameters, unknown paths and exceeded limits apart from each other.

use crate::json::JsonObject;

/// Why a request was refused, as the journal counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    Plain,
    /// No such path or method in the products emulated here.
    UnknownPath,
    /// A query or form parameter that Twilio does not document for this call.
    UnknownParameter,
    RateLimit,
    /// The account-wide limit on concurrent requests.
    Concurrency,
}

#[derive(Debug, Clone, thiserror::Error)]
#[error("{status} {code:?}: {message}")]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    /// Twilio's error code, if the body carries one.
    pub(crate) code: Option<u32>,
    pub(crate) message: String,
    /// `Retry-After` in seconds, if sent.
    pub(crate) retry_after: Option<u32>,
    pub(crate) refusal: Refusal,
}

impl ApiError {
    pub(crate) fn new(status: u16, code: u32, message: impl Into<String>) -> Self {
        Self { status, code: Some(code), message: message.into(), retry_after: None, refusal: Refusal::Plain }
    }

    /// 401/20003: no or wrong credentials.
    pub(crate) fn unauthorized() -> Self {
        Self::new(401, 20003, "Authenticate")
    }

    /// 404/20404: the resource is missing. `path` is printed without the API version, as Twilio does.
    pub(crate) fn not_found(path: &str) -> Self {
        let short = path.strip_prefix("/v1").or_else(|| path.strip_prefix("/2010-04-01")).unwrap_or(path);
        Self::new(404, 20404, format!("The requested resource {short} was not found"))
    }

    /// 404/20404 for a path that no product has.
    pub(crate) fn unknown_path(path: &str) -> Self {
        Self { refusal: Refusal::UnknownPath, ..Self::not_found(path) }
    }

    /// 400/20001: a parameter is wrong.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, 20001, message)
    }

    /// 400/20001 for a parameter that is not documented.
    pub(crate) fn unknown_parameter(name: &str) -> Self {
        Self { refusal: Refusal::UnknownParameter, ..Self::invalid(format!("Unknown parameter '{name}'")) }
    }

    /// 412/20412: the object's version is not the one in `If-Match`.
    pub(crate) fn precondition() -> Self {
        Self::new(412, 20412, "Precondition failed")
    }

    /// 429 of a per-second limit. Which code TaskRouter sends is not known; Sync sends 54009.
    pub(crate) fn too_fast(code: u32, message: &str) -> Self {
        Self { refusal: Refusal::RateLimit, ..Self::new(429, code, message) }
    }

    /// 429/20429: too many requests of the account in flight.
    pub(crate) fn too_many_in_flight() -> Self {
        Self { refusal: Refusal::Concurrency, ..Self::new(429, 20429, "Too Many Requests") }
    }

    pub(crate) fn body(&self) -> JsonObject {
        let mut body = JsonObject::default();
        if let Some(code) = self.code {
            body.set("code", &code);
        }
        body.set("message", &self.message);
        if let Some(code) = self.code {
            body.set("more_info", &format!("https://www.twilio.com/docs/errors/{code}"));
        }
        body.set("status", &self.status);
        body
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn has_twilios_shape() {
        let error = ApiError::not_found("/v1/Services/IS1/Documents/no-such-document");
        assert_eq!(
            serde_json::to_value(error.body()).unwrap(),
            json!({
                "code": 20404,
                "message": "The requested resource /Services/IS1/Documents/no-such-document was not found",
                "more_info": "https://www.twilio.com/docs/errors/20404",
                "status": 404
            })
        );
    }
}
