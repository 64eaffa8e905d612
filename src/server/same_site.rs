//! Refuses changes that another site's page makes a visitor's browser request (CSRF).
//!
//! A browser sends cookies and remembered HTTP Basic credentials along whichever page asks, so neither shows that its
//! user wanted the request. Browsers name the page's site: in `Sec-Fetch-Site` where they reached us over TLS or on
//! their own machine, and in `Origin` with every request that is no plain GET. Scripts and Twilio send neither, and
//! can't be made to act for another. A GET over plain HTTP carries neither, and passes.

use axum::extract::FromRequestParts;
use axum::http::header::{HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};

use super::{ApiError, AppState};
use crate::config::PublicUrl;

const SITE_HEADER: &str = "sec-fetch-site";

/// Extractor for a handler that changes something by a safe method, as older systems' addresses do.
#[derive(Debug)]
pub(super) struct SameSite;

impl FromRequestParts<AppState> for SameSite {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        check(&parts.headers, &state.public_url).map(|()| Self)
    }
}

/// Refuses requests of other sites' pages; passes our own pages', addresses that a user typed, and what no browser sent.
pub(super) fn check(headers: &HeaderMap, public_url: &PublicUrl) -> Result<(), ApiError> {
    // A browser on our own pages sends text; any other value is another site's.
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let own = match (text(SITE_HEADER), text(ORIGIN.as_str())) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, None) => true,
        // The page may have been opened by another of our names than PUBLIC_URL's.
        (None, Some(origin)) => origin == public_url.origin() || is_at(origin, text(HOST.as_str())),
    };
    if own {
        Ok(())
    } else {
        {
            let message =
                "a page of another site sent this request; only this service's own pages, and scripts, may";
            Err(ApiError::new(StatusCode::FORBIDDEN, "other_site", message))
        }
    }
}

/// Whether the browser's headers prove that one of our pages sent this: no other site's form, and no script.
pub(super) fn is_own_page(headers: &HeaderMap, public_url: &PublicUrl) -> bool {
    let says = headers.contains_key(SITE_HEADER) || headers.contains_key(ORIGIN);
    let site = headers.get(SITE_HEADER).is_none_or(|site| site.as_bytes() == b"same-origin");
    says && site && check(headers, public_url).is_ok()
}

fn is_at(origin: &str, host: Option<&str>) -> bool {
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    host.is_some_and(|host| authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(pairs: &[(&'static str, &str)]) -> bool {
        let headers = pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let public_url = PublicUrl::parse("https://hooks.example.com/tr").unwrap();
        check(&headers.collect(), &public_url).is_ok()
    }

    #[test]
    fn lets_scripts_and_own_pages_through() {
        let inner = ("host", "10.0.0.5:8080");
        for own in [
            &[][..],
            &[inner],
            &[("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "none")],
            // A form on a page that names no referrer.
            &[("sec-fetch-site", "same-origin"), ("origin", "null")],
            &[("origin", "https://hooks.example.com"), inner],
            &[("origin", "http://10.0.0.5:8080"), inner],
        ] {
            assert!(passes(own), "{own:?}");
        }
    }

    #[test]
    fn only_what_a_browser_says_proves_an_own_page() {
        let proven = |pairs: &[(&'static str, &str)]| {
            let headers = pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            is_own_page(&headers.collect(), &PublicUrl::parse("https://hooks.example.com").unwrap())
        };
        let (own, same) = (("origin", "https://hooks.example.com"), ("sec-fetch-site", "same-origin"));
        assert!(proven(&[own]) && proven(&[same]) && proven(&[own, same]));
        assert!(!proven(&[]), "a script");
        assert!(!proven(&[("sec-fetch-site", "none"), own]), "an address that a user typed");
        assert!(!proven(&[("origin", "https://evil.example")]));
    }

    #[test]
    fn refuses_other_sites_however_they_look() {
        let inner = ("host", "10.0.0.5:8080");
        for foreign in [
            &[("sec-fetch-site", "cross-site"), inner][..],
            &[("sec-fetch-site", "same-site"), inner],
            &[("sec-fetch-site", ""), inner],
            &[("sec-fetch-site", "cross-site"), ("origin", "https://hooks.example.com")],
            &[("origin", "https://evil.example"), inner],
            &[("origin", "null"), inner],
            &[("origin", "https://hooks.example.com.evil.example"), inner],
            &[("origin", "https://hooks.example.com:444"), inner],
            &[("origin", "http://10.0.0.5"), inner],
            &[("origin", "10.0.0.5:8080"), inner],
            &[("origin", "http://evil.example")],
        ] {
            assert!(!passes(foreign), "{foreign:?}");
        }
    }
}
