//! What a caller is told when a request is refused: a status, a code for programs, a sentence for people.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::refusals;
use crate::call_quality::VoiceError;
use crate::event::{BatchError, ForeignEvent};
use crate::feed::BadSelection;
use crate::pipeline::{Answer, Refusal, RequestError};
use crate::twilio::signature::SignatureError;

/// Longest body that is read; an event is about 2 kB.
pub const LARGEST_BODY: usize = 64 * 1024;

/// A refused request.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// 403: Twilio did not send this, or it was changed on its way. `url` is what the signature was checked for.
    #[error(
        "{reason}. Seen from here the URL that Twilio called is {url}: if Twilio was told another one, correct \
         PUBLIC_URL, or the proxy that changes the path or query"
    )]
    Signature {
        /// What does not fit.
        reason: SignatureError,
        /// The URL, without the values of its query.
        url: String,
    },
    /// 400: the body can't be decoded.
    #[error("the form body can't be decoded: {0}")]
    Form(#[from] crate::form::FormError),
    /// 400: the body can't be decoded.
    #[error("{0}")]
    Batch(#[from] BatchError),
    /// 400: the connection broke, or sent something that is not HTTP.
    #[error("the body could not be read to its end")]
    Unreadable,
    /// 408: the body came too slowly.
    #[error("the body did not arrive within {0} seconds")]
    TooSlow(u64),
    /// 422
    #[error("the parameter {0} is missing or not of its form")]
    Parameter(&'static str),
    /// 422: of the feed.
    #[error("{0}")]
    Selection(#[from] BadSelection),
    /// 413
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    /// 400
    #[error("the body is not the JSON that is expected here: {0}")]
    Json(String),
    /// 503: the formulas' task.
    #[error("the formulas' task is starting, stopping or overloaded; try again")]
    Overloaded,
    /// 415
    #[error("the Content-Type must be application/x-www-form-urlencoded or application/json")]
    ContentType,
    /// What the pipeline did not do.
    #[error("{}", .0.message)]
    Refused(Refusal),
    /// What another replica's pipeline did not do, as that one says it.
    #[error("the leader refused with status {status}")]
    Relayed {
        /// HTTP status.
        status: u16,
        /// JSON.
        body: Answer,
    },
    /// 405
    #[error("this address takes {0} requests only")]
    Method(&'static str),
    /// 404
    #[error("there is nothing at this address")]
    NotFound,
    /// 422
    #[error("{0}")]
    Foreign(#[from] ForeignEvent),
    /// 401
    #[error("the administrator's credentials are needed, or a request signed by Twilio")]
    Unauthorized,
    /// 401: somebody else's.
    #[error("the credentials are not right")]
    WrongCredentials,
    /// 401, for pages and their data.
    #[error("sign in first, or send credentials")]
    SignInNeeded,
    /// 403: neither token nor account.
    #[error("a Flex token, a session or credentials are needed")]
    NotAdmitted,
    /// 403: not a good one.
    #[error("the Flex token is not valid")]
    FlexToken,
    /// 403: a good one, of somebody else than who may.
    #[error("this Flex user has none of the roles in FLEX_ROLES")]
    FlexRole,
    /// 403: Calls are placed by Workers.
    #[error("the Flex token of a Worker is needed")]
    NoWorker,
    /// 503: Twilio does not answer.
    #[error("the Flex token can't be checked now; try again in some seconds")]
    Undecided,
    /// 403: a page of a site that is not known.
    #[error("pages of {0:?} may not call this: only those of PUBLIC_URL and ALLOWED_ORIGINS may")]
    Origin(String),
    /// 426: a plain request.
    #[error("this address takes websockets only (RFC 6455, version 13)")]
    NotWebsocket,
    /// 400: not an object.
    #[error("the JSON body is not an object")]
    NotAnObject,
    /// What could not be done about a bad call.
    #[error(transparent)]
    Voice(#[from] VoiceError),
    /// 403: known, and not allowed.
    #[error("this account may not do that")]
    Forbidden,
    /// 403: a browser was made to ask by another site's page.
    #[error("a page of another site asked for this; only this service's own pages, and scripts, may")]
    OtherSite,
    /// 404: no access tokens.
    #[error("there are no access tokens: set TWILIO_API_KEY and TWILIO_API_SECRET")]
    NoApiKey,
    /// 403: a change without the session's CSRF token.
    #[error("the header X-CSRF-Token is missing or is not this session's")]
    CrossSite,
    /// 403: there is no administrator.
    #[error(
        "no administrator is configured: set AUTHENTICATION_USER and AUTHENTICATION_PASSWORD, or AUTHENTICATION_TOKEN"
    )]
    NoAdministrator,
    /// 429: too many wrong credentials.
    #[error("too many wrong credentials; try again in some seconds")]
    Guessing,
    /// 503: no place for one more.
    #[error("too many clients watch already; try again later")]
    Busy,
    /// 503: replicas share the work, and the one that leads can't be asked.
    #[error("the replica that leads can't be asked: {0}")]
    NoLeader(String),
}

impl ApiError {
    /// The status to answer with.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Form(_) | Self::Batch(_) | Self::Json(_) | Self::Unreadable | Self::NotAnObject => {
                StatusCode::BAD_REQUEST
            }
            Self::Voice(VoiceError::Sender) => StatusCode::FORBIDDEN,
            Self::Voice(VoiceError::Recipient | VoiceError::NoWebhook) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Voice(VoiceError::TooMany) => StatusCode::TOO_MANY_REQUESTS,
            Self::Voice(VoiceError::Twilio(_)) => StatusCode::BAD_GATEWAY,
            Self::Voice(VoiceError::Full) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unauthorized | Self::WrongCredentials | Self::SignInNeeded => StatusCode::UNAUTHORIZED,
            Self::Signature { .. }
            | Self::NoAdministrator
            | Self::Forbidden
            | Self::NotAdmitted
            | Self::FlexToken
            | Self::FlexRole
            | Self::NoWorker
            | Self::Origin(_)
            | Self::CrossSite
            | Self::OtherSite => StatusCode::FORBIDDEN,
            Self::NotFound | Self::NoApiKey => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooSlow(_) => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Foreign(_) | Self::Parameter(_) | Self::Selection(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Guessing => StatusCode::TOO_MANY_REQUESTS,
            Self::NotWebsocket => StatusCode::UPGRADE_REQUIRED,
            Self::Busy | Self::Undecided | Self::Overloaded | Self::NoLeader(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Refused(refusal) => status_of(refusal.status),
            Self::Relayed { status, .. } => status_of(*status),
        }
    }

    /// The code that programs go by.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Signature { reason: SignatureError::Missing, .. } => "signature_missing",
            Self::Signature { reason: SignatureError::BodyHash, .. } => "body_hash",
            Self::Signature { reason: SignatureError::BodyNotCovered, .. } => "body_not_signed",
            Self::Signature { reason: SignatureError::NoSharedKey, .. } => "shared_key_missing",
            Self::Signature { .. } => "signature_mismatch",
            Self::Form(_) | Self::Batch(_) | Self::Json(_) | Self::Unreadable | Self::NotAnObject => {
                "malformed_body"
            }
            Self::Voice(VoiceError::Sender) => "sender",
            Self::Voice(VoiceError::Recipient) => "recipient",
            Self::Voice(VoiceError::NoWebhook) => "no_webhook",
            Self::Voice(VoiceError::TooMany) => "too_many_messages",
            Self::Voice(VoiceError::Twilio(_)) => "message_not_sent",
            Self::Voice(VoiceError::Full) => "too_many_webhooks",
            Self::TooSlow(_) => "body_too_slow",
            Self::TooLarge(_) => "body_too_large",
            Self::ContentType => "content_type",
            Self::Method(_) => "method_not_allowed",
            Self::NotFound => "not_found",
            Self::Foreign(_) => "foreign_event",
            Self::Parameter(_) | Self::Selection(_) => "bad_parameter",
            Self::Unauthorized => "credentials_needed",
            Self::WrongCredentials => "wrong_credentials",
            Self::SignInNeeded => "sign_in_needed",
            Self::Forbidden => "forbidden",
            Self::NotAdmitted => "not_admitted",
            Self::FlexToken => "flex_token",
            Self::FlexRole => "flex_role",
            Self::NoWorker => "no_worker",
            Self::Undecided => "flex_token_unchecked",
            Self::Origin(_) => "origin",
            Self::NotWebsocket => "not_a_websocket",
            Self::CrossSite => "csrf_token",
            Self::OtherSite => "other_site",
            Self::NoApiKey => "no_api_key",
            Self::NoAdministrator => "no_administrator",
            Self::Guessing => "too_many_attempts",
            Self::Overloaded => "overloaded",
            Self::Busy => "too_many_clients",
            Self::NoLeader(_) => "no_leader",
            Self::Refused(refusal) => refusal.code,
            Self::Relayed { .. } => "relayed",
        }
    }
}

impl From<RequestError> for ApiError {
    fn from(error: RequestError) -> Self {
        Self::Refused(error.into())
    }
}

fn status_of(number: u16) -> StatusCode {
    StatusCode::from_u16(number).unwrap_or(StatusCode::BAD_GATEWAY)
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code, message) = (self.status(), self.code(), self.to_string());
        let mut response = match &self {
            // Logged and counted where the leader refused it.
            Self::Relayed { body, .. } => {
                let headers =
                    [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
                return (status, headers, format!("{body}\n")).into_response();
            }
            Self::Refused(refusal) => (status, Json(refusal)).into_response(),
            _ => (status, Json(json!({ "code": code, "message": message }))).into_response(),
        };
        response.extensions_mut().insert(refusals::Refusal { code, message });
        let headers = response.headers_mut();
        match self {
            Self::Unauthorized | Self::WrongCredentials => {
                let ask = HeaderValue::from_static("Basic realm=\"taskrouter-sync\", charset=\"UTF-8\"");
                headers.insert(header::WWW_AUTHENTICATE, ask);
            }
            Self::Method(allowed) => {
                headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
            }
            Self::NotWebsocket => {
                headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
                headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            }
            Self::Guessing | Self::Undecided => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            }
            _ => {}
        }
        response
    }
}
