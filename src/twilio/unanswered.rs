//! Since when Twilio leaves requests unanswered. Cheap to clone; clones are the same.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::coordination::lease::Moment;

/// When the first request was sent that was not answered, if none has been answered since.
#[derive(Debug, Clone, Default)]
pub struct Unanswered(Arc<Mutex<Option<Moment>>>);

impl Unanswered {
    pub fn asked(&self) {
        self.0.lock().get_or_insert_with(Moment::now);
    }

    /// One was answered, whatever the answer says.
    pub fn answered(&self) {
        *self.0.lock() = None;
    }

    /// Since when nothing was answered; `None` while requests are answered, and while none is made.
    pub fn since(&self) -> Option<Moment> {
        *self.0.lock()
    }

    pub fn lasts(&self) -> Option<Duration> {
        let now = Moment::now().millis();
        self.since().map(|since| Duration::from_millis(now.saturating_sub(since.millis())))
    }
}
