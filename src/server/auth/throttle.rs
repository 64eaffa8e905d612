//! Slows down whoever guesses credentials.
//!
//! Wrong ones are counted for each account and address together. So somebody who guesses one account's password from
//! behind the same proxy keeps neither the wall's screen, which has another account, nor scripts with the bearer token
//! out; and somebody elsewhere keeps out nobody at all. Signed-in browsers are not asked, since a session is no guess.
//! Names that do not exist are counted like others: a different answer would tell which do.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::coordination::gossip::{Broadcaster, SharedFact};

/// Wrong ones without any delay: people mistype.
const FREE: u32 = 5;
/// The delay after the next wrong one; each further one doubles it.
const FIRST_DELAY: Duration = Duration::from_secs(1);
/// The longest delay: about 10,000 guesses a day, while somebody who knows the password gets in within seconds.
const LONGEST_DELAY: Duration = Duration::from_secs(8);
/// Wrong ones are forgotten so long after the last.
const MEMORY: Duration = Duration::from_secs(600);
/// Accounts and addresses remembered; beyond that the oldest is forgotten, which gives its guesser a few free ones.
const MOST: usize = 10_000;

/// Remembers wrong credentials.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    remembered: Mutex<Remembered>,
    /// Tells other replicas of wrong ones.
    broadcaster: Broadcaster,
}

#[derive(Debug, Default)]
struct Remembered {
    wrong: HashMap<Key, Wrong>,
    /// The keys of `wrong`, by when each came.
    order: VecDeque<Key>,
}

/// Who guesses what. The name's hash, since names come in any length.
type Key = (IpAddr, [u8; 16]);

#[derive(Debug, Clone, Copy)]
struct Wrong {
    times: u32,
    last: Instant,
}

/// Not checked: there were too many wrong ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMany;

impl Throttle {
    /// One whose wrong ones are told there.
    pub(super) fn told_to(broadcaster: Broadcaster) -> Self {
        Self { broadcaster, ..Self::default() }
    }

    /// Another replica was given wrong ones.
    pub(super) fn hear(&self, address: IpAddr, account: [u8; 16]) {
        self.remembered().note((address, account), Instant::now());
    }

    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks credentials for this account, unless too many from this address were wrong lately. `None` are wrong ones.
    pub(super) fn checked<T>(
        &self,
        address: IpAddr,
        account: &str,
        check: impl FnOnce() -> Option<T>,
    ) -> Result<Option<T>, TooMany> {
        let mut remembered = self.remembered();
        let (key, now) = (key(address, account), Instant::now());
        // Looked at before checking, so that a guesser learns nothing from the answers beyond the bound.
        if remembered.wrong.get(&key).is_some_and(|wrong| wrong.last + wrong.delay() > now) {
            return Err(TooMany);
        }
        let found = check();
        if found.is_none() {
            remembered.note(key, now);
            self.broadcaster.broadcast(SharedFact::WrongCredentials { address: key.0, account: key.1 });
        }
        // A right one does not clear the count, or a screen that asks now and then would give its guesser free ones.
        Ok(found)
    }
}

impl Remembered {
    fn note(&mut self, key: Key, now: Instant) {
        if let Some(wrong) = self.wrong.get_mut(&key) {
            let times = if wrong.last + MEMORY > now { wrong.times.saturating_add(1) } else { 1 };
            *wrong = Wrong { times, last: now };
            return;
        }
        if self.order.len() >= MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.wrong.remove(&oldest);
        }
        self.order.push_back(key);
        self.wrong.insert(key, Wrong { times: 1, last: now });
    }
}

impl Wrong {
    fn delay(self) -> Duration {
        let Some(beyond) = self.times.checked_sub(FREE) else { return Duration::ZERO };
        FIRST_DELAY.saturating_mul(1 << beyond.min(16)).min(LONGEST_DELAY)
    }
}

fn key(address: IpAddr, account: &str) -> Key {
    let address = match address {
        // Whoever has one IPv6 address has the whole network of it.
        IpAddr::V6(address) if address.to_ipv4_mapped().is_none() => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
        }
        address => address.to_canonical(),
    };
    let digest = Sha256::digest(account);
    let mut short = [0; 16];
    short.copy_from_slice(&digest[..16]);
    (address, short)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn guess(throttle: &Throttle, from: &str, account: &str) -> bool {
        throttle.checked(address(from), account, || None::<()>).is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn each_wrong_one_beyond_the_first_few_takes_twice_as_long() {
        let throttle = Throttle::default();
        for _ in 0..FREE {
            assert!(guess(&throttle, "192.0.2.1", "admin"));
        }
        for seconds in [1, 2, 4, 8, 8, 8] {
            assert!(!guess(&throttle, "192.0.2.1", "admin"));
            tokio::time::advance(Duration::from_secs(seconds) - Duration::from_millis(1)).await;
            assert!(!guess(&throttle, "192.0.2.1", "admin"), "{seconds}");
            // One that was not checked makes nothing longer.
            tokio::time::advance(Duration::from_millis(1)).await;
            assert!(guess(&throttle, "192.0.2.1", "admin"), "{seconds}");
        }
        tokio::time::advance(MEMORY).await;
        for _ in 0..FREE {
            assert!(guess(&throttle, "192.0.2.1", "admin"));
        }
        assert!(!guess(&throttle, "192.0.2.1", "admin"), "and then it begins anew");
    }

    #[tokio::test(start_paused = true)]
    async fn other_accounts_and_other_addresses_are_not_kept_out() {
        let throttle = Throttle::default();
        while guess(&throttle, "192.0.2.1", "admin") {}
        assert!(guess(&throttle, "192.0.2.1", "tv"));
        assert!(guess(&throttle, "192.0.2.2", "admin"));
        assert!(!guess(&throttle, "::ffff:192.0.2.1", "admin"), "the same in another spelling");
        while guess(&throttle, "2001:db8:0:1::1", "admin") {}
        assert!(!guess(&throttle, "2001:db8:0:1:ffff::2", "admin"), "the same network");
        assert!(guess(&throttle, "2001:db8:0:2::1", "admin"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_right_one_gives_its_guesser_no_free_ones() {
        let throttle = Throttle::default();
        let right = || throttle.checked(address("192.0.2.1"), "admin", || Some(()));
        for _ in 0..FREE {
            assert!(guess(&throttle, "192.0.2.1", "admin"));
            tokio::time::advance(FIRST_DELAY).await;
            assert_eq!(right(), Ok(Some(())));
        }
        assert!(guess(&throttle, "192.0.2.1", "admin"));
        assert_eq!(right(), Err(TooMany));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_remembered_is_bounded() {
        let throttle = Throttle::default();
        for number in 0..MOST + 100 {
            assert!(guess(&throttle, "192.0.2.1", &number.to_string()));
        }
        let remembered = throttle.remembered();
        assert_eq!((remembered.wrong.len(), remembered.order.len()), (MOST, MOST));
    }
}
