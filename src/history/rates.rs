//! Service levels of counts.

use super::figures::{Figures, field, named};
use crate::service_level::ServiceLevel;

/// The counts that a service level is made of.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct WaitSplit {
    pub(super) entered: i64,
    pub(super) within_accepted: i64,
    pub(super) within_abandoned: i64,
    pub(super) after_accepted: i64,
    pub(super) after_abandoned: i64,
}

impl WaitSplit {
    /// The counts at a threshold, by the number of its name.
    pub(super) fn of(figures: &Figures, threshold: u32) -> Self {
        let count = |slot| figures.count(named(threshold, slot));
        Self {
            entered: figures.count(field::ENTERED),
            within_accepted: count(field::WITHIN_ACCEPTED),
            within_abandoned: count(field::WITHIN_ABANDONED),
            after_accepted: count(field::AFTER_ACCEPTED),
            after_abandoned: count(field::AFTER_ABANDONED),
        }
    }
}

/// In per cent; `None` where there is nothing to divide by.
#[expect(clippy::cast_precision_loss, reason = "counts of Tasks are exact")]
pub(super) fn service_level(rule: ServiceLevel, split: &WaitSplit) -> Option<f64> {
    let of = match rule {
        ServiceLevel::Accepted => split.within_accepted + split.after_accepted,
        ServiceLevel::AcceptedOrLateAbandoned => {
            split.within_accepted + split.after_accepted + split.after_abandoned
        }
        ServiceLevel::AllWaited => split.entered - split.within_abandoned,
    };
    (of > 0).then(|| (split.within_accepted as f64 / of as f64 * 10_000.0).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_divides_by_its_own() {
        let split = WaitSplit {
            entered: 120,
            within_accepted: 60,
            within_abandoned: 4,
            after_accepted: 40,
            after_abandoned: 8,
        };
        assert_eq!(service_level(ServiceLevel::Accepted, &split), Some(60.0));
        assert_eq!(service_level(ServiceLevel::AcceptedOrLateAbandoned, &split), Some(55.56));
        assert_eq!(service_level(ServiceLevel::AllWaited, &split), Some(51.72));
        assert_eq!(service_level(ServiceLevel::Accepted, &WaitSplit::default()), None);
    }
}
