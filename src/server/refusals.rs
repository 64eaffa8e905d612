//! Logs refused requests, rate-limited for each code: anyone can send bad ones by the thousand, and many of one code
//! must not hide another.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use axum::response::Response;
use parking_lot::Mutex;
use tokio::time::Instant;
use tracing::info;

use crate::bucket::Bucket;
use crate::telemetry::metrics::Monitor;

/// Burst of log lines for one code.
const AT_ONCE: f64 = 5.0;
/// And a second from then on: one a minute.
const PER_SECOND: f64 = 1.0 / 60.0;

#[derive(Debug, Clone)]
pub(super) struct LoggedRefusal {
    pub(super) code: &'static str,
    pub(super) message: Cow<'static, str>,
}

/// Decides which refusals are logged. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Refusals(Arc<Mutex<LogBudgets>>, Monitor);

/// By code, of which there are some dozens.
#[derive(Debug, Default)]
struct LogBudgets(HashMap<&'static str, Reason>);

#[derive(Debug)]
struct Reason {
    budget: Bucket,
    suppressed: u64,
}

impl Refusals {
    /// No refusals counted yet.
    pub fn new(monitor: Monitor) -> Self {
        Self(Arc::default(), monitor)
    }
}

impl LogBudgets {
    /// How many were not logged since the last one that was, if this one is to be logged.
    fn logs(&mut self, code: &'static str, now: Instant) -> Option<u64> {
        let unheard = || Reason { budget: Bucket::new(AT_ONCE, PER_SECOND, AT_ONCE, now), suppressed: 0 };
        let reason = self.0.entry(code).or_insert_with(unheard);
        if reason.budget.take(1.0, 0.0, now) {
            return Some(std::mem::take(&mut reason.suppressed));
        }
        reason.suppressed = reason.suppressed.saturating_add(1);
        None
    }
}

/// Logs the refusal that an answer carries, if it does, and if there have not been too many.
pub(super) fn log(refusals: &Refusals, mut response: Response) -> Response {
    let Some(refusal) = response.extensions_mut().remove::<LoggedRefusal>() else { return response };
    let code = refusal.code;
    refusals.1.refused(code);
    let logged = refusals.0.lock().logs(code, Instant::now());
    if let Some(suppressed) = logged {
        let status = response.status().as_u16();
        info!(status, code, suppressed, reason = %refusal.message, "Request refused");
    }
    response
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn of_each_reason_a_few_are_logged_and_then_one_a_minute_with_how_many_there_were() {
        let start = Instant::now();
        let mut budgets = LogBudgets::default();
        let mut at = |code, second| budgets.logs(code, start + Duration::from_secs(second));
        let first: Vec<_> = (0..60).map(|second| at("not_found", second)).collect();
        assert_eq!(first[..5], [Some(0); 5]);
        assert_eq!(first[5..], [None; 55]);
        assert_eq!(at("signature_mismatch", 59), Some(0), "another reason");
        assert_eq!(at("not_found", 61), Some(55));
        assert_eq!((at("not_found", 62), at("not_found", 121)), (None, Some(1)));
    }
}
