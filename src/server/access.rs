//! Who may use the administrative requests: the configured administrator, by HTTP Basic or a bearer token.

use std::sync::{Mutex, PoisonError};

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::time::Instant;

use super::error::ApiError;
use crate::bucket::Bucket;
use crate::config::Administrator;

/// Wrong credentials that are checked at once, from anybody together.
const ATTEMPTS_AT_ONCE: f64 = 10.0;
/// And a second from then on.
const ATTEMPTS_PER_SECOND: f64 = 0.5;

/// Checks the administrator's credentials, and slows down whoever guesses.
#[derive(Debug)]
pub struct Access {
    administrator: Administrator,
    attempts: Mutex<Bucket>,
}

impl Access {
    /// For this administrator; for one without credentials nobody is let in.
    pub fn new(administrator: Administrator) -> Self {
        let attempts = Bucket::new(ATTEMPTS_AT_ONCE, ATTEMPTS_PER_SECOND, ATTEMPTS_AT_ONCE, Instant::now());
        Self { administrator, attempts: Mutex::new(attempts) }
    }

    /// Lets the administrator in.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        if self.administrator.basic.is_none() && self.administrator.bearer.is_none() {
            return Err(ApiError::NoAdministrator);
        }
        let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some((scheme, credentials)) = given.and_then(|given| given.split_once(' ')) else {
            return Err(ApiError::Unauthorized);
        };
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        // Looked at before checking, so that a guesser learns nothing from the answers beyond the bound.
        if attempts.ready_at(1.0, 0.0, now) > now {
            return Err(ApiError::Guessing);
        }
        if self.is_administrator(scheme, credentials.trim()) {
            return Ok(());
        }
        attempts.take(1.0, 0.0, now);
        Err(ApiError::Unauthorized)
    }

    fn is_administrator(&self, scheme: &str, credentials: &str) -> bool {
        if scheme.eq_ignore_ascii_case("bearer") {
            let token = self.administrator.bearer.as_ref();
            return token.is_some_and(|token| same(token.expose_secret(), credentials));
        }
        let decoded =
            BASE64_STANDARD.decode(credentials).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let (Some((user, password)), Some(decoded)) = (&self.administrator.basic, decoded) else {
            return false;
        };
        scheme.eq_ignore_ascii_case("basic")
            && same(&format!("{user}:{}", password.expose_secret()), &decoded)
    }
}

/// Compares without telling by the time taken where, or in what length, two texts differ.
fn same(a: &str, b: &str) -> bool {
    Sha256::digest(a).ct_eq(&Sha256::digest(b)).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::SecretString;

    fn access() -> Access {
        Access::new(Administrator {
            basic: Some(("admin".to_owned(), SecretString::from("pass:word"))),
            bearer: Some(SecretString::from("a-long-bearer-token")),
        })
    }

    fn headers(authorization: &str) -> HeaderMap {
        HeaderMap::from_iter([(AUTHORIZATION, authorization.parse().unwrap())])
    }

    fn basic(text: &str) -> HeaderMap {
        headers(&format!("Basic {}", BASE64_STANDARD.encode(text)))
    }

    #[tokio::test]
    async fn lets_the_administrator_in_and_nobody_else() {
        let access = access();
        assert!(access.check(&basic("admin:pass:word")).is_ok());
        assert!(access.check(&headers("Bearer a-long-bearer-token")).is_ok());
        for wrong in [
            HeaderMap::new(),
            basic("admin:pass"),
            basic("admin"),
            basic(""),
            headers("Bearer "),
            headers("Bearer x"),
            headers("Basic %%"),
            headers("Digest x"),
        ] {
            assert!(matches!(access.check(&wrong), Err(ApiError::Unauthorized)), "{wrong:?}");
        }
        let nobody = Access::new(Administrator::default());
        assert!(matches!(nobody.check(&basic(":")), Err(ApiError::NoAdministrator)));
    }

    #[tokio::test(start_paused = true)]
    async fn slows_down_whoever_guesses() {
        let access = access();
        let outcomes: Vec<bool> =
            (0..20).map(|_| matches!(access.check(&basic("admin:wrong")), Err(ApiError::Guessing))).collect();
        assert_eq!(outcomes.iter().filter(|guessing| **guessing).count(), 10);
        tokio::time::advance(std::time::Duration::from_secs(10)).await;
        assert!(access.check(&basic("admin:pass:word")).is_ok());
    }
}
