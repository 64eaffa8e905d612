//! Slows down guesses of credentials.
//!
//! Wrong ones are counted for each account and address together. So guesses of one account's password from behind the same
//! proxy keep neither the wall's screen, which has another account, nor scripts with the bearer token out; and guesses from
//! elsewhere keep out no caller at all. A device that has signed in before is counted by itself, so guesses from its
//! address do not slow it down. Signed-in browsers are not asked, since a session is no guess. Names that do not exist are
//! counted like others: a different answer would tell which do. They are remembered apart, so that made-up names by the
//! thousand push no account that exists out of the memory.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::coordination::gossip::{Broadcaster, SharedFact};

/// Wrong ones without any delay: people mistype.
const FREE: u32 = 5;
/// The delay after the next wrong one; each further one doubles it.
const FIRST_DELAY: Duration = Duration::from_secs(1);
/// The longest delay: about 10,000 guesses a day, while a person who knows the password gets in within seconds.
const LONGEST_DELAY: Duration = Duration::from_secs(8);
/// Wrong ones are forgotten this long after the last.
const MEMORY: Duration = Duration::from_secs(600);
/// Accounts and addresses remembered, of each kind; beyond that the oldest is forgotten, which gives its guesser a few free
/// ones.
const MOST: usize = 10_000;
/// Sign-ins that wait for their turn, for one account and address, and in all.
const MOST_WAITING_EACH: usize = 8;
const MOST_WAITING: usize = 200;

#[derive(Debug, Default)]
pub(super) struct Throttle {
    remembered: Mutex<Remembered>,
    waiting: Mutex<WaitingTurns>,
    broadcaster: Broadcaster,
}

/// How many wait for their turn, by key and in all.
#[derive(Debug, Default)]
struct WaitingTurns {
    by_key: HashMap<AttemptKey, usize>,
    all: usize,
}

#[derive(Debug, Default)]
struct Remembered {
    accounts: HashSet<[u8; 16]>,
    of_accounts: Wrongs,
    of_made_up: Wrongs,
}

/// Wrong ones by key, and the keys by when each came.
#[derive(Debug, Default)]
struct Wrongs {
    wrong: HashMap<AttemptKey, Wrong>,
    order: VecDeque<AttemptKey>,
}

/// Which account is guessed, and from where. The name's hash, since names come in any length.
pub(super) type AttemptKey = (IpAddr, [u8; 16]);

#[derive(Debug, Clone, Copy)]
struct Wrong {
    times: u32,
    last: Instant,
}

/// Not checked: there were too many wrong ones. The next one is checked then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMany {
    pub(super) until: Instant,
}

impl Throttle {
    pub(super) fn new<'n>(accounts: impl Iterator<Item = &'n str>, broadcaster: Broadcaster) -> Self {
        let accounts = accounts.map(short_hash).collect();
        let remembered = Remembered { accounts, ..Remembered::default() };
        Self { remembered: Mutex::new(remembered), waiting: Mutex::default(), broadcaster }
    }

    pub(super) fn hear(&self, address: IpAddr, account: [u8; 16]) {
        self.remembered().note((address, account), Instant::now());
    }

    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.remembered.lock()
    }

    /// Checks credentials, unless too many under this key were wrong lately. `None` are wrong ones.
    pub(super) fn checked<T>(
        &self,
        key: AttemptKey,
        check: impl FnOnce() -> Option<T>,
    ) -> Result<Option<T>, TooMany> {
        let mut remembered = self.remembered();
        let now = Instant::now();
        // Looked at before checking, so that a guesser learns nothing from the answers beyond the bound.
        if let Some(wrong) = remembered.of(key).wrong.get(&key)
            && wrong.last + wrong.delay() > now
        {
            return Err(TooMany { until: wrong.last + wrong.delay() });
        }
        let found = check();
        if found.is_none() {
            remembered.note(key, now);
            self.broadcaster.broadcast(SharedFact::WrongCredentials { address: key.0, account: key.1 });
        }
        // A right one does not clear the count, or a screen that asks now and then would give its guesser free ones.
        Ok(found)
    }

    /// The same, waiting for its turn until `deadline` at the latest.
    pub(super) async fn checked_in_turn<T>(
        &self,
        key: AttemptKey,
        deadline: Instant,
        check: impl Fn() -> Option<T>,
    ) -> Result<Option<T>, TooMany> {
        let mut place = None;
        loop {
            let too_many = match self.checked(key, &check) {
                Err(too_many) if too_many.until <= deadline => too_many,
                decided => return decided,
            };
            if place.is_none() {
                place = Some(WaitingTurn::take(self, key).ok_or(too_many)?);
            }
            tokio::time::sleep_until(too_many.until).await;
        }
    }
}

/// A place among those who wait.
struct WaitingTurn<'t>(&'t Throttle, AttemptKey);

impl<'t> WaitingTurn<'t> {
    fn take(throttle: &'t Throttle, key: AttemptKey) -> Option<Self> {
        let mut waiting = throttle.waiting.lock();
        let of_key = waiting.by_key.get(&key).copied().unwrap_or_default();
        if waiting.all >= MOST_WAITING || of_key >= MOST_WAITING_EACH {
            return None;
        }
        waiting.by_key.insert(key, of_key + 1);
        waiting.all += 1;
        Some(Self(throttle, key))
    }
}

impl Drop for WaitingTurn<'_> {
    fn drop(&mut self) {
        let mut waiting = self.0.waiting.lock();
        waiting.all -= 1;
        if let Some(count) = waiting.by_key.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                waiting.by_key.remove(&self.1);
            }
        }
    }
}

impl Remembered {
    fn of(&mut self, key: AttemptKey) -> &mut Wrongs {
        let device = key.0.is_unspecified();
        if device || self.accounts.contains(&key.1) { &mut self.of_accounts } else { &mut self.of_made_up }
    }

    fn note(&mut self, key: AttemptKey, now: Instant) {
        self.of(key).note(key, now);
    }
}

impl Wrongs {
    fn note(&mut self, key: AttemptKey, now: Instant) {
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

pub(super) fn key(address: IpAddr, account: &str) -> AttemptKey {
    let address = match address {
        // The holder of one IPv6 address has its whole network.
        IpAddr::V6(address) if address.to_ipv4_mapped().is_none() => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
        }
        address => address.to_canonical(),
    };
    (address, short_hash(account))
}

/// A device that has signed in before, wherever it is.
pub(super) fn device_key(nonce: u64) -> AttemptKey {
    (IpAddr::V6(Ipv6Addr::UNSPECIFIED), short_hash(&format!("device {nonce}")))
}

fn short_hash(account: &str) -> [u8; 16] {
    let digest = Sha256::digest(account);
    let mut short = [0; 16];
    short.copy_from_slice(&digest[..16]);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttle() -> Throttle {
        Throttle::new(["admin", "tv"].into_iter(), Broadcaster::default())
    }

    fn at(address: &str, account: &str) -> AttemptKey {
        key(address.parse().unwrap(), account)
    }

    fn guess(throttle: &Throttle, from: &str, account: &str) -> bool {
        throttle.checked(at(from, account), || None::<()>).is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn each_wrong_one_beyond_the_first_few_takes_twice_as_long() {
        let throttle = throttle();
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
        assert!(!guess(&throttle, "192.0.2.1", "admin"), "and then it begins again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_comes_when_the_delay_is_over_and_not_beyond_the_deadline() {
        let throttle = throttle();
        let key = at("192.0.2.1", "admin");
        while guess(&throttle, "192.0.2.1", "admin") {}
        let within = |after| throttle.checked_in_turn(key, Instant::now() + after, || Some(()));
        let begin = Instant::now();
        let refused = within(FIRST_DELAY - Duration::from_millis(1)).await;
        assert_eq!((refused, begin.elapsed()), (Err(TooMany { until: begin + FIRST_DELAY }), Duration::ZERO));
        assert_eq!((within(FIRST_DELAY).await, begin.elapsed()), (Ok(Some(())), FIRST_DELAY));
    }

    #[tokio::test(start_paused = true)]
    async fn other_accounts_other_addresses_and_known_devices_are_not_kept_out() {
        let throttle = throttle();
        while guess(&throttle, "192.0.2.1", "admin") {}
        assert!(guess(&throttle, "192.0.2.1", "tv"));
        assert!(guess(&throttle, "192.0.2.2", "admin"));
        assert!(!guess(&throttle, "::ffff:192.0.2.1", "admin"), "the same in another spelling");
        while guess(&throttle, "2001:db8:0:1::1", "admin") {}
        assert!(!guess(&throttle, "2001:db8:0:1:ffff::2", "admin"), "the same network");
        assert!(guess(&throttle, "2001:db8:0:2::1", "admin"));
        assert_eq!(throttle.checked(device_key(7), || Some(())), Ok(Some(())));
    }

    #[tokio::test(start_paused = true)]
    async fn a_right_one_gives_its_guesser_no_free_ones() {
        let throttle = throttle();
        let right = || throttle.checked(at("192.0.2.1", "admin"), || Some(()));
        for _ in 0..FREE {
            assert!(guess(&throttle, "192.0.2.1", "admin"));
            tokio::time::advance(FIRST_DELAY).await;
            assert_eq!(right(), Ok(Some(())));
        }
        assert!(guess(&throttle, "192.0.2.1", "admin"));
        assert!(right().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_sign_in_waits_for_its_turn_and_those_who_wait_are_bounded() {
        let throttle = throttle();
        while guess(&throttle, "192.0.2.1", "admin") {}
        let key = at("192.0.2.1", "admin");
        let in_turn = || throttle.checked_in_turn(key, Instant::now() + Duration::from_secs(10), || Some(()));
        let (first, second) = tokio::join!(in_turn(), in_turn());
        assert_eq!((first, second), (Ok(Some(())), Ok(Some(()))));
        while guess(&throttle, "192.0.2.1", "admin") {}
        let many = futures_util::future::join_all((0..20).map(|_| in_turn())).await;
        assert_eq!(many.iter().filter(|turn| turn.is_ok()).count(), MOST_WAITING_EACH);
        // As many names as there are places for one each, each guessed by more than may wait for it.
        let names: Vec<_> = (0..MOST_WAITING).map(|number| at("192.0.2.1", &number.to_string())).collect();
        for name in &names {
            while throttle.checked(*name, || None::<()>).is_ok() {}
        }
        let deadline = Instant::now() + Duration::from_secs(10);
        let tries = names.iter().flat_map(|name| [name; 2 * MOST_WAITING_EACH]);
        let all = futures_util::future::join_all(
            tries.map(|name| throttle.checked_in_turn(*name, deadline, || Some(()))),
        );
        let all = all.await;
        assert_eq!(all.iter().filter(|turn| turn.is_ok()).count(), MOST_WAITING);
        assert!(throttle.waiting.lock().by_key.is_empty());
        assert_eq!(throttle.waiting.lock().all, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn made_up_names_by_the_thousand_push_no_account_out_of_a_bounded_memory() {
        let throttle = throttle();
        while guess(&throttle, "192.0.2.1", "admin") {}
        while throttle.checked(device_key(7), || None::<()>).is_ok() {}
        for number in 0..MOST + 100 {
            assert!(guess(&throttle, "192.0.2.1", &number.to_string()));
        }
        assert!(!guess(&throttle, "192.0.2.1", "admin"), "what was guessed of it is not forgotten");
        assert!(throttle.checked(device_key(7), || Some(())).is_err(), "nor what was guessed on a device");
        let remembered = throttle.remembered();
        let made_up = &remembered.of_made_up;
        assert_eq!((made_up.wrong.len(), made_up.order.len()), (MOST, MOST));
    }
}
