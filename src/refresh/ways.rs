//! Which ways of reading TaskRouter offers now: an account may lack one, or Twilio may refuse it for a while. Pure.

use std::time::Duration;

use tokio::time::Instant;

use super::key::{Offers, What};
use crate::stats::Scope;
use crate::twilio::{Next, TwilioError};

/// An endpoint that an account refused is tried again after this time: refusals have been lifted before.
const REFUSAL_LASTS: Duration = Duration::from_secs(600);
/// With no more TaskQueues than this a list is read as fast as one of them.
pub(super) const SMALL_CENTRE: usize = 50;
/// How long a way of reading that Twilio has refused with a 429 is not tried.
const SHORTEST_REST: Duration = Duration::from_secs(2);
const LONGEST_REST: Duration = Duration::from_secs(60);

/// The endpoints that the account offers, and those that rest.
#[derive(Debug, Default)]
pub(super) struct Ways {
    offers: Offers,
    refused_at: Option<Instant>,
    /// Until when bulk reads and lists are not tried, because Twilio has refused them for now.
    bulk_rests_until: Option<Instant>,
    list_rests_until: Option<Instant>,
}

/// What a read that failed says about its way of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WayRefused {
    /// The failure says nothing about the way, or no other way is left.
    None,
    /// Twilio does not answer it for now, for example since a second service uses up the allowance of bulk reads; another
    /// way is left.
    ForNow,
    /// The account does not offer it; another way is left.
    OfTheAccount,
}

impl Ways {
    /// The endpoints that can be used now.
    pub(super) fn now(&mut self, now: Instant) -> Offers {
        if self.refused_at.is_some_and(|at| now.duration_since(at) >= REFUSAL_LASTS) {
            self.refused_at = None;
            self.offers =
                Offers { combined_is_complete: self.offers.combined_is_complete, ..Offers::default() };
        }
        let awake = |until: Option<Instant>| until.is_none_or(|until| until <= now);
        Offers {
            bulk: self.offers.bulk && awake(self.bulk_rests_until),
            list: self.offers.list && awake(self.list_rests_until),
            ..self.offers
        }
    }

    /// Notes whether combined answers hold all cumulative fields; says whether that is news.
    pub(super) fn learn(&mut self, combined_is_complete: bool) -> bool {
        std::mem::replace(&mut self.offers.combined_is_complete, combined_is_complete) != combined_is_complete
    }

    /// Learns from a read that failed, in a Workspace of `queues` TaskQueues.
    pub(super) fn failed(
        &mut self,
        what: &What,
        error: &TwilioError,
        queues: usize,
        now: Instant,
    ) -> WayRefused {
        // A request that was never sent, such as after the lease ended, says nothing about Twilio.
        if !matches!(error, TwilioError::Status { .. }) {
            return WayRefused::None;
        }
        match error.next() {
            Next::Retry(asked) if error.is_throttled() => {
                let until = Some(now + asked.unwrap_or_default().clamp(SHORTEST_REST, LONGEST_REST));
                match what {
                    What::Bulk(_) => self.bulk_rests_until = until,
                    // A list gives way to single reads only where these are few.
                    What::List(_) if queues <= SMALL_CENTRE => self.list_rests_until = until,
                    _ => return WayRefused::None,
                }
                WayRefused::ForNow
            }
            Next::GiveUp | Next::Missing if !error.is_bad_credentials() => {
                match what {
                    What::Bulk(_) => self.offers.bulk = false,
                    What::List(Scope::ALL) => self.offers.list = false,
                    // The list of one channel can be refused for the channel's sake; then single calls would be, too.
                    What::List(_) if !self.offers.list => return WayRefused::OfTheAccount,
                    _ => return WayRefused::None,
                }
                self.refused_at = Some(now);
                WayRefused::OfTheAccount
            }
            _ => WayRefused::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16) -> TwilioError {
        let (call, message) = ("POST TaskQueues/RealTimeStatistics".to_owned(), String::new());
        TwilioError::Status { call, status, code: None, message, retry_after: None }
    }

    #[test]
    fn what_was_not_sent_since_the_lease_ended_is_no_refusal_of_the_account() {
        let (mut ways, now) = (Ways::default(), Instant::now());
        let error = TwilioError::LeaseOver { call: "GET TaskQueues/Statistics".into() };
        for what in [What::Bulk(vec![]), What::List(Scope::ALL)] {
            assert_eq!(ways.failed(&what, &error, 10, now), WayRefused::None);
        }
        assert_eq!(ways.now(now), Offers::default());
        assert_eq!(ways.failed(&What::Bulk(vec![]), &status(403), 10, now), WayRefused::OfTheAccount);
        assert!(!ways.now(now).bulk && ways.now(now).list);
        assert!(ways.now(now + REFUSAL_LASTS).bulk, "and it is tried again later");
    }

    #[test]
    fn a_429_of_one_way_of_reading_leaves_the_others() {
        let (mut ways, now) = (Ways::default(), Instant::now());
        assert_eq!(ways.failed(&What::Bulk(vec![]), &status(429), 1_000, now), WayRefused::ForNow);
        assert!(!ways.now(now).bulk && ways.now(now).list);
        assert!(ways.now(now + SHORTEST_REST).bulk);
        let list = What::List(Scope::ALL);
        assert_eq!(
            ways.failed(&list, &status(429), 1_000, now),
            WayRefused::None,
            "a thousand single reads are no way"
        );
        assert_eq!(ways.failed(&list, &status(429), 20, now), WayRefused::ForNow);
        assert!(!ways.now(now).list);
    }

    #[test]
    fn wrong_credentials_are_no_refusal_of_one_endpoint() {
        let (mut ways, now) = (Ways::default(), Instant::now());
        assert_eq!(ways.failed(&What::Bulk(vec![]), &status(401), 10, now), WayRefused::None);
    }
}
