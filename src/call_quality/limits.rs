//! Repeated reports, and how many Messages reports may still cause (pure: the clock is passed in).

use std::collections::HashMap;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::bucket::Bucket;
use crate::coordination::rate_limit::{BucketName, Rate};

/// A report that repeats within this time is ignored.
const SAME_FOR: Duration = Duration::from_secs(60);
const MOST_REPORTS: usize = 10_000;
/// Between two Messages to one customer.
const SMS_SPACING: Duration = Duration::from_secs(600);
/// Messages that one agent's reports may cause at once, and an hour from then on: a stolen token sends no more.
const SMS_AN_HOUR: f64 = 20.0;
/// Messages that all reports together may cause, in the same way.
const SMS_IN_ALL_AN_HOUR: f64 = 200.0;
const MOST_BUDGETS: usize = 20_000;

pub(super) const OF_A_REPORT: Rate = Rate { most: 1, every: SAME_FOR };
pub(super) const OF_A_CUSTOMER: Rate = Rate { most: 1, every: SMS_SPACING };
pub(super) const OF_AN_AGENT: Rate = Rate { most: 20, every: Duration::from_secs(180) };

/// All Messages together: 200 at once, as many an hour from then on.
pub(super) const OF_ALL: Rate = Rate { most: 200, every: Duration::from_secs(18) };

pub(super) type ReportKey = BucketName;

#[derive(Debug, Default)]
pub(super) struct ReportLimits {
    reports: HashMap<ReportKey, (Instant, bool)>,
    customers: HashMap<ReportKey, Instant>,
    agents: HashMap<ReportKey, Bucket>,
    all: Option<Bucket>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    Never,
    /// The report is a repetition; its action is done or in progress.
    Done,
    Failed,
}

/// A hash that tells reports apart without storing them.
pub(super) fn key(parts: &[&str]) -> ReportKey {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

impl ReportLimits {
    pub(super) fn begin(&mut self, report: ReportKey, now: Instant) -> Seen {
        let fresh = |at: Instant| now < at + SAME_FOR;
        if self.reports.len() >= MOST_REPORTS {
            self.reports.retain(|_, (at, _)| fresh(*at));
            if self.reports.len() >= MOST_REPORTS {
                self.reports.clear();
            }
        }
        let last = self.reports.insert(report, (now, true));
        match last.filter(|(at, _)| fresh(*at)) {
            None => Seen::Never,
            Some((at, true)) => {
                // A page that tries on and on does not put it off.
                self.reports.insert(report, (at, true));
                Seen::Done
            }
            Some((_, false)) => Seen::Failed,
        }
    }

    /// Its action failed; the report may be repeated.
    pub(super) fn failed(&mut self, report: ReportKey) {
        if let Some((_, done)) = self.reports.get_mut(&report) {
            *done = false;
        }
    }

    /// Takes one Message to a customer from the budgets, even if it then fails: it may have been sent.
    pub(super) fn take_sms(&mut self, customer: &str, agent: &str, now: Instant) -> bool {
        let (customer, agent) = (key(&[customer]), key(&[agent]));
        if self.customers.len() >= MOST_BUDGETS {
            self.customers.retain(|_, at| now < *at + SMS_SPACING);
        }
        if self.agents.len() >= MOST_BUDGETS {
            self.agents.retain(|_, budget| budget.level(now) < SMS_AN_HOUR - 0.5);
        }
        if self.customers.len() >= MOST_BUDGETS || self.agents.len() >= MOST_BUDGETS {
            return false;
        }
        if self.customers.get(&customer).is_some_and(|at| now < *at + SMS_SPACING) {
            return false;
        }
        let all = self.all.get_or_insert_with(|| {
            Bucket::new(SMS_IN_ALL_AN_HOUR, SMS_IN_ALL_AN_HOUR / 3600.0, SMS_IN_ALL_AN_HOUR, now)
        });
        if all.level(now) < 1.0 {
            return false;
        }
        let full = || Bucket::new(SMS_AN_HOUR, SMS_AN_HOUR / 3600.0, SMS_AN_HOUR, now);
        let allowed = self.agents.entry(agent).or_insert_with(full).take(1.0, 0.0, now);
        if allowed {
            all.spend(1.0, now);
            self.customers.insert(customer, now);
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_agents_together_cause_a_bounded_number_of_messages() {
        let (mut limits, now) = (ReportLimits::default(), Instant::now());
        let sent = (0..1000)
            .filter(|n| limits.take_sms(&format!("customer {n}"), &format!("agent {}", n / 10), now));
        assert_eq!(sent.count(), 200);
    }

    #[test]
    fn a_report_is_done_once_a_minute_and_again_where_it_failed() {
        let (mut limits, now) = (ReportLimits::default(), Instant::now());
        let (a, b) = (key(&["a", "b"]), key(&["ab", ""]));
        assert_eq!((limits.begin(a, now), limits.begin(b, now)), (Seen::Never, Seen::Never));
        assert_eq!(limits.begin(a, now + SAME_FOR / 2), Seen::Done);
        assert_eq!(limits.begin(a, now + SAME_FOR), Seen::Never);
        limits.failed(b);
        assert_eq!((limits.begin(b, now), limits.begin(b, now)), (Seen::Failed, Seen::Done));
    }

    #[test]
    fn messages_are_few_for_a_customer_and_for_an_agent() {
        let (mut limits, now) = (ReportLimits::default(), Instant::now());
        assert!(limits.take_sms("+1", "ann", now));
        assert!(!limits.take_sms("+1", "bob", now), "for any agent");
        assert!(limits.take_sms("+1", "bob", now + SMS_SPACING));
        let sent = (0..100).filter(|n| limits.take_sms(&format!("+2{n}"), "ann", now)).count();
        assert_eq!(sent, 19);
    }
}
