//! The sockets that are connected, and what a test can do to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use serde::Serialize;
use tokio::sync::watch;

/// Sockets at the same time; Twilio's documented limit for an account.
const MAX_SOCKETS: usize = 7_000;

/// The handle; clones are the same.
#[derive(Debug, Clone)]
pub struct Sockets(Arc<SocketsShared>);

#[derive(Debug)]
struct SocketsShared {
    inner: Mutex<SocketsInner>,
    cuts: watch::Sender<u64>,
    changes: watch::Sender<u64>,
}

#[derive(Debug)]
struct SocketsInner {
    open: bool,
    last: u64,
    sockets: BTreeMap<u64, SocketView>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SocketView {
    /// The identity of its token; `None` before it has sent one.
    pub identity: Option<String>,
    /// How many objects it watches.
    pub subscriptions: usize,
}

/// A connected socket's place, given back when dropped.
#[derive(Debug)]
pub(super) struct Seat {
    sockets: Sockets,
    number: u64,
    cuts: watch::Receiver<u64>,
}

impl Default for Sockets {
    fn default() -> Self {
        let inner = SocketsInner { open: true, last: 0, sockets: BTreeMap::new() };
        let (cuts, changes) = (watch::Sender::new(0), watch::Sender::new(0));
        Self(Arc::new(SocketsShared { inner: Mutex::new(inner), cuts, changes }))
    }
}

impl Sockets {
    /// The connected sockets, oldest first.
    pub fn all(&self) -> Vec<SocketView> {
        self.lock().sockets.values().cloned().collect()
    }

    /// Resets every connection, as a broken network would. The SDK comes back by itself.
    pub fn cut(&self) {
        let _inner = self.lock();
        self.0.cuts.send_modify(|count| *count += 1);
    }

    pub fn is_open(&self) -> bool {
        self.lock().open
    }

    /// Refuses new connections and cuts the present ones, until they are allowed again.
    pub fn set_open(&self, open: bool) {
        self.lock().open = open;
        if !open {
            self.cut();
        }
        self.told();
    }

    /// Counts up with every socket that comes, shows a token, subscribes or goes.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// A place for a new socket, if there is one.
    pub(super) fn enter(&self) -> Option<Seat> {
        let mut inner = self.lock();
        if !inner.open || inner.sockets.len() >= MAX_SOCKETS {
            return None;
        }
        inner.last += 1;
        let number = inner.last;
        inner.sockets.insert(number, SocketView::default());
        // Under the lock, so that no cut falls between the two.
        let cuts = self.0.cuts.subscribe();
        drop(inner);
        self.told();
        Some(Seat { sockets: self.clone(), number, cuts })
    }

    fn told(&self) {
        self.0.changes.send_modify(|count| *count += 1);
    }

    fn lock(&self) -> MutexGuard<'_, SocketsInner> {
        self.0.inner.lock()
    }
}

impl Seat {
    pub(super) fn show(&self, view: SocketView) {
        self.sockets.lock().sockets.insert(self.number, view);
        self.sockets.told();
    }

    pub(super) fn cuts(&self) -> watch::Receiver<u64> {
        self.cuts.clone()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.sockets.lock().sockets.remove(&self.number);
        self.sockets.told();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_is_shown_cut_and_given_back() {
        let sockets = Sockets::default();
        let seat = sockets.enter().unwrap();
        let view = SocketView { identity: Some("a".to_owned()), subscriptions: 2 };
        seat.show(view.clone());
        assert_eq!(sockets.all(), [view]);
        assert!(!seat.cuts().has_changed().unwrap());
        sockets.set_open(false);
        assert!(seat.cuts().has_changed().unwrap());
        assert!(sockets.enter().is_none());
        drop(seat);
        assert!(sockets.all().is_empty());
        sockets.set_open(true);
        assert!(
            !sockets.enter().unwrap().cuts().has_changed().unwrap(),
            "an earlier cut is none of its business"
        );
    }
}
