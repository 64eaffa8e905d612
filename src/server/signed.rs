//! Requests that Twilio signs: read within bounds, verified, and only then handed to a handler.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, OriginalUri};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request, StatusCode};

use super::error::ApiError;
use super::{AppState, body};
use crate::config::PublicUrl;
use crate::form::FormError;
use crate::twilio::signature::{
    SETTINGS_HEADER, SIGNATURE_HEADER, SignatureError, SignatureVerifier, SignedBody, SignedRequest, Verified,
};

/// A request's body and what its signature covers, not verified yet.
#[derive(Debug)]
pub(super) struct Claimed {
    parts: Parts,
    /// Path and query as Twilio called them.
    target: String,
    kind: BodyKind,
    raw: Bytes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BodyKind {
    Empty,
    Form,
    Json,
}

/// Why a signed request is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum SignedError {
    /// Twilio did not send this, or it was changed on its way. `url` is what the signature was checked for.
    #[error(
        "{reason}. Seen from here the URL that Twilio called is {url}: if Twilio was told another one, correct \
         PUBLIC_URL, or the proxy that changes the path or query"
    )]
    Signature {
        reason: SignatureError,
        /// The URL without the values of its query.
        url: String,
    },
    #[error("the form body can't be decoded: {0}")]
    Form(#[from] FormError),
}

impl SignedError {
    /// The stable code for programs.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Form(_) => "malformed_body",
            Self::Signature { reason, .. } => match reason {
                SignatureError::Missing => "signature_missing",
                SignatureError::BodyHash => "body_hash",
                SignatureError::BodyNotCovered => "body_not_signed",
                SignatureError::NoSharedKey => "shared_key_missing",
                SignatureError::Mismatch | SignatureError::UnknownAlgorithm | SignatureError::Form(_) => {
                    "signature_mismatch"
                }
            },
        }
    }
}

impl From<SignedError> for ApiError {
    fn from(error: SignedError) -> Self {
        let status = match &error {
            SignedError::Form(_) => StatusCode::BAD_REQUEST,
            SignedError::Signature { .. } => StatusCode::FORBIDDEN,
        };
        Self::new(status, error.code(), error.to_string())
    }
}

impl Claimed {
    /// Reads the body of a form or JSON request. Where `may_be_empty`, a request without a body needs no content type.
    pub(super) async fn read(
        parts: Parts,
        body: Body,
        target: String,
        may_be_empty: bool,
    ) -> Result<Self, ApiError> {
        let kind = body_kind(&parts.headers);
        if !may_be_empty && kind.is_none() {
            return Err(ApiError::content_type());
        }
        let largest = match kind {
            Some(BodyKind::Json) => body::LARGEST_BATCH,
            _ => body::LARGEST_FORM,
        };
        let raw = body::read(body, largest).await?;
        let kind = if may_be_empty && raw.is_empty() { Some(BodyKind::Empty) } else { kind };
        Ok(Self { parts, target, kind: kind.ok_or_else(ApiError::content_type)?, raw })
    }

    /// The body, if Twilio vouches for it.
    pub(super) fn verify(
        &self,
        verifier: &SignatureVerifier,
        public_url: &PublicUrl,
    ) -> Result<Verified<'_>, SignedError> {
        let url = public_url.called(&self.target);
        // A header that is not text is a wrong signature, not a missing one.
        let text = |name| self.parts.headers.get(name).map(|value| value.to_str().unwrap_or("?"));
        let body = match self.kind {
            BodyKind::Empty => SignedBody::Empty,
            BodyKind::Form => SignedBody::Form(&self.raw),
            BodyKind::Json => SignedBody::Json(&self.raw),
        };
        let request = SignedRequest {
            url: &url,
            signature: text(SIGNATURE_HEADER),
            settings: text(SETTINGS_HEADER),
            body,
        };
        let mut verified = verifier.verify(request);
        if matches!(verified, Err(SignatureError::Mismatch)) {
            let others = spellings(&self.target).flat_map(|target| {
                [Some(public_url.called(&target)), public_url.also_called(&target)].into_iter().flatten()
            });
            for url in others.skip(1) {
                verified = verifier.verify(SignedRequest { url: &url, ..request });
                if verified.is_ok() {
                    break;
                }
            }
        }
        verified.map_err(|reason| match reason {
            SignatureError::Form(error) => error.into(),
            reason => SignedError::Signature { reason, url: without_values(&url) },
        })
    }
}

/// Path and query as received, whatever router stands below which prefix.
pub(super) async fn target(parts: &mut Parts, state: &AppState) -> String {
    let Ok(OriginalUri(uri)) = OriginalUri::from_request_parts(parts, state).await;
    uri.path_and_query().map_or(uri.path(), http::uri::PathAndQuery::as_str).to_owned()
}

#[derive(Debug)]
pub(super) struct SignedForm(Vec<(String, String)>);

impl FromRequest<AppState> for SignedForm {
    type Rejection = ApiError;

    async fn from_request(request: Request<Body>, state: &AppState) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        if body_kind(&parts.headers) != Some(BodyKind::Form) {
            return Err(ApiError::content_type());
        }
        let target = target(&mut parts, state).await;
        let claimed = Claimed::read(parts, body, target, false).await?;
        match claimed.verify(&state.verifier, &state.public_url)? {
            Verified::Form(form) => {
                Ok(Self(form.fields().map(|(n, v)| (n.to_owned(), v.to_owned())).collect()))
            }
            Verified::Json(_) | Verified::Empty => Ok(Self(Vec::new())),
        }
    }
}

impl SignedForm {
    /// A field's value; `None` when it is absent or empty.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let value = self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
        value.filter(|value| !value.is_empty())
    }

    /// A field's value, or the refusal of a request without it.
    pub(super) fn needed(&self, name: &str) -> Result<&str, ApiError> {
        self.value(name).ok_or_else(|| ApiError::parameter(name))
    }
}

fn body_kind(headers: &HeaderMap) -> Option<BodyKind> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        Some(BodyKind::Form)
    } else if essence.eq_ignore_ascii_case("application/json") {
        Some(BodyKind::Json)
    } else {
        None
    }
}

/// The target as it came, and with signs in its query written the other way, percent-encoded or not: Twilio may sign a
/// URL as it was given it (`client:alice`) and ask for it as it is encoded (`client%3Aalice`). Both read the same.
fn spellings(target: &str) -> impl Iterator<Item = String> {
    let other = target.split_once('?').and_then(|(path, query)| {
        let decoded = query.replace("%3A", ":").replace("%3a", ":").replace("%40", "@");
        let encoded = query.replace(':', "%3A").replace('@', "%40");
        let other = if decoded == query { encoded } else { decoded };
        (other != query).then(|| format!("{path}?{other}"))
    });
    std::iter::once(target.to_owned()).chain(other)
}

/// The URL with the names of its query's parameters and not their values, which may be secrets.
fn without_values(url: &str) -> String {
    let Some((base, query)) = url.split_once('?') else { return url.to_owned() };
    let names = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) => format!("{name}=…"),
        None => pair.to_owned(),
    });
    format!("{base}?{}", names.collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_its_signs_in_either_spelling() {
        let of = |target: &str| spellings(target).collect::<Vec<_>>();
        assert_eq!(of("/x?a=client%3Aalice"), ["/x?a=client%3Aalice", "/x?a=client:alice"]);
        assert_eq!(of("/x?a=client:alice"), ["/x?a=client:alice", "/x?a=client%3Aalice"]);
        assert_eq!(of("/x?a=1"), ["/x?a=1"]);
    }

    #[test]
    fn a_shown_url_keeps_names_and_no_values() {
        assert_eq!(without_values("https://a.example/x"), "https://a.example/x");
        assert_eq!(without_values("https://a.example/x?Token=s3cret&y"), "https://a.example/x?Token=…&y");
    }
}
