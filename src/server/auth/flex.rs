//! Flex users: whose token it is, asked of Twilio and cached for a short while.
//!
//! A token is remembered by its hash only. Many who come with the same token at once cause one question. What Twilio
//! can't answer now lets no caller in.
//!
//! Anyone can make up tokens, and only Twilio can tell a made-up one. So unknown tokens are asked about a few at a time and
//! out of a budget, by address and in all; a good one costs nothing of it. Tokens that were good lately have places of
//! their own, so strangers keep no agent out who is known.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use tracing::warn;

use super::error::FlexError;
use crate::bucket::Bucket;
use crate::twilio::flex_token::{FlexUser, FlexUsers};

/// How long a valid token's answer is cached; a user whose access is revoked is out after it.
const GOOD_FOR: Duration = Duration::from_secs(120);
/// How long an invalid token's answer is cached, so that a page that retries causes fewer requests.
const BAD_FOR: Duration = Duration::from_secs(10);
const MOST_TOKENS: usize = 20_000;
/// Timeout of a lookup, its wait for a permit included.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Longest token that is asked about; Twilio's have some hundreds of characters.
pub const LONGEST_TOKEN: usize = 4096;
/// Questions about tokens that were good lately, at once.
const KNOWN_AT_ONCE: usize = 16;
/// Questions about other tokens, at once.
const UNKNOWN_AT_ONCE: usize = 8;
/// Made-up tokens of one address: a burst and a rate. A call centre's agents share an address.
const BY_ADDRESS: (f64, f64) = (30.0, 1.0);
/// Made-up tokens in all. Half of it is kept for addresses that a good token came from.
const IN_ALL: (f64, f64) = (120.0, 4.0);
const KEPT_FOR_KNOWN_ADDRESSES: f64 = IN_ALL.0 / 2.0;
const MOST_ADDRESSES: usize = 10_000;

#[derive(Debug)]
pub struct FlexGate {
    users: FlexUsers,
    known: Mutex<HashMap<[u8; 32], Arc<CacheEntry>>>,
    known_at_once: Semaphore,
    unknown_at_once: Semaphore,
    budget: Mutex<Budget>,
    /// Questions under way, each of which ends after the client's timeout at the latest.
    asking: TaskTracker,
}

/// Locked while Twilio is being asked, so that all who come with the token wait for the one answer.
type CacheEntry = tokio::sync::Mutex<Option<CachedUser>>;

#[derive(Debug, Clone)]
struct CachedUser {
    user: Option<Arc<FlexUser>>,
    until: Instant,
}

impl CachedUser {
    fn is_fresh(&self) -> bool {
        self.until > Instant::now()
    }

    /// Whether it was good until a short while ago.
    fn was_good(&self) -> bool {
        self.user.is_some() && self.until + GOOD_FOR > Instant::now()
    }
}

/// What questions about made-up tokens may still be asked.
#[derive(Debug)]
struct Budget {
    in_all: Bucket,
    by_address: HashMap<IpAddr, Address>,
}

#[derive(Debug)]
struct Address {
    bucket: Bucket,
    known: bool,
}

impl Budget {
    fn new(now: Instant) -> Self {
        Self { in_all: Bucket::new(IN_ALL.0, IN_ALL.1, IN_ALL.0, now), by_address: HashMap::new() }
    }

    /// Takes what a question costs; `false` where there is too little left.
    fn take(&mut self, from: IpAddr, now: Instant) -> bool {
        if self.by_address.len() >= MOST_ADDRESSES && !self.by_address.contains_key(&from) {
            self.by_address.retain(|_, address| address.known && address.bucket.level(now) < BY_ADDRESS.0);
        }
        let full =
            || Address { bucket: Bucket::new(BY_ADDRESS.0, BY_ADDRESS.1, BY_ADDRESS.0, now), known: false };
        let address = self.by_address.entry(from).or_insert_with(full);
        let kept = if address.known { 0.0 } else { KEPT_FOR_KNOWN_ADDRESSES };
        self.in_all.level(now) >= 1.0 + kept
            && address.bucket.take(1.0, 0.0, now)
            && self.in_all.take(1.0, kept, now)
    }

    /// Gives back what a question cost whose token was good.
    fn give_back(&mut self, from: IpAddr, now: Instant) {
        self.in_all.spend(-1.0, now);
        if let Some(address) = self.by_address.get_mut(&from) {
            address.bucket.spend(-1.0, now);
            address.known = true;
        }
    }
}

impl FlexGate {
    pub fn new(users: FlexUsers) -> Self {
        Self {
            users,
            known: Mutex::default(),
            known_at_once: Semaphore::new(KNOWN_AT_ONCE),
            unknown_at_once: Semaphore::new(UNKNOWN_AT_ONCE),
            budget: Mutex::new(Budget::new(Instant::now())),
            asking: TaskTracker::new(),
        }
    }

    /// Whose token it is, which came from this address.
    pub async fn user(
        self: &Arc<Self>,
        token: &SecretString,
        from: IpAddr,
    ) -> Result<Arc<FlexUser>, FlexError> {
        if !could_be_one(token.expose_secret()) {
            return Err(FlexError::Invalid);
        }
        let entry = self.entry(Sha256::digest(token.expose_secret()).into());
        let (gate, token) = (self.clone(), token.clone());
        // Of its own, so that the place is kept until Twilio has answered, however soon the caller leaves.
        let asked = self.asking.spawn(async move { gate.ask(&entry, &token, from).await });
        let answered = tokio::time::timeout(LONGEST_WAIT, asked).await;
        let answered = answered.ok().and_then(Result::ok).unwrap_or(Err(FlexError::Unchecked));
        answered?.ok_or(FlexError::Invalid)
    }

    async fn ask(
        &self,
        entry: &CacheEntry,
        token: &SecretString,
        from: IpAddr,
    ) -> Result<Option<Arc<FlexUser>>, FlexError> {
        let mut known = entry.lock().await;
        if let Some(known) = known.as_ref().filter(|known| known.is_fresh()) {
            return Ok(known.user.clone());
        }
        let was_good = known.as_ref().is_some_and(CachedUser::was_good);
        if !was_good && !self.budget().take(from, Instant::now()) {
            return Err(FlexError::Unchecked);
        }
        let places = if was_good { &self.known_at_once } else { &self.unknown_at_once };
        let _place = places.acquire().await.map_err(|_| FlexError::Unchecked)?;
        let user = self.users.user(token).await.map_err(|error| {
            warn!(%error, "A Flex token can't be checked");
            FlexError::Unchecked
        })?;
        let left = user.as_ref().map_or(BAD_FOR, |user| left(user).unwrap_or(GOOD_FOR).min(GOOD_FOR));
        let user = user.filter(|_| !left.is_zero()).map(Arc::new);
        if user.is_some() && !was_good {
            self.budget().give_back(from, Instant::now());
        }
        *known = Some(CachedUser { user: user.clone(), until: Instant::now() + left });
        Ok(user)
    }

    fn budget(&self) -> parking_lot::MutexGuard<'_, Budget> {
        self.budget.lock()
    }

    fn entry(&self, token: [u8; 32]) -> Arc<CacheEntry> {
        let mut known = self.known.lock();
        if known.len() >= MOST_TOKENS && !known.contains_key(&token) {
            // One that is locked is being asked about; those that were good lately are kept before all others.
            known.retain(|_, entry| {
                entry.try_lock().map_or(true, |known| known.as_ref().is_some_and(CachedUser::was_good))
            });
            if known.len() >= MOST_TOKENS {
                // Asking again costs a request each, forgetting costs nothing.
                known.clear();
            }
        }
        known.entry(token).or_default().clone()
    }
}

/// Whether a text could be a Flex token: those are encrypted (JWE), so letters, digits and few signs. Nothing more is sure.
fn could_be_one(token: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    (1..=LONGEST_TOKEN).contains(&token.len()) && token.bytes().all(fits)
}

/// How long a user's token is good for, where Twilio said so.
pub fn left(user: &FlexUser) -> Option<Duration> {
    let expires = user.expires?;
    Some(expires.duration_since(Timestamp::now()).try_into().unwrap_or(Duration::ZERO))
}

#[cfg(test)]
#[path = "flex_tests.rs"]
mod tests;
