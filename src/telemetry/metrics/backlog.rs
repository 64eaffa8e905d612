//! How far behind the writes are. Ages are as of the scrape.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use tokio::time::Instant;

/// The backlog as the publishing task last reported it.
#[derive(Debug, Default)]
pub(super) struct UnwrittenAge {
    in_flight: AtomicUsize,
    waiting: AtomicUsize,
    oldest: Mutex<Oldest>,
}

/// Why changes wait, and since when the oldest of each kind does.
pub(super) type Oldest = [(&'static str, Option<Instant>); 3];

impl UnwrittenAge {
    pub(super) fn set(&self, in_flight: usize, waiting: usize, oldest: Oldest) {
        self.in_flight.store(in_flight, Ordering::Relaxed);
        self.waiting.store(waiting, Ordering::Relaxed);
        *self.oldest.lock() = oldest;
    }
}

impl Collector for UnwrittenAge {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let oldest = *self.oldest.lock();
        let age = |since: Option<Instant>| since.map_or(0.0, |since| since.elapsed().as_secs_f64());
        let count = |count: &AtomicUsize| i64::try_from(count.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        for (name, help, value) in [
            ("sync_writes_in_flight", "Writes to Sync under way, at most 20", count(&self.in_flight)),
            (
                "waiting_keys",
                "Documents and MapItems whose newest value waits for its turn",
                count(&self.waiting),
            ),
        ] {
            ConstGauge::new(value).encode(encoder.encode_descriptor(
                name,
                help,
                None,
                MetricType::Gauge,
            )?)?;
        }
        let help = "Since when the oldest change is not written, by why it is to be; 0 when all are";
        let name = "oldest_unwritten";
        let mut ages = encoder.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Gauge)?;
        for (cause, since) in oldest.iter().filter(|(cause, _)| !cause.is_empty()) {
            ConstGauge::new(age(*since)).encode(ages.encode_family(&[("cause", *cause)])?)?;
        }
        Ok(())
    }
}
