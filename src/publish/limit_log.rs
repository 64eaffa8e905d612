//! Logs which object has more changes than Sync takes: when that begins, and when it has been over for a while.

use std::time::Duration;

use tokio::time::Instant;
use tracing::{info, warn};

use super::outbox::AtLimit;
use crate::layout::Object;

/// An object that was at its limit is within it again when it was not there for this long.
const OVER_AFTER: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct LimitLog {
    /// The object last logged, and when it last was at its limit.
    told: Option<(Object, Instant)>,
}

impl LimitLog {
    pub(super) fn tell(&mut self, limit: Option<&AtLimit>, now: Instant) {
        match (limit, &self.told) {
            (Some(limit), told) => {
                if told.as_ref().is_none_or(|(object, _)| *object != limit.object) {
                    let AtLimit { object, waiting, oldest, writes_a_second } = limit;
                    let oldest_ms = now.saturating_duration_since(*oldest).as_millis();
                    let instead = match object {
                        Object::Map(_) => "the layout queue-documents, whose objects have a limit each",
                        Object::Document(_) => "fewer or smaller values",
                    };
                    warn!(sync.object = %object, waiting, oldest_ms, writes_a_second, instead,
                        "Changes exceed Sync's limit for an object; those that events name go first");
                }
                self.told = Some((limit.object.clone(), now));
            }
            (None, Some((object, seen))) if now.saturating_duration_since(*seen) >= OVER_AFTER => {
                info!(sync.object = %object, "All changes of the object are within Sync's limit again");
                self.told = None;
            }
            (None, _) => {}
        }
    }
}
