//! What happened before the first start: the quarter hours of the days before it, from Twilio's cumulative statistics.
//!
//! The worker says which quarter hour is wanted, the newest day first, and stores what comes, so that a crash goes on where
//! it was. Requests have a pause between them and nothing waits for them: a thousand TaskQueues take hours.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use super::calendar::{Calendar, QUARTER, quarter, timestamp};
use super::encoding::entries;
use super::figures::{Figures, field, figures, is_counter};
use super::finish::append;
use super::gap::{Gap, GapReason};
use super::names::{NameKind, StoredNames};
use super::pack::{PACKED_UNTIL, unpacked};
use super::store::{Batch, DayOfIntervals, HistoryStore, StoreFault};
use crate::stats::day::iso_seconds;
use crate::stats::{ScopeStats, Snapshot};
use crate::twilio::TwilioError;
use crate::twilio::taskrouter::{Cumulative, TaskQueueStatistics, TaskRouter, Window};

/// Days before the first start.
const DAYS: i64 = 7;
/// Twilio answers for the last 30 days (TaskRouter's pages on statistics); one less, since requests take time.
const OLDEST: i64 = 29 * 86_400;
/// The fact that says which quarter hour is wanted next; [`DONE`] once all are stored.
const BACKFILL: &str = "backfill";
const DONE: i64 = i64::MAX;
/// Between two requests.
pub const BACKFILL_PAUSE: Duration = Duration::from_secs(1);
/// After one that failed.
const AFTER_FAILURE: Duration = Duration::from_secs(60);

/// One quarter hour as Twilio counts it.
#[derive(Debug)]
pub(super) struct PastQuarter {
    start: i64,
    /// By channel; the first is of all.
    scopes: Vec<(Option<Box<str>>, Vec<TaskQueueStatistics>)>,
}

/// The worker's end: what it wants, and what came.
#[derive(Debug)]
pub(super) struct PastQuarters {
    wanted: watch::Sender<Option<i64>>,
    found: mpsc::Receiver<PastQuarter>,
    next: Option<i64>,
}

/// Reads past quarter hours, one after the other.
#[derive(Debug)]
pub struct Backfill {
    taskrouter: TaskRouter,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    thresholds: String,
    wanted: watch::Receiver<Option<i64>>,
    found: mpsc::Sender<PastQuarter>,
    pause: Duration,
}

pub(super) fn backfill(
    taskrouter: TaskRouter,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    thresholds: &[u32],
    pause: Duration,
) -> (Backfill, PastQuarters) {
    let (wanted, asked) = watch::channel(None);
    let (sender, found) = mpsc::channel(1);
    let thresholds: Vec<String> = thresholds.iter().map(u32::to_string).collect();
    let thresholds = thresholds.join(",");
    let backfill = Backfill { taskrouter, snapshots, thresholds, wanted: asked, found: sender, pause };
    (backfill, PastQuarters { wanted, found, next: None })
}

impl Backfill {
    /// Reads until all is stored or `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        stop.run_until_cancelled(async {
            loop {
                let Ok(start) = self.wanted.wait_for(Option::is_some).await.map(|wanted| *wanted) else {
                    return;
                };
                let Some(start) = start else { return };
                match self.read(start).await {
                    Ok(past) => {
                        if self.found.send(past).await.is_err() || self.wanted.changed().await.is_err() {
                            return;
                        }
                    }
                    Err(error) => {
                        debug!(%error, "Statistics of the past can't be read; they are asked for again");
                        tokio::time::sleep(AFTER_FAILURE).await;
                    }
                }
            }
        })
        .await;
    }

    async fn read(&self, start: i64) -> Result<PastQuarter, TwilioError> {
        let window = Window {
            start: iso_seconds(timestamp(start)),
            end: Some(iso_seconds(timestamp(start + QUARTER))),
            split: self.thresholds.clone(),
        };
        let channels: Vec<Option<Box<str>>> =
            std::iter::once(None).chain(self.snapshots.borrow().channels.iter().cloned().map(Some)).collect();
        let mut scopes = Vec::new();
        for channel in channels {
            tokio::time::sleep(self.pause).await;
            let read = self.taskrouter.task_queues_statistics(channel.as_deref(), &window).await?.read;
            scopes.push((channel, read));
        }
        Ok(PastQuarter { start, scopes })
    }
}

impl PastQuarters {
    /// Stores what came, and says what is wanted next. `since` is when the first sample was stored.
    pub(super) async fn step(
        &mut self,
        store: &HistoryStore,
        calendar: &Calendar,
        names: &mut StoredNames,
        since: i64,
    ) -> Result<(), StoreFault> {
        let now = Timestamp::now().as_second();
        let first_day = calendar.day(since);
        let next = match self.next {
            Some(next) => next,
            None => {
                let begins = quarter(calendar.day(first_day - 1));
                let next = store.fact(BACKFILL).await?.unwrap_or(begins);
                self.next = Some(next);
                next
            }
        };
        if next == DONE {
            return Ok(());
        }
        if now - next > OLDEST {
            return self.give_up(store, calendar, next).await;
        }
        let Ok(past) = self.found.try_recv() else {
            self.wanted.send_if_modified(|wanted| wanted.replace(next) != Some(next));
            return Ok(());
        };
        if past.start != next {
            return Ok(());
        }
        let day = calendar.day(next);
        let known = store.intervals(day, day, None).await?;
        let days = past.days(day, &known, names);
        let following = following(calendar, next, first_day);
        let mut facts = vec![(BACKFILL, following)];
        if following == DONE {
            // Days that came after others were packed are looked at too.
            facts.push((PACKED_UNTIL, i64::MIN));
            info!(days = DAYS, "Intervals of the days before the first start are stored");
        }
        let batch = Batch { names: names.take_unsaved(), days, facts, ..Batch::default() };
        store.write(&batch).await?;
        self.next = Some(following);
        self.wanted.send_replace((following != DONE).then_some(following));
        Ok(())
    }

    /// What Twilio does not answer any more is a gap up to the day's end.
    async fn give_up(
        &mut self,
        store: &HistoryStore,
        calendar: &Calendar,
        next: i64,
    ) -> Result<(), StoreFault> {
        let gap = Gap { from: next, to: calendar.next_day(next), reason: GapReason::NotRunning };
        let facts = vec![(BACKFILL, DONE), (PACKED_UNTIL, i64::MIN)];
        store.write(&Batch { gaps: vec![gap], facts, ..Batch::default() }).await?;
        self.next = Some(DONE);
        self.wanted.send_replace(None);
        Ok(())
    }
}

/// The quarter hour after one: those of a day in order, then the day before.
fn following(calendar: &Calendar, start: i64, first_day: i64) -> i64 {
    let day = calendar.day(start);
    if calendar.day(start + QUARTER) == day {
        return start + QUARTER;
    }
    let before = calendar.day(day - 1);
    let oldest = (0..DAYS).fold(first_day, |day, _| calendar.day(day - 1));
    if before < oldest { DONE } else { quarter(before) }
}

impl PastQuarter {
    fn days(&self, day: i64, known: &[DayOfIntervals], names: &mut StoredNames) -> Vec<DayOfIntervals> {
        let index = u64::try_from((self.start - quarter(day)) / QUARTER).unwrap_or(0);
        let mut found: std::collections::BTreeMap<u32, Vec<(u32, Figures)>> =
            std::collections::BTreeMap::new();
        for (channel, queues) in &self.scopes {
            let scope = channel.as_deref().map_or(0, |name| names.number(NameKind::Channel, name, ""));
            for queue in queues {
                let sid = queue.task_queue_sid.as_str();
                let subject = match names.find(NameKind::Subject, sid) {
                    Some(subject) => subject,
                    None => names.number(NameKind::Subject, sid, ""),
                };
                let counted = counted(&queue.cumulative, self.start, names);
                found.entry(subject).or_default().push((scope, counted));
            }
        }
        let days = found.into_iter().filter_map(|(subject, scopes)| {
            let stored = known.iter().find(|row| row.subject == subject);
            let mut data = stored.map_or_else(Vec::new, |row| unpacked(&row.data).into_owned());
            // A quarter hour that is stored stays.
            let is_stored = entries(&data, 0).any(|entry| entry.step >= index);
            (!is_stored && append(&mut data, index, &scopes)).then_some(DayOfIntervals { day, subject, data })
        });
        days.collect()
    }
}

/// What Twilio counts in a window of its own.
fn counted(cumulative: &Cumulative, start: i64, names: &mut StoredNames) -> Figures {
    let mut stats = ScopeStats::default();
    stats.cumulative.value = Some(Arc::new(cumulative.clone()));
    let all = figures(&stats, start, names);
    let longest = all.count(field::WAIT_ACCEPTED_MAX).max(all.count(field::WAIT_ABANDONED_MAX)) / 10;
    let mut counted: Figures =
        all.iter().filter(|(field, count)| is_counter(*field) && *count != 0).collect();
    counted.set(field::WAIT_MAX, (longest > 0).then_some(longest));
    // The service was not there.
    counted.set(field::COVERED, Some(0));
    counted.set(field::SOURCE, Some(1));
    counted
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    #[test]
    fn quarter_hours_follow_each_other_day_by_day_into_the_past() {
        let calendar = Calendar::of(TimeZone::get("Europe/Berlin").unwrap());
        // Three days after the clocks went forward.
        let first_day = calendar.day("2026-04-01T10:00:00Z".parse::<Timestamp>().unwrap().as_second());
        let mut next = calendar.day(first_day - 1);
        let mut days: Vec<(i64, u32)> = Vec::new();
        while next != DONE {
            let day = calendar.day(next);
            match days.last_mut() {
                Some((last, count)) if *last == day => *count += 1,
                _ => days.push((day, 1)),
            }
            next = following(&calendar, next, first_day);
        }
        let counts: Vec<u32> = days.iter().map(|(_, count)| *count).collect();
        assert_eq!(counts, [96, 96, 92, 96, 96, 96, 96]);
        assert!(days.windows(2).all(|pair| pair[1].0 < pair[0].0));
    }
}
