//! Sessions that were ended before their time.
//!
//! A cookie says by itself until when it is good, so signing out has to be remembered, or a copy of the cookie would go on
//! being good: in memory until the session's last cookie has expired, and beyond a restart in Sync by the
//! [`Keeper`](super::Keeper), or in Redis where several replicas run.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};
use tracing::warn;

use super::session::{LIFE, Session};

/// Sessions that are remembered. Each took a right password to begin, so more of them are an account's own doing.
pub(super) const MOST: usize = 10_000;
/// Sign-outs that wait to be written to Sync.
const MOST_WAITING: usize = 1_000;
/// How long a browser waits for its sign-out to be written; writing goes on afterwards.
const LONGEST_WAIT: Duration = Duration::from_secs(3);

/// How long an ended session is remembered: for the life of a cookie that was renewed at that moment, and for a renewal's
/// way.
pub(super) const KNOWN_FOR: Duration = Duration::from_secs(LIFE.as_secs() + 600);

/// Where neither Sync nor Redis can be read for longer after the start, earlier sessions count as ended: their users get the sign-in form.
const LONGEST_UNKNOWN: Duration = Duration::from_secs(60);

/// Which sessions were ended, and until when that has to be known.
#[derive(Debug)]
pub struct SignedOut {
    until: Mutex<HashMap<u64, i64>>,
    /// Whether the sessions that ended before this process began are known.
    is_read: AtomicBool,
    /// When this process began, in seconds since 1970, and on its own clock.
    began: i64,
    since: Instant,
    keeper: Option<mpsc::Sender<EndedSession>>,
}

#[derive(Debug)]
pub(super) struct EndedSession {
    pub(super) nonce: u64,
    /// Until when that has to be known, in seconds since 1970.
    pub(super) until: i64,
    pub(super) written: oneshot::Sender<()>,
}

impl SignedOut {
    /// For a process that began at this time and keeps nothing beyond itself.
    pub(super) fn in_memory(began: i64) -> Self {
        let (until, is_read) = (Mutex::default(), AtomicBool::new(true));
        Self { until, is_read, began, since: Instant::now(), keeper: None }
    }

    /// One of a replica, which reads from Redis what the others know.
    pub(super) fn shared(began: i64) -> Self {
        Self { is_read: AtomicBool::new(false), ..Self::in_memory(began) }
    }

    /// One whose keeper gets what is to be kept.
    pub(super) fn kept(began: i64) -> (Self, mpsc::Receiver<EndedSession>) {
        let (keeper, ended) = mpsc::channel(MOST_WAITING);
        let kept = Self { is_read: AtomicBool::new(false), keeper: Some(keeper), ..Self::in_memory(began) };
        (kept, ended)
    }

    /// Ends a session, by its nonce, at this time, in seconds since 1970; says until when that has to be known.
    pub(super) fn end(&self, nonce: u64, now: i64) -> i64 {
        let until = now + KNOWN_FOR.as_secs().cast_signed();
        self.remember(nonce, until, now);
        until
    }

    fn remember(&self, nonce: u64, known_until: i64, now: i64) {
        let mut until = self.until.lock();
        until.retain(|_, until| *until > now);
        if until.len() >= MOST {
            // The one whose cookies have the least time left.
            let soonest = until.iter().min_by_key(|(_, until)| **until).map(|(nonce, _)| *nonce);
            soonest.map(|nonce| until.remove(&nonce));
        }
        until.insert(nonce, known_until);
    }

    /// Remembers what Sync knew of sessions that ended before this process began, and that this was all.
    pub(super) fn remember_earlier(&self, nonces: impl Iterator<Item = u64>, now: i64) {
        let known_until = now + KNOWN_FOR.as_secs().cast_signed();
        let mut until = self.until.lock();
        for nonce in nonces.take(MOST) {
            until.entry(nonce).or_insert(known_until);
        }
        drop(until);
        self.read();
    }

    /// Waits until a restart would remember it, for a moment at most.
    pub(super) async fn keep(&self, nonce: u64, until: i64) {
        let Some(keeper) = &self.keeper else { return };
        let (written, is_written) = oneshot::channel();
        if keeper.try_send(EndedSession { nonce, until, written }).is_err() {
            warn!("Too many sign-outs wait to be written to Sync; a restart would forget one of them");
            return;
        }
        let _ = timeout(LONGEST_WAIT, is_written).await;
    }

    /// All that Sync or Redis knew has been remembered.
    pub(super) fn read(&self) {
        self.is_read.store(true, Ordering::Release);
    }

    /// Whether a session was ended; `None` while it may have been, before this process began.
    pub(super) fn has(&self, session: &Session) -> Option<bool> {
        let ended = self.until.lock().contains_key(&session.nonce);
        if ended {
            return Some(true);
        }
        if session.began >= self.began || self.is_read.load(Ordering::Acquire) {
            return Some(false);
        }
        (self.since.elapsed() >= LONGEST_UNKNOWN).then_some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Role;
    use super::*;

    fn session(nonce: u64) -> Session {
        Session { user: "admin".to_owned(), role: Role::Editor, began: 0, expires: 1000, nonce }
    }

    #[tokio::test]
    async fn an_ended_session_stays_ended_until_its_cookies_have_expired_and_memory_is_bounded() {
        let ended = SignedOut::in_memory(0);
        let known_for = KNOWN_FOR.as_secs().cast_signed();
        assert_eq!((ended.end(1, 0), known_for), (known_for, 43_800));
        assert_eq!((ended.has(&session(1)), ended.has(&session(2))), (Some(true), Some(false)));
        for nonce in 2..2 + MOST as u64 {
            ended.end(nonce, 1);
        }
        assert_eq!(ended.until.lock().len(), MOST);
        assert_eq!((ended.has(&session(1)), ended.has(&session(2))), (Some(false), Some(true)));
        ended.end(0, 2 + known_for);
        assert_eq!(ended.until.lock().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn until_sync_was_read_nothing_is_said_of_sessions_that_began_before_this_process() {
        let (ended, _keeper) = SignedOut::kept(100);
        let older = session(1);
        let newer = Session { began: 100, ..session(2) };
        assert_eq!((ended.has(&older), ended.has(&newer)), (None, Some(false)));
        tokio::time::advance(LONGEST_UNKNOWN).await;
        assert_eq!((ended.has(&older), ended.has(&newer)), (Some(true), Some(false)), "it takes too long");
        ended.remember_earlier([1].into_iter(), 0);
        assert_eq!((ended.has(&older), ended.has(&session(3))), (Some(true), Some(false)));
        assert_eq!(ended.until.lock()[&1], KNOWN_FOR.as_secs().cast_signed());
    }

    #[tokio::test]
    async fn an_ended_session_is_forgotten_in_the_second_in_which_its_last_cookie_expires() {
        let ended = SignedOut::in_memory(0);
        let until = ended.end(1, 0);
        ended.end(2, until - 1);
        assert_eq!((ended.has(&session(1)), ended.has(&session(2))), (Some(true), Some(true)));
        ended.end(3, until);
        assert_eq!((ended.has(&session(1)), ended.has(&session(2))), (Some(false), Some(true)));
    }
}
