//! Which connections may stay. Those that have not sent a whole request are bounded in number, because anyone can open
//! them; at a limit the oldest of them goes first, so a new connection, which may carry an event or a probe, is let in.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tokio_util::sync::CancellationToken;

#[derive(Debug, Clone, Copy)]
pub(super) struct ConnectionLimits {
    pub(super) open: usize,
    /// Of these, connections that have not sent a whole request, or wait for their next one.
    pub(super) waiting: usize,
}

#[derive(Debug)]
pub(super) struct Places {
    limits: ConnectionLimits,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    /// Grows with every change of state, so the lowest number is the oldest.
    next: u64,
    /// Have not sent a whole request yet.
    fresh: BTreeMap<u64, CancellationToken>,
    /// Were answered, and have sent no further one.
    idle: BTreeMap<u64, CancellationToken>,
    busy: BTreeMap<u64, CancellationToken>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ConnectionState {
    Fresh,
    Idle,
    Busy,
}

/// One connection's place; given back when dropped.
#[derive(Debug)]
pub(super) struct ConnectionPlace {
    places: Arc<Places>,
    at: Mutex<At>,
}

/// Where the connection stands among the others.
#[derive(Debug, Clone)]
struct At {
    state: ConnectionState,
    number: u64,
    evicted: CancellationToken,
}

impl Places {
    pub(super) fn new(limits: ConnectionLimits) -> Arc<Self> {
        Arc::new(Self { limits, open: Mutex::default() })
    }

    /// Takes a place for a new connection, which may evict another one.
    pub(super) fn admit(self: &Arc<Self>) -> Arc<ConnectionPlace> {
        let mut open = self.open();
        while open.waiting() >= self.limits.waiting || open.all() >= self.limits.open {
            if !open.evict() {
                break;
            }
        }
        let evicted = CancellationToken::new();
        let number = open.enter(ConnectionState::Fresh, evicted.clone());
        let at = At { state: ConnectionState::Fresh, number, evicted };
        Arc::new(ConnectionPlace { places: self.clone(), at: Mutex::new(at) })
    }

    /// Ends a connection where the system has no room for another.
    pub(super) fn make_room(&self) {
        self.open().evict();
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // Maps of tokens are right after any panic.
        self.open.lock()
    }
}

impl Open {
    fn waiting(&self) -> usize {
        self.fresh.len() + self.idle.len()
    }

    fn all(&self) -> usize {
        self.waiting() + self.busy.len()
    }

    /// The connections in a state. Those that are busy longest are streams, whose clients reconnect by themselves.
    fn of(&mut self, state: ConnectionState) -> &mut BTreeMap<u64, CancellationToken> {
        match state {
            ConnectionState::Fresh => &mut self.fresh,
            ConnectionState::Idle => &mut self.idle,
            ConnectionState::Busy => &mut self.busy,
        }
    }

    fn enter(&mut self, state: ConnectionState, evicted: CancellationToken) -> u64 {
        let at = self.next;
        self.next += 1;
        self.of(state).insert(at, evicted);
        at
    }

    /// Closes the least valuable connection; `false` where there is none.
    fn evict(&mut self) -> bool {
        let states = [ConnectionState::Fresh, ConnectionState::Idle, ConnectionState::Busy];
        let oldest = states.into_iter().find_map(|state| self.of(state).pop_first());
        oldest.is_some_and(|(_, evicted)| {
            evicted.cancel();
            true
        })
    }
}

impl ConnectionPlace {
    /// The whole request has arrived.
    pub(super) fn busy(&self) {
        self.go(ConnectionState::Busy);
    }

    pub(super) fn idle(&self) {
        self.go(ConnectionState::Idle);
    }

    /// Waits until another connection needs the place. One whose whole request has arrived meanwhile keeps it: in a
    /// flood requests wait to be read, and an event's must not be lost for that.
    pub(super) async fn evicted(&self) {
        loop {
            let At { number, evicted, .. } = self.at.lock().clone();
            evicted.cancelled().await;
            if self.at.lock().number == number {
                return;
            }
        }
    }

    fn go(&self, to: ConnectionState) {
        let mut at = self.at.lock();
        if at.state == to {
            return;
        }
        let mut open = self.places.open();
        let kept = open.of(at.state).remove(&at.number).is_some();
        if kept || to == ConnectionState::Busy {
            let evicted = if kept { at.evicted.clone() } else { CancellationToken::new() };
            *at = At { state: to, number: open.enter(to, evicted.clone()), evicted };
        }
    }
}

impl Drop for ConnectionPlace {
    fn drop(&mut self) {
        let at = self.at.get_mut();
        self.places.open().of(at.state).remove(&at.number);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn is_evicted(place: &ConnectionPlace) -> bool {
        place.evicted().now_or_never().is_some()
    }

    #[test]
    fn one_whose_whole_request_has_come_keeps_its_place() {
        let places = Places::new(ConnectionLimits { open: 4, waiting: 1 });
        let [late, silent] = [(); 2].map(|()| places.admit());
        assert!(is_evicted(&late));
        late.busy();
        assert!(!is_evicted(&late) && !is_evicted(&silent));
        let next = places.admit();
        assert!(is_evicted(&silent) && !is_evicted(&late));
        drop((late, silent, next));
        assert_eq!(places.open().all(), 0);
    }

    #[test]
    fn at_a_limit_those_go_first_that_have_sent_no_whole_request() {
        let places = Places::new(ConnectionLimits { open: 4, waiting: 3 });
        let [streaming, answered, silent] = [(); 3].map(|()| places.admit());
        streaming.busy();
        answered.busy();
        answered.idle();
        let second = places.admit();
        assert!(!is_evicted(&silent), "there is room for three that wait");
        let third = places.admit();
        assert!(is_evicted(&silent) && !is_evicted(&answered));
        second.busy();
        third.busy();
        let fourth = places.admit();
        assert!(is_evicted(&answered), "then those that wait for their next request");
        fourth.busy();
        let fifth = places.admit();
        assert!(is_evicted(&streaming), "then the one that is answered longest");
        drop((streaming, answered, silent, second, third, fourth, fifth));
        assert_eq!(places.open().all(), 0);
    }
}
