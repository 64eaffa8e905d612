//! Parameters of a request's query.

use axum::http::Uri;

/// The first value of this name, which may be empty.
pub(super) fn value(uri: &Uri, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    pairs.find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
}
