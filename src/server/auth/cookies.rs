//! The cookies' names and attributes.
//!
//! Browsers share cookies between all ports of a host, so each service's cookies have names of their own, by its public
//! URL: two services on one host sign each other's users neither in nor out.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use axum_extra::extract::cookie::{Cookie, SameSite};
use sha2::{Digest, Sha256};
use time::Duration;

use crate::config::PublicUrl;

/// How long a browser may keep a cookie at all, as browsers limit it themselves.
const LONGEST_SECONDS: i64 = 400 * 86_400;

#[derive(Debug, Clone)]
pub struct Cookies {
    session: String,
    device: String,
    screen: String,
    over_tls: bool,
    framed: bool,
}

impl Cookies {
    /// For a service with this public URL; `framed` where other sites may show its pages in a frame.
    pub fn new(public_url: &PublicUrl, framed: bool) -> Self {
        let digest = Sha256::digest(public_url.to_string());
        let service: String = digest[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        // Browsers take a name with this prefix over TLS only, from this host only, and for all of its paths.
        let over_tls = public_url.is_https();
        let prefix = if over_tls { "__Host-" } else { "" };
        let name = |what: &str| format!("{prefix}taskrouter_sync_{service}_{what}");
        Self { session: name("session"), device: name("device"), screen: name("screen"), over_tls, framed }
    }

    /// Sets the session's cookie for `seconds`; 0 deletes it.
    pub fn set_session(&self, value: &str, seconds: i64) -> Option<HeaderValue> {
        self.set(&self.session, value, seconds)
    }

    pub fn set_device(&self, value: &str) -> Option<HeaderValue> {
        self.set(&self.device, value, LONGEST_SECONDS)
    }

    /// Sets the cookie of a screen that was opened by its link.
    pub fn set_screen(&self, value: &str) -> Option<HeaderValue> {
        self.set(&self.screen, value, LONGEST_SECONDS)
    }

    fn set(&self, name: &str, value: &str, seconds: i64) -> Option<HeaderValue> {
        let mut cookie = Cookie::build((name, value)).path("/").http_only(true).same_site(SameSite::Lax);
        cookie = cookie.max_age(Duration::seconds(seconds));
        if self.over_tls {
            cookie = cookie.secure(true);
            if self.framed {
                // In a frame of another site a browser sends no other ones.
                cookie = cookie.same_site(SameSite::None).partitioned(true);
            }
        }
        // Base64 and plain attributes: always a header's value.
        HeaderValue::try_from(cookie.to_string()).ok()
    }

    pub fn session<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        find(headers, &self.session)
    }

    pub fn device<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        find(headers, &self.device)
    }

    pub fn screen<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        find(headers, &self.screen)
    }
}

fn find<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(Cookie::split_parse).flatten();
    // A browser sends the cookie with the longest path first.
    pairs.find(|cookie| cookie.name() == wanted).and_then(|cookie| cookie.value_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie(url: &str, framed: bool) -> String {
        let cookies = Cookies::new(&PublicUrl::parse(url).unwrap(), framed);
        cookies.set_session("x", 9).unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn each_service_has_names_of_its_own_and_over_tls_the_strictest() {
        let urls =
            ["http://a.example:8080", "http://a.example:8081", "https://a.example", "https://a.example/tr"];
        let names: std::collections::BTreeSet<String> =
            urls.iter().map(|url| cookie(url, false).split('=').next().unwrap().to_owned()).collect();
        assert_eq!(names.len(), 4, "{names:?}");
        let plain = cookie("http://a.example", true);
        assert!(!plain.starts_with("__Host-") && plain.contains("SameSite=Lax") && !plain.contains("Secure"));
        let over_tls = cookie("https://a.example/tr", false);
        assert!(
            over_tls.starts_with("__Host-") && over_tls.contains("; Secure") && over_tls.contains("; Path=/")
        );
        let framed = cookie("https://a.example", true);
        let cookies = Cookies::new(&PublicUrl::parse("https://a.example").unwrap(), true);
        for long in [cookies.set_device("x"), cookies.set_screen("x")] {
            assert!(long.unwrap().to_str().unwrap().contains("; Max-Age=34560000"), "400 days");
        }
        for attribute in ["; SameSite=None", "; Secure", "; Partitioned", "; HttpOnly", "; Max-Age=9"] {
            assert!(framed.contains(attribute), "{framed}");
        }
    }

    #[test]
    fn each_cookie_is_found_among_all_others() {
        let cookies = Cookies::new(&PublicUrl::parse("https://a.example").unwrap(), false);
        let pair =
            |set: Option<HeaderValue>| set.unwrap().to_str().unwrap().split(';').next().unwrap().to_owned();
        let (session, device) = (pair(cookies.set_session("one", 9)), pair(cookies.set_device("two")));
        let screen = pair(cookies.set_screen("three"));
        let sent = [format!("theme=dark; {session}; {device}"), screen];
        let headers = sent.map(|value| (COOKIE, HeaderValue::try_from(value).unwrap())).into_iter().collect();
        let found = |headers| (cookies.session(headers), cookies.device(headers), cookies.screen(headers));
        assert_eq!(found(&headers), (Some("one"), Some("two"), Some("three")));
        assert_eq!(found(&HeaderMap::new()), (None, None, None));
    }
}
