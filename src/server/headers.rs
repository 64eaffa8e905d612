//! Headers that every answer with a body carries: nothing is stored, sniffed, framed, referred to others or loaded from
//! elsewhere, unless a handler says otherwise.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;

use crate::config::PublicUrl;

/// Scripts and styles from this service only, none inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
     connect-src 'self'; media-src 'self' https:; form-action 'self'; base-uri 'none'";
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
pub(super) const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The headers added to every answer that does not set them itself.
#[derive(Debug)]
pub struct DefaultHeaders {
    headers: Vec<(HeaderName, HeaderValue)>,
    ancestors: String,
}

impl DefaultHeaders {
    /// For a service with this public URL, whose pages these sites may show in a frame.
    pub fn new(public_url: &PublicUrl, frame_ancestors: &[String]) -> Self {
        let ancestors = if frame_ancestors.is_empty() {
            "'none'".to_owned()
        } else {
            format!("'self' {}", frame_ancestors.join(" "))
        };
        let policy = format!("{POLICY}; frame-ancestors {ancestors}");
        let mut headers = vec![
            // Most answers are about people or the contact centre.
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            // With "no-referrer" our own forms would send `Origin: null`, as another site's do.
            (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
            (OPENER_POLICY, HeaderValue::from_static("same-origin")),
            (RESOURCE_POLICY, HeaderValue::from_static("same-origin")),
        ];
        // Origins are plain text: always a header's value.
        headers.extend(HeaderValue::try_from(policy).ok().map(|policy| (CONTENT_SECURITY_POLICY, policy)));
        if frame_ancestors.is_empty() {
            headers.push((X_FRAME_OPTIONS, HeaderValue::from_static("DENY")));
        }
        if public_url.is_https() {
            headers.push((STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000")));
        }
        Self { headers, ancestors }
    }

    /// Who may show a page in a frame, as its own policy says it.
    pub(super) fn ancestors(&self) -> &str {
        &self.ancestors
    }

    pub(super) fn add(&self, mut response: Response) -> Response {
        // It has no body to sniff, and it is the answer to every event.
        if response.status() == StatusCode::NO_CONTENT {
            return response;
        }
        let headers = response.headers_mut();
        for (name, value) in &self.headers {
            headers.entry(name).or_insert_with(|| value.clone());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::*;

    fn headers(url: &str, ancestors: &[&str]) -> axum::http::HeaderMap {
        let ancestors: Vec<_> = ancestors.iter().map(|&site| site.to_owned()).collect();
        DefaultHeaders::new(&PublicUrl::parse(url).unwrap(), &ancestors)
            .add("x".into_response())
            .headers()
            .clone()
    }

    #[test]
    fn nothing_is_stored_or_framed_unless_it_is_said_and_tls_stays_tls() {
        let plain = headers("http://a.example", &[]);
        assert_eq!(plain["cache-control"], "no-store");
        assert_eq!(plain["x-frame-options"], "DENY");
        assert!(!plain.contains_key("strict-transport-security"));
        assert_eq!(plain["cross-origin-resource-policy"], "same-origin");
        assert_eq!(plain["cross-origin-opener-policy"], "same-origin");
        let framed = headers("https://a.example", &["https://flex.twilio.com"]);
        assert!(framed.contains_key("strict-transport-security") && !framed.contains_key("x-frame-options"));
        let policy = framed["content-security-policy"].to_str().unwrap();
        assert!(policy.ends_with("frame-ancestors 'self' https://flex.twilio.com"), "{policy}");
        let kept = DefaultHeaders::new(&PublicUrl::parse("http://a.example").unwrap(), &[]);
        let kept = kept.add(([(CACHE_CONTROL, "max-age=9")], "x").into_response());
        assert_eq!(kept.headers()["cache-control"], "max-age=9");
    }
}
