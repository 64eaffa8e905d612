//! Samples, and the figures that reports give of them.

use std::time::Duration;

/// Measured values, in rising order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample<T>(Vec<T>);

impl<T: Ord + Copy + Default> Sample<T> {
    pub(crate) fn new(mut values: Vec<T>) -> Self {
        values.sort_unstable();
        Self(values)
    }

    /// Joins two samples.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        Self::new(self.0)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The smallest value that this percentage of the samples does not exceed (nearest rank); zero without samples.
    pub(crate) fn percentile(&self, percent: usize) -> T {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0.get(rank - 1).copied().unwrap_or_default()
    }

    pub(crate) fn min(&self) -> T {
        self.0.first().copied().unwrap_or_default()
    }

    pub(crate) fn median(&self) -> T {
        self.percentile(50)
    }

    pub(crate) fn max(&self) -> T {
        self.0.last().copied().unwrap_or_default()
    }
}

/// A time in milliseconds.
pub(crate) fn ms(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1000.0;
    if millis < 10.0 { format!("{millis:.2}") } else { format!("{millis:.1}") }
}

/// A number with one decimal.
pub(crate) fn tenths(number: f64) -> String {
    format!("{number:.1}")
}

/// A part as a percentage of `whole`.
pub(crate) fn percent(part: f64, whole: f64) -> String {
    format!("{:.1} %", 100.0 * part / whole)
}

/// Bytes of a KiB count, in MiB.
pub(crate) fn mib(kib: u64) -> String {
    let whole = kib * 10 / 1024;
    format!("{}.{}", whole / 10, whole % 10)
}
