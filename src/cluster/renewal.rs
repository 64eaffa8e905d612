//! Renews a leader's lease in Redis. The lease expires where no renewal succeeds in time; only Redis extends it.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tracing::{info, warn};

use super::election::{Leadership, Renewed};
use super::redis::LinkError;
use super::timing::Timing;
use crate::coordination::lease::Lease;
use crate::twilio::Client;

/// Why a leader stopped renewing its lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RenewalEnd {
    /// The lease expired, or another replica holds it.
    Lost,
    /// This leader cannot reach Twilio, and another replica has offered to lead instead.
    HandedOver,
}

#[derive(Debug)]
pub(super) struct Renewal {
    leadership: Leadership,
    timing: Timing,
    client: Arc<Client>,
    answers: JoinSet<Result<Renewed, LinkError>>,
    /// Since when Redis has left renewals unanswered.
    failing_since: Option<Instant>,
}

impl Renewal {
    /// The renewal of a lease that Redis has just granted.
    pub(super) fn new(leadership: Leadership, timing: Timing, client: Arc<Client>) -> Self {
        Self { leadership, timing, client, answers: JoinSet::new(), failing_since: None }
    }

    /// Renews the lease until it is lost or handed over. Renewals overlap: on a busy machine an answer may be late and
    /// still be in time.
    pub(super) async fn run(&mut self) -> RenewalEnd {
        self.renew(true).await
    }

    /// The same for a leader that is stopping, which no longer hands over.
    pub(super) async fn run_to_the_end(&mut self) {
        self.renew(false).await;
    }

    /// How long renewals have failed; zero while Redis answers.
    pub(super) fn failing_for(&self) -> std::time::Duration {
        self.failing_since.map(|since| since.elapsed()).unwrap_or_default()
    }

    async fn renew(&mut self, may_hand_over: bool) -> RenewalEnd {
        let mut beats = interval(self.timing.beat());
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The lease is fresh.
        beats.reset();
        let lease = self.leadership.lease().clone();
        loop {
            let answer = tokio::select! {
                // An answer that is there already tells more than the expiry.
                biased;
                Some(answer) = self.answers.join_next() => answer,
                () = expired(&lease) => return RenewalEnd::Lost,
                // Each ends within the time limit of a command, so there are few at once.
                _ = beats.tick() => {
                    let (leadership, asks_for_help) = (self.leadership.clone(), may_hand_over && self.is_cut_off());
                    self.answers.spawn(async move { leadership.renew(asks_for_help).await });
                    continue;
                }
            };
            match answer {
                Ok(Ok(Renewed::Lost)) => return RenewalEnd::Lost,
                Ok(Ok(Renewed::Challenged)) if may_hand_over && self.is_cut_off() => {
                    return RenewalEnd::HandedOver;
                }
                Ok(Ok(Renewed::Extended | Renewed::Challenged)) => {
                    if let Some(since) = self.failing_since.take() {
                        let failed_ms = millis(since);
                        info!(term = self.leadership.term(), failed_ms, "Renewing the lease succeeds again");
                    }
                }
                Ok(Err(error)) => {
                    if self.failing_since.is_none() {
                        self.failing_since = Some(Instant::now());
                        let left_ms = u64::try_from(lease.until().from_now().as_millis()).unwrap_or(u64::MAX);
                        warn!(%error, left_ms, "Renewing the lease fails; this replica leads until it expires");
                    }
                }
                Err(panicked) => warn!(%panicked, "A renewal of the lease panicked; the next one follows"),
            }
        }
    }

    fn is_cut_off(&self) -> bool {
        self.client.unanswered_since().is_some_and(|since| since.plus(self.timing.twilio()).is_past())
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

async fn expired(lease: &Lease) {
    while lease.holds() {
        sleep(lease.until().from_now()).await;
    }
}
