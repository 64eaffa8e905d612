//! Flex users: caches Twilio's answer to whose token it is.
//!
//! A token is remembered by its hash only. Many who come with the same token at once cause one question. What Twilio
//! can't answer now admits no one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use tracing::warn;

use super::error::FlexError;
use crate::twilio::flex_token::{FlexUser, FlexUsers};

/// How long a valid token's answer is cached; a user whose access is revoked is out after it.
const GOOD_FOR: Duration = Duration::from_secs(120);
/// How long an invalid token's answer is cached, so that a page that retries causes fewer requests.
const BAD_FOR: Duration = Duration::from_secs(10);
/// Tokens remembered.
const MOST_TOKENS: usize = 20_000;
/// Timeout of a lookup, its wait for a permit included.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Longest token that is asked about; Twilio's have some hundreds of characters.
pub const LONGEST_TOKEN: usize = 4096;

/// Asks, and remembers.
#[derive(Debug)]
pub struct FlexGate {
    users: FlexUsers,
    known: Mutex<HashMap<[u8; 32], Arc<Entry>>>,
}

/// Locked while Twilio is being asked, so that all who come with the token wait for the one answer.
type Entry = tokio::sync::Mutex<Option<Known>>;

#[derive(Debug)]
struct Known {
    user: Option<Arc<FlexUser>>,
    until: Instant,
}

impl FlexGate {
    /// For these users.
    pub fn new(users: FlexUsers) -> Self {
        Self { users, known: Mutex::default() }
    }

    /// Whose token it is.
    pub async fn user(&self, token: &SecretString) -> Result<Arc<FlexUser>, FlexError> {
        if token.expose_secret().len() > LONGEST_TOKEN {
            return Err(FlexError::Invalid);
        }
        let entry = self.entry(Sha256::digest(token.expose_secret()).into());
        let answered = tokio::time::timeout(LONGEST_WAIT, self.ask(&entry, token)).await;
        answered.unwrap_or(Err(FlexError::Unchecked))?.ok_or(FlexError::Invalid)
    }

    async fn ask(&self, entry: &Entry, token: &SecretString) -> Result<Option<Arc<FlexUser>>, FlexError> {
        let mut known = entry.lock().await;
        if let Some(known) = known.as_ref().filter(|known| known.until > Instant::now()) {
            return Ok(known.user.clone());
        }
        *known = None;
        let user = self.users.user(token).await.map_err(|error| {
            warn!(%error, "A Flex token can't be checked");
            FlexError::Unchecked
        })?;
        let left = user.as_ref().map_or(BAD_FOR, |user| left(user).unwrap_or(GOOD_FOR).min(GOOD_FOR));
        let user = user.filter(|_| !left.is_zero()).map(Arc::new);
        *known = Some(Known { user: user.clone(), until: Instant::now() + left });
        Ok(user)
    }

    fn entry(&self, token: [u8; 32]) -> Arc<Entry> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_TOKENS && !known.contains_key(&token) {
            let now = Instant::now();
            // One that is locked is being asked about.
            known.retain(|_, entry| {
                entry.try_lock().map_or(true, |known| known.as_ref().is_some_and(|known| known.until > now))
            });
            if known.len() >= MOST_TOKENS {
                // A lookup costs one request for each token, clearing the cache nothing.
                known.clear();
            }
        }
        known.entry(token).or_default().clone()
    }
}

/// How long a user's token is good for, where Twilio said so.
pub fn left(user: &FlexUser) -> Option<Duration> {
    let expires = user.expires?;
    Some(expires.duration_since(Timestamp::now()).try_into().unwrap_or(Duration::ZERO))
}
