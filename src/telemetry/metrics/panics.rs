//! Panics, of which there should be none. A task that panics ends, or stops the process; either way it is counted first.

use std::fmt;
use std::panic;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;

/// The count is global, as the panic hook is.
static PANICS: AtomicU64 = AtomicU64::new(0);

/// Counts panics from now on, before the hook that was there.
pub fn count_panics() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panicked| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        before(panicked);
    }));
}

#[derive(Debug)]
pub(super) struct Panics;

impl Collector for Panics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let help = "Panics since the start; any is a bug to be reported";
        let name = "panics";
        let counter = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        ConstCounter::new(PANICS.load(Ordering::Relaxed)).encode(counter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_counted() {
        count_panics();
        let before = PANICS.load(Ordering::Relaxed);
        let panicked = std::thread::spawn(|| panic!("for the test")).join();
        assert!(panicked.is_err());
        assert!(PANICS.load(Ordering::Relaxed) > before);
    }
}
