//! Sessions that were ended before their time.
//!
//! A cookie says by itself until when it is good, so signing out has to be remembered, or a copy of the cookie would go on
//! being good. It is remembered until the last cookie of that session has expired, and no longer; a restart forgets it.

use std::collections::HashMap;

use parking_lot::Mutex;

use super::session::{LIFE, Session};

/// Sessions that are remembered. Each took a right password to begin, so more of them are an account's own doing.
const MOST: usize = 10_000;

/// Which sessions were ended, and until when that has to be known.
#[derive(Debug, Default)]
pub(super) struct SignedOut {
    until: Mutex<HashMap<u64, i64>>,
}

impl SignedOut {
    /// Ends a session, by its nonce, at this time, in seconds since 1970.
    pub(super) fn end(&self, nonce: u64, now: i64) {
        let mut until = self.until.lock();
        until.retain(|_, until| *until > now);
        if until.len() >= MOST {
            // The one whose cookies have the least time left.
            let soonest = until.iter().min_by_key(|(_, until)| **until).map(|(nonce, _)| *nonce);
            soonest.map(|nonce| until.remove(&nonce));
        }
        // Another copy may have been renewed just now, and is good for a whole life from then on.
        until.insert(nonce, now + LIFE.as_secs().cast_signed());
    }

    pub(super) fn has(&self, session: &Session) -> bool {
        self.until.lock().contains_key(&session.nonce)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Role;
    use super::*;

    fn session(nonce: u64) -> Session {
        Session { user: "admin".to_owned(), role: Role::Editor, began: 0, expires: 1000, nonce }
    }

    #[test]
    fn an_ended_session_stays_ended_until_its_cookies_have_expired_and_memory_is_bounded() {
        let ended = SignedOut::default();
        ended.end(1, 0);
        assert!(ended.has(&session(1)) && !ended.has(&session(2)));
        for nonce in 2..2 + MOST as u64 {
            ended.end(nonce, 1);
        }
        assert_eq!(ended.until.lock().len(), MOST);
        assert!(!ended.has(&session(1)) && ended.has(&session(2)));
        ended.end(0, 2 + LIFE.as_secs().cast_signed());
        assert_eq!(ended.until.lock().len(), 1);
    }
}
