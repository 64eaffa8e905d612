//! Sync as the witness of who leads, for when Redis can't be asked.
//!
//! From one replica, a Redis that is gone and a network that is cut look the same, and in the second case another replica
//! may lead by now. What both of them still need is Sync, since that is where they write. So one Document says who does:
//!
//! ```text
//! a new leader          reads it, then replaces it by its own name, before its first write     claim
//! while Redis answers   the leader replaces it now and then: who fails has a rival             renew
//! while Redis is gone   the leader replaces it twice a second, saying that it goes on alone    renew
//! ```
//!
//! Every replacement names the revision that it replaces (`If-Match`), and Sync takes it from nobody who has not seen the
//! last one. So a leader whose replacement was taken knows that nobody had claimed the Document by then, and that whoever
//! claims it afterwards reads that it goes on alone, and waits until its time is over. That is the same promise as that of
//! a lease in Redis, only dearer, so it is used only while there is no other.

use std::sync::Arc;
use std::time::Duration;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use crate::cluster::{Seat, Timing};
use crate::config::CoreConfig;
use crate::twilio::retry::Backoff;
use crate::twilio::sync::{Revision, SyncService};
use crate::twilio::{Next, TwilioError};

/// Nobody is believed who says that it goes on for longer.
const LONGEST_ALONE: Duration = Duration::from_secs(60);
/// How often a Document that others replace in between is read again in one go.
const TRIES: u32 = 5;
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(250), longest: Duration::from_secs(5) };

/// What the Document says. Members that a version does not know are passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Testimony {
    /// Which replica leads, and in which term.
    leader: Box<str>,
    /// Whether it goes on without Redis.
    pub(super) alone: bool,
    /// For how long after this was written it may do so, and what it sent may still arrive; in milliseconds.
    over_after_ms: u64,
    /// Which replica went on alone before, and says that it writes no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    yielded: Option<Box<str>>,
}

/// One leader's use of the Document, in one term. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Witness {
    sync: SyncService,
    document: Arc<str>,
    leader: Arc<str>,
    timing: Timing,
    known: Arc<Mutex<Known>>,
}

/// What is known of the Document.
#[derive(Debug)]
enum Known {
    /// This term's leader has not claimed it.
    Unclaimed,
    /// It has, and what became of a replacement since then is not known.
    Unsure,
    /// This revision is its own.
    Ours(Revision),
}

/// What a leader has to wait for before it writes.
#[derive(Debug)]
struct Before {
    /// What was under way when its term began; `None` once that was waited for.
    overlap: Option<Duration>,
    /// Who went on alone, and for how long it may from the moment on at which the Document was claimed.
    alone: Option<(Box<str>, Duration)>,
}

/// What the Document says of the leader who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nobody else has claimed it.
    Leads,
    /// Somebody else has, with this revision.
    Replaced(Option<Revision>),
    /// This leader has never claimed it, so it proves nothing.
    Unclaimed,
}

/// The Document's name. Several Workspaces may share a Sync Service.
pub(super) fn name(config: &CoreConfig) -> String {
    format!("taskrouter_sync_leader_{}", config.twilio.workspace_sid)
}

/// The Document's revision, whoever it belongs to.
pub(super) async fn revision(
    sync: &SyncService,
    config: &CoreConfig,
) -> Result<Option<Revision>, TwilioError> {
    let found = sync.document::<IgnoredAny>(&name(config)).await?;
    Ok(found.map(|document| document.revision))
}

/// Says to whoever has claimed the Document that this one, which went on alone before, writes no more.
pub(super) async fn yields(sync: &SyncService, config: &CoreConfig, id: &str) -> Result<(), TwilioError> {
    yields_in(sync, &name(config), id).await
}

async fn yields_in(sync: &SyncService, document: &str, id: &str) -> Result<(), TwilioError> {
    let Some(found) = sync.document::<Value>(document).await? else { return Ok(()) };
    let Ok(said) = Testimony::deserialize(&found.data) else { return Ok(()) };
    let said = Testimony { yielded: Some(id.into()), ..said };
    sync.replace_document(document, &said.encode(), &found.revision).await.map(drop)
}

impl Testimony {
    /// Whether it goes on alone, as far as it says itself.
    pub(super) fn goes_on(&self) -> bool {
        self.alone && self.yielded.as_ref() != Some(&self.leader)
    }

    /// How long after this was written nothing of its leader is under way any more.
    pub(super) fn over_after(&self) -> Duration {
        Duration::from_millis(self.over_after_ms).min(LONGEST_ALONE)
    }

    /// In which term it was written.
    pub(super) fn term(&self) -> u64 {
        self.leader.rsplit_once('/').and_then(|(_, term)| term.parse().ok()).unwrap_or(0)
    }

    fn encode(&self) -> String {
        // Plain members have no way to fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Witness {
    /// For one term of a leader.
    pub(super) fn new(sync: SyncService, config: &CoreConfig, seat: &Seat, timing: Timing) -> Self {
        let known = Arc::new(Mutex::new(Known::Unclaimed));
        Self { sync, document: name(config).into(), leader: seat.name(), timing, known }
    }

    /// For a term that Sync itself has given, by this replacement of the Document.
    pub(super) fn given(
        sync: SyncService,
        config: &CoreConfig,
        seat: &Seat,
        timing: Timing,
        given: Revision,
    ) -> Self {
        let known = Arc::new(Mutex::new(Known::Ours(given)));
        Self { known, ..Self::new(sync, config, seat, timing) }
    }

    /// Replaces what a leader left behind that went on alone, to go on alone instead.
    pub(super) async fn take(
        sync: &SyncService,
        document: &str,
        leader: &str,
        timing: Timing,
        left: &Revision,
    ) -> Result<Revision, TwilioError> {
        sync.replace_document(document, &says(leader, timing, true), left).await
    }

    /// Done when this leader may write: it has claimed the Document, and whoever went on alone is over. `overlap` is what
    /// it has to wait in any case, where a leader before it may have writes under way.
    pub(super) async fn admission(self, overlap: Duration) {
        let mut failed = 0;
        let mut before = Before { overlap: Some(overlap), alone: None };
        loop {
            let Err(error) = self.claim(&mut before).await else {
                if failed > 0 {
                    info!("Sync says again who leads");
                }
                if let Some((who, longest)) = before.alone {
                    info!(?longest, "Another leader went on without Redis; writing when its time is over");
                    // Over is over, whether it says so or not.
                    let _ = timeout(longest, self.yielded(&who)).await;
                }
                return;
            };
            if matches!(error, TwilioError::LeaseOver { .. }) {
                return std::future::pending().await;
            }
            let Next::Retry(asked) = error.next() else {
                warn!(%error, "Sync refuses the Document that says who leads; this leader will not go on without Redis");
                let alone = before.alone.map_or(Duration::ZERO, |(_, longest)| longest);
                return sleep(before.overlap.unwrap_or_default().max(alone)).await;
            };
            if failed == 0 {
                warn!(%error, "Sync can't be asked whether another leader goes on without Redis; nothing is written until it can");
            }
            sleep(BACKOFF.delay(failed, asked, crate::chance::unit())).await;
            failed += 1;
        }
    }

    /// Waits until the one that went on alone says that it writes no more.
    async fn yielded(&self, who: &str) {
        loop {
            sleep(self.timing.beat()).await;
            // Where it can't be read, the wait takes as long as it takes.
            if let Ok(Some(found)) = self.sync.document::<Value>(&self.document).await
                && let Ok(said) = Testimony::deserialize(&found.data)
                && said.yielded.as_deref() == Some(who)
            {
                // By that it was replaced once more.
                *self.known.lock().await = Known::Unsure;
                return;
            }
        }
    }

    /// Puts this leader's name into the Document.
    async fn claim(&self, before: &mut Before) -> Result<(), TwilioError> {
        let mut known = self.known.lock().await;
        for _ in 0..TRIES {
            let found = self.sync.document::<Value>(&self.document).await?;
            let said = found.as_ref().and_then(|document| Testimony::deserialize(&document.data).ok());
            let other = said.filter(|said| said.goes_on() && *said.leader != *self.leader);
            if let Some(other) = other {
                let over = other.over_after();
                before.alone = Some((other.leader, over));
            } else if let Some(overlap) = before.overlap.take() {
                // One that goes on alone leaves room for this write beside its own; others may fill it up.
                sleep(overlap).await;
            }
            let claimed = match &found {
                Some(document) => self.replace(&document.revision, false).await,
                None => self.sync.create_document(&self.document, &self.says(false)).await,
            };
            match claimed {
                Ok(revision) => {
                    *known = Known::Ours(revision);
                    return Ok(());
                }
                Err(error) if another_was_quicker(&error) => {}
                Err(error) => return Err(error),
            }
        }
        // Its leaders would have to change faster than it is read.
        Err(TwilioError::Answer {
            call: format!("POST Documents/{}", self.document),
            reason: "it is replaced again and again".to_owned(),
        })
    }

    /// Replaces the Document, if it is still this leader's.
    pub(super) async fn renew(&self, alone: bool) -> Result<Verdict, TwilioError> {
        // Whoever has it is claiming.
        let Ok(mut known) = self.known.try_lock() else { return Ok(Verdict::Unclaimed) };
        for _ in 0..2 {
            let revision = match &*known {
                Known::Unclaimed => return Ok(Verdict::Unclaimed),
                Known::Ours(revision) => revision.clone(),
                Known::Unsure => match self.sync.document::<Value>(&self.document).await? {
                    Some(found) if self.is_ours(&found.data) => found.revision,
                    Some(found) => return Ok(Verdict::Replaced(Some(found.revision))),
                    None if alone => return Ok(Verdict::Replaced(None)),
                    None => {
                        let created = self.sync.create_document(&self.document, &self.says(false)).await;
                        match created {
                            Ok(revision) => *known = Known::Ours(revision),
                            Err(error) if another_was_quicker(&error) => continue,
                            Err(error) => return Err(error),
                        }
                        return Ok(Verdict::Leads);
                    }
                },
            };
            // Until it is answered, and where the answer is lost.
            *known = Known::Unsure;
            match self.replace(&revision, alone).await {
                Ok(revision) => {
                    *known = Known::Ours(revision);
                    return Ok(Verdict::Leads);
                }
                // Perhaps by a replacement of this leader's own whose answer was lost, which the next round finds out.
                Err(error) if another_was_quicker(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Verdict::Replaced(None))
    }

    async fn replace(&self, seen: &Revision, alone: bool) -> Result<Revision, TwilioError> {
        self.sync.replace_document(&self.document, &self.says(alone), seen).await
    }

    fn is_ours(&self, data: &Value) -> bool {
        Testimony::deserialize(data).is_ok_and(|said| *said.leader == *self.leader)
    }

    fn says(&self, alone: bool) -> String {
        says(&self.leader, self.timing, alone)
    }
}

fn says(leader: &str, timing: Timing, alone: bool) -> String {
    let over = timing.own() + timing.late();
    let over_after_ms = u64::try_from(over.as_millis()).unwrap_or(u64::MAX);
    Testimony { leader: leader.into(), alone, over_after_ms, yielded: None }.encode()
}

fn another_was_quicker(error: &TwilioError) -> bool {
    matches!(error.next(), Next::Missing | Next::Exists | Next::Conflict)
}

#[cfg(test)]
#[path = "witness_tests.rs"]
mod tests;
