//! The requests to the emulator: a ring of small records, running totals and peaks.
//!
//! Tests assert on the journal: "never above N in flight" or "no request above its limit" is then an observation, not
//! a hope. Totals and peaks go on when the ring has forgotten the records behind them.

mod entry;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;

pub(crate) use entry::APIS;
pub use entry::{Api, Entry, Filter, Totals};

const ENTRIES: usize = 250_000;

/// The handle; clones are the same.
#[derive(Clone)]
pub struct Journal(Arc<JournalShared>);

struct JournalShared {
    inner: Mutex<JournalInner>,
    in_flight: [Gauge; APIS.len()],
    all: Gauge,
    sync_writes: Gauge,
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct JournalInner {
    entries: VecDeque<Entry>,
    totals: Totals,
}

#[derive(Debug, Default)]
struct Gauge {
    now: AtomicUsize,
    peak: AtomicUsize,
}

impl Default for Journal {
    fn default() -> Self {
        Self(Arc::new(JournalShared {
            inner: Mutex::default(),
            in_flight: Default::default(),
            all: Gauge::default(),
            sync_writes: Gauge::default(),
            changed: watch::Sender::new(0),
        }))
    }
}

impl Journal {
    /// The records, oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        self.lock().entries.iter().cloned().collect()
    }

    /// The records that pass a filter, oldest first.
    pub fn matching(&self, filter: &Filter) -> Vec<Entry> {
        self.lock().entries.iter().filter(|entry| filter.passes(entry)).cloned().collect()
    }

    /// How many records pass a filter.
    pub fn count(&self, filter: &Filter) -> usize {
        self.lock().entries.iter().filter(|entry| filter.passes(entry)).count()
    }

    pub fn totals(&self) -> Totals {
        self.lock().totals
    }

    /// The most requests of a product that were in flight at the same time.
    pub fn peak_in_flight(&self, api: Api) -> usize {
        self.0.in_flight[api as usize].peak.load(Ordering::Acquire)
    }

    /// The same over all products.
    pub fn peak_in_flight_overall(&self) -> usize {
        self.0.all.peak.load(Ordering::Acquire)
    }

    /// The most Sync writes (anything but GET) that were in flight at the same time.
    pub fn peak_sync_writes(&self) -> usize {
        self.0.sync_writes.peak.load(Ordering::Acquire)
    }

    /// Requests in flight now, over all products.
    pub fn in_flight(&self) -> usize {
        self.0.all.now.load(Ordering::Acquire)
    }

    /// Requests that no product understands: unknown paths and undocumented parameters.
    pub fn unknown_requests(&self) -> u64 {
        let totals = self.totals();
        totals.unknown_paths + totals.unknown_parameters
    }

    pub fn clear(&self) {
        *self.lock() = JournalInner::default();
    }

    /// Starts the peaks again from what is in flight now.
    pub fn reset_peaks(&self) {
        for gauge in self.0.in_flight.iter().chain([&self.0.all, &self.0.sync_writes]) {
            gauge.peak.store(gauge.now.load(Ordering::Acquire), Ordering::Release);
        }
    }

    /// Counts up with every record; wait on it instead of sleeping.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    /// Counts a request as in flight while the guard lives. Returns how many are in flight, this one included.
    pub(crate) fn enter(&self, api: Api, sync_write: bool) -> (InFlight, usize) {
        self.0.in_flight[api as usize].enter();
        let now = self.0.all.enter();
        if sync_write {
            self.0.sync_writes.enter();
        }
        (InFlight { journal: self.clone(), api, sync_write }, now)
    }

    pub(crate) fn record(&self, entry: Entry) {
        let mut inner = self.lock();
        inner.totals.count(&entry);
        if inner.entries.len() == ENTRIES {
            inner.entries.pop_front();
        }
        inner.entries.push_back(entry);
        drop(inner);
        self.0.changed.send_modify(|count| *count += 1);
    }

    fn lock(&self) -> MutexGuard<'_, JournalInner> {
        self.0.inner.lock()
    }
}

pub(crate) struct InFlight {
    journal: Journal,
    api: Api,
    sync_write: bool,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.journal.0.in_flight[self.api as usize].leave();
        self.journal.0.all.leave();
        if self.sync_write {
            self.journal.0.sync_writes.leave();
        }
    }
}

impl Gauge {
    fn enter(&self) -> usize {
        let now = self.now.fetch_add(1, Ordering::AcqRel) + 1;
        self.peak.fetch_max(now, Ordering::AcqRel);
        now
    }

    fn leave(&self) {
        self.now.fetch_sub(1, Ordering::AcqRel);
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Journal")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_the_peak_after_requests_have_left() {
        let journal = Journal::default();
        let first = journal.enter(Api::Sync, true);
        let second = journal.enter(Api::Sync, false);
        assert_eq!(second.1, 2);
        drop((first, second));
        assert_eq!(
            (journal.peak_in_flight(Api::Sync), journal.peak_sync_writes(), journal.in_flight()),
            (2, 1, 0)
        );
        journal.reset_peaks();
        assert_eq!(journal.peak_in_flight(Api::Sync), 0);
    }
}
