//! Headers that every answer with a body carries: nothing is sniffed, framed, referred to others or loaded from elsewhere.

use axum::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;

/// Scripts and styles from this service only, none inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
     connect-src 'self'; media-src 'self' https:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Adds them.
pub(super) fn add(mut response: Response) -> Response {
    const HEADERS: [(HeaderName, &str); 4] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        // With "no-referrer" a form of our own would say `Origin: null`, as another site's.
        (REFERRER_POLICY, "same-origin"),
    ];
    // It has nothing that could be sniffed, and it is the answer to every event.
    if response.status() == StatusCode::NO_CONTENT {
        return response;
    }
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
