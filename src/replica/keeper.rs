//! Keeps a leader's lease for as long as it may lead.
//!
//! Redis prolongs it, as long as it can be asked. While it can't, the [`Witness`] in Sync does, if nobody else has claimed
//! that; and once Redis answers again it says whether the lease is still this leader's. Whatever says that another leads ends the term.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tracing::{debug, error, info, warn};

use super::witness::{Verdict, Witness};
use crate::cluster::{Kept, LinkError, Seat, Timing};
use crate::coordination::lease::{Lease, Moment};
use crate::twilio::sync::Revision;
use crate::twilio::{Client, TwilioError};

/// Why a lease is no longer kept.
#[derive(Debug)]
pub(super) enum Over {
    /// Its time is over, or another has it.
    Lost,
    /// The same of one that went on without Redis: whoever comes next waits for its end.
    Replaced,
    /// Another one would lead instead of this one, which can't reach Twilio.
    Wanted,
    /// Somebody leads who does not share the lease; this is the Document by then.
    Rival(Option<Revision>),
}

/// The keeping of one lease.
#[derive(Debug)]
pub(super) struct Keeper {
    seat: Seat,
    timing: Timing,
    client: Arc<Client>,
    witness: Witness,
    /// Whether it may go on without Redis.
    may_go_alone: bool,
    answers: JoinSet<Answer>,
    /// When Redis prolonged it last, if it ever did.
    prolonged: Option<Instant>,
    /// Whether it is known that Redis left a renewal without an answer.
    silent: bool,
    /// Whether the Document may say that this leader goes on alone. Then others may take over by it when it is not replaced in
    /// time, whatever Redis says; so it alone prolongs the lease.
    alone: bool,
    /// Whether that was told.
    told: bool,
    /// Whether Sync is being asked.
    asking: bool,
    /// When it was asked last while Redis answered.
    asked: Instant,
    /// Whether it is known that Sync can't prove anything.
    unproven: bool,
    /// For the write by which another leader claims the Document.
    room: Option<OwnedSemaphorePermit>,
}

#[derive(Debug)]
enum Answer {
    OfRedis(Result<Kept, LinkError>),
    OfSync {
        asked: Moment,
        alone: bool,
        room: Option<OwnedSemaphorePermit>,
        verdict: Result<Verdict, TwilioError>,
    },
}

impl Keeper {
    /// Of a lease that Redis has just given. Where it may not go on alone, it ends when Redis can't be asked.
    pub(super) fn new(
        seat: Seat,
        timing: Timing,
        client: Arc<Client>,
        witness: Witness,
        may_go_alone: bool,
    ) -> Self {
        Self {
            seat,
            timing,
            client,
            witness,
            may_go_alone,
            answers: JoinSet::new(),
            prolonged: Some(Instant::now()),
            silent: false,
            alone: false,
            told: false,
            asking: false,
            asked: Instant::now(),
            unproven: false,
            room: None,
        }
    }

    /// Of a lease that Sync has just given, since Redis can't be asked. Nothing has been written by this client yet.
    pub(super) async fn without_redis(
        seat: Seat,
        timing: Timing,
        client: Arc<Client>,
        witness: Witness,
    ) -> Self {
        let room = client.room_for_another_write().await;
        let keeper = Self::new(seat, timing, client, witness, true);
        Self { prolonged: None, silent: true, alone: true, told: true, room, ..keeper }
    }

    /// Prolongs the lease until it is over, or another one would lead instead of a leader that can't. A renewal does not wait
    /// for the one before: on a busy machine an answer may be late and still in time.
    pub(super) async fn keep(&mut self) -> Over {
        self.keep_unless(true).await
    }

    /// The same for a leader that ends by itself, and needs nobody instead.
    pub(super) async fn keep_to_the_end(&mut self) -> Over {
        self.keep_unless(false).await
    }

    async fn keep_unless(&mut self, wanted: bool) -> Over {
        let mut beats = interval(self.timing.beat());
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The lease is fresh.
        beats.reset();
        let lease = self.seat.lease().clone();
        loop {
            let answer = tokio::select! {
                // What was answered says more than that the time is over.
                biased;
                Some(answer) = self.answers.join_next() => answer,
                () = over(&lease) => return self.lost(),
                // Each ends within the time for a command, so they are few.
                _ = beats.tick() => {
                    self.ask_redis(wanted && self.is_cut_off());
                    self.ask_sync();
                    continue;
                }
            };
            let over = match answer {
                Ok(Answer::OfRedis(kept)) => self.redis_said(kept, wanted),
                Ok(Answer::OfSync { asked, alone, room, verdict }) => {
                    self.sync_said(asked, alone, room, verdict)
                }
                // A bug of ours, which the next one may not meet.
                Err(panicked) => {
                    warn!(%panicked, "A renewal of the lease ended abnormally");
                    self.asking = false;
                    None
                }
            };
            if let Some(over) = over {
                return over;
            }
        }
    }

    /// Says in Sync that this leader does not go on, so that the next one need not wait for it. To be called while the lease holds.
    pub(super) async fn ends(&mut self) {
        if !self.alone {
            return;
        }
        // What is under way says that it goes on, and the last word counts.
        while self.asking
            && let Some(answer) = self.answers.join_next().await
        {
            self.asking = !matches!(answer, Ok(Answer::OfSync { .. }) | Err(_));
        }
        // Else the next one waits.
        let _ = self.witness.renew(false).await;
    }

    /// Whoever comes after one that went on alone waits to hear that it has ended.
    fn lost(&self) -> Over {
        if self.alone { Over::Replaced } else { Over::Lost }
    }

    fn is_cut_off(&self) -> bool {
        self.client.unanswered_since().is_some_and(|since| since.plus(self.timing.twilio()).is_past())
    }

    fn ask_redis(&mut self, asks_for_help: bool) {
        let (seat, alone) = (self.seat.clone(), self.alone);
        self.answers.spawn(async move { Answer::OfRedis(seat.renew(asks_for_help, alone).await) });
    }

    fn redis_said(&mut self, kept: Result<Kept, LinkError>, wanted: bool) -> Option<Over> {
        match kept {
            Ok(Kept::Lost) => return Some(self.lost()),
            Ok(Kept::Wanted) if wanted && self.is_cut_off() => return Some(Over::Wanted),
            Ok(Kept::Kept | Kept::Wanted) => {
                self.prolonged = Some(Instant::now());
                if std::mem::take(&mut self.silent) {
                    info!(
                        term = self.seat.term(),
                        "Redis answers again, and the lease is still this leader's"
                    );
                }
            }
            Err(error) => {
                if !std::mem::replace(&mut self.silent, true) {
                    warn!(%error, "The lease can't be prolonged; leading on until it is over");
                }
            }
        }
        None
    }

    /// Asks Sync where that is due.
    fn ask_sync(&mut self) {
        let left = self.seat.lease().until().from_now();
        let recently = |at: Instant| at.elapsed() < self.timing.own() - self.timing.proof();
        let answers = self.prolonged.is_some_and(recently);
        // One that has gone on alone asks with every beat, so as to hear soon of another leader.
        let margin = if self.alone { self.timing.own() - self.timing.beat() } else { self.timing.proof() };
        let alone = self.may_go_alone && !answers && left <= margin;
        let due = alone || (answers && (self.alone || self.asked.elapsed() >= self.timing.rivals()));
        if self.asking || !due {
            return;
        }
        self.asking = true;
        if alone {
            // From before it is known whether Sync has taken that.
            self.alone = true;
        } else {
            self.asked = Instant::now();
        }
        let (client, witness, held) = (self.client.clone(), self.witness.clone(), self.room.take());
        self.answers.spawn(async move {
            let room = match held {
                None if alone => client.room_for_another_write().await,
                held => held,
            };
            let asked = Moment::now();
            let verdict = witness.renew(alone).await;
            Answer::OfSync { asked, alone, room, verdict }
        });
    }

    fn sync_said(
        &mut self,
        asked: Moment,
        alone: bool,
        room: Option<OwnedSemaphorePermit>,
        verdict: Result<Verdict, TwilioError>,
    ) -> Option<Over> {
        self.asking = false;
        self.room = room;
        match verdict {
            Ok(Verdict::Leads) if alone => {
                if std::mem::take(&mut self.unproven) {
                    info!("Sync proves again that nobody else leads");
                }
                if !std::mem::replace(&mut self.told, true) {
                    warn!(
                        term = self.seat.term(),
                        "Redis can't be asked, and Sync says that nobody else leads: this leader goes on alone"
                    );
                }
                if !self.seat.lease().prolong(asked.plus(self.timing.own())) {
                    return Some(Over::Replaced);
                }
            }
            Ok(Verdict::Leads) => {
                (self.alone, self.told) = (false, false);
                self.room = None;
            }
            Ok(Verdict::Replaced(_)) if alone || self.alone => {
                info!(
                    term = self.seat.term(),
                    "Another replica leads, or somebody has changed the Document that says who does"
                );
                return Some(Over::Replaced);
            }
            Ok(Verdict::Replaced(by)) => {
                error!(
                    term = self.seat.term(),
                    "Another leader writes to the same Sync Service, by another Redis, LEADER_LEASE, Workspace or spelling of \
                     the Sync Service: give all replicas the same (docs/scaling.md); this one gives way"
                );
                return Some(Over::Rival(by));
            }
            Ok(Verdict::Unclaimed) => {
                self.alone = false;
                self.room = None;
            }
            Err(error) if alone => {
                if !std::mem::replace(&mut self.unproven, true) {
                    warn!(%error, "Sync can't prove that nobody else leads");
                }
            }
            Err(error) => debug!(%error, "Sync can't be asked whether somebody else leads"),
        }
        None
    }
}

/// Waits until a lease is over.
async fn over(lease: &Lease) {
    while lease.holds() {
        sleep(lease.until().from_now()).await;
    }
}
