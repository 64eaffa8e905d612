//! Taking the lead over without Redis, from a leader that went on alone and does so no more.
//!
//! A replica that Redis does not answer looks at the [`witness`](super::witness) now and then. As long as that says that
//! somebody goes on alone and is replaced again and again, all is well. Where it stands still for as long as that leader may go on
//! at the most, or says that it has ended, whoever replaces it first leads on, alone as well. Where the witness says that a
//! leader still had Redis when it wrote last, that one may lead, and nobody takes it over.

use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use super::witness::{Testimony, Witness, name};
use crate::cluster::{Candidate, Seat, Timing};
use crate::config::CoreConfig;
use crate::coordination::lease::Moment;
use crate::twilio::sync::{Revision, SyncService};
use crate::twilio::{Next, TwilioError};

/// What was seen of the witness.
#[derive(Debug, Default)]
pub(super) struct Vigil {
    /// Which revision, and since when at the least it has not been replaced.
    seen: Option<(Revision, Instant)>,
}

impl Vigil {
    /// Looks, and takes the lead over if nobody has it any more.
    pub(super) async fn look(
        &mut self,
        sync: &SyncService,
        config: &CoreConfig,
        candidate: &mut Candidate,
        timing: Timing,
    ) -> Result<Option<(Seat, Revision)>, TwilioError> {
        let document = name(config);
        let Some((last_term, abandoned)) = self.abandoned(sync, &document).await? else { return Ok(None) };
        let asked = Moment::now();
        let leader = candidate.next_name(last_term);
        match Witness::take(sync, &document, &leader, timing, &abandoned).await {
            Ok(given) => {
                self.seen = None;
                Ok(Some((candidate.seat_without_redis(last_term, asked), given)))
            }
            // Somebody else was quicker.
            Err(error) if matches!(error.next(), Next::Conflict | Next::Missing) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The last term, and the revision to be replaced, if its leader is over.
    pub(super) async fn abandoned(
        &mut self,
        sync: &SyncService,
        document: &str,
    ) -> Result<Option<(u64, Revision)>, TwilioError> {
        let found = sync.document::<Value>(document).await?;
        let seen = self.seen.take();
        let Some(found) = found else { return Ok(None) };
        let Ok(said) = Testimony::deserialize(&found.data) else { return Ok(None) };
        if !said.alone {
            return Ok(None);
        }
        // From the answer on, which came after it was written.
        let since = seen.filter(|(revision, _)| *revision == found.revision).map(|(_, since)| since);
        let since = since.unwrap_or_else(Instant::now);
        self.seen = Some((found.revision.clone(), since));
        let over = !said.goes_on() || since.elapsed() >= said.over_after();
        Ok(over.then(|| (said.term(), found.revision)))
    }
}
