//! Warns when events have had nothing but wrong signatures for a minute, and logs when that is over.
//!
//! Anyone can send forged events, so single ones are not worth a warning. Checked when an event arrives, without a timer.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;
use tracing::{info, warn};

/// A warning is due once events were refused for this long, with none accepted in between.
const FOR_LONG: Duration = Duration::from_secs(60);

/// Counts refused signatures of events since one was accepted. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct SignatureAlarm(Arc<Mutex<Run>>);

/// Events refused since the last one that was accepted.
#[derive(Debug, Default)]
struct Run {
    since: Option<Instant>,
    refused: u64,
    warned: bool,
}

impl SignatureAlarm {
    /// An event's signature was not right; `code` says how.
    pub(super) fn refused(&self, code: &'static str) {
        let news = self.0.lock().refused(Instant::now());
        if let Some(refused) = news {
            warn!(
                code,
                refused,
                "No event has had a right signature for a minute; check TWILIO_AUTH_TOKEN and PUBLIC_URL, or run `taskrouter-sync doctor`"
            );
        }
    }

    pub(super) fn accepted(&self) {
        let news = self.0.lock().accepted();
        if let Some(refused) = news {
            info!(refused, "Events have right signatures again");
        }
    }
}

impl Run {
    /// How many were refused, if a warning is due.
    fn refused(&mut self, now: Instant) -> Option<u64> {
        self.refused = self.refused.saturating_add(1);
        let since = *self.since.get_or_insert(now);
        let is_news = !self.warned && now.saturating_duration_since(since) >= FOR_LONG;
        self.warned |= is_news;
        is_news.then_some(self.refused)
    }

    /// How many were refused until now, if a warning had been logged.
    fn accepted(&mut self) -> Option<u64> {
        let run = std::mem::take(self);
        run.warned.then_some(run.refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_of_nothing_but_wrong_signatures_is_logged_once_and_its_end_too() {
        let start = Instant::now();
        let mut run = Run::default();
        let told = (0..300).filter_map(|second| {
            run.refused(start + Duration::from_secs(second)).map(|refused| (second, refused))
        });
        assert_eq!(told.collect::<Vec<_>>(), [(60, 61)]);
        assert_eq!((run.accepted(), run.accepted()), (Some(300), None));
        let again = start + Duration::from_secs(1000);
        assert_eq!((run.refused(again), run.refused(again + FOR_LONG)), (None, Some(2)));
    }

    #[test]
    fn forged_events_among_good_ones_are_no_news() {
        let start = Instant::now();
        let mut run = Run::default();
        for second in 0..1000 {
            assert_eq!(run.refused(start + Duration::from_secs(second)), None);
            if second % 50 == 0 {
                assert_eq!(run.accepted(), None);
            }
        }
    }
}
