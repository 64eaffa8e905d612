//! The past as Twilio counts it: each day once more when it is over, and the quarter hours of the days before the first
//! start, from Twilio's cumulative statistics.
//!
//! The worker says which window is wanted and stores what comes, so that a crash goes on where it was. Requests have a pause
//! between them and nothing waits for them: the week before takes hours with a thousand TaskQueues.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use super::calendar::{Calendar, QUARTER, quarter, timestamp};
use super::encoding::entries;
use super::figures::{Figures, field, figures, is_counter};
use super::finish::{append, read_day, with_more};
use super::gap::{Gap, GapReason};
use super::names::{NameKind, StoredNames};
use super::pack::{PACKED_UNTIL, packed_as, unpacked};
use super::store::{Batch, DayOfIntervals, HistoryStore, StoreFault};
use crate::sid::TaskQueueSid;
use crate::stats::day::iso_seconds;
use crate::stats::{ScopeStats, Snapshot};
use crate::twilio::TwilioError;
use crate::twilio::taskrouter::{Cumulative, TaskRouter, Window};

/// Days before the first start.
const DAYS: usize = 7;
/// Twilio answers for the last 30 days (TaskRouter's pages on statistics); one less, since requests take time.
const OLDEST: i64 = 29 * 86_400;
/// The fact that says which quarter hour is wanted next; [`DONE`] once all are stored.
pub(super) const BACKFILL: &str = "backfill";
const DONE: i64 = i64::MAX;
/// The fact that says up to which moment days were compared with Twilio's figures.
pub(super) const SETTLED: &str = "settled_until";
/// Twilio may count the last Tasks of a day some minutes after it.
const COUNTED: i64 = 600;
/// Between two requests.
pub const BACKFILL_PAUSE: Duration = Duration::from_secs(1);
/// After one that failed.
const AFTER_FAILURE: Duration = Duration::from_secs(60);

/// A quarter hour or a day, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct AskedWindow {
    start: i64,
    end: i64,
}

type CountedQueue = (TaskQueueSid, Cumulative);

/// One window as Twilio counts it.
#[derive(Debug)]
pub(super) struct PastWindow {
    of: AskedWindow,
    /// By channel; the first is of all.
    scopes: Vec<(Option<Box<str>>, Vec<CountedQueue>)>,
}

/// The worker's end: what it wants, and what came.
#[derive(Debug)]
pub(super) struct PastWindows {
    wanted: watch::Sender<Option<AskedWindow>>,
    found: mpsc::Receiver<PastWindow>,
    /// The first quarter hour that is missing of the days before the first start.
    next: Option<i64>,
    /// The first day that was not compared.
    unsettled: Option<i64>,
}

/// Reads past windows, one after the other.
#[derive(Debug)]
pub struct Backfill {
    taskrouter: TaskRouter,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    thresholds: String,
    wanted: watch::Receiver<Option<AskedWindow>>,
    found: mpsc::Sender<PastWindow>,
    pause: Duration,
}

pub(super) fn backfill(
    taskrouter: TaskRouter,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    thresholds: &[u32],
    pause: Duration,
) -> (Backfill, PastWindows) {
    let (wanted, asked) = watch::channel(None);
    let (sender, found) = mpsc::channel(1);
    let thresholds: Vec<String> = thresholds.iter().map(u32::to_string).collect();
    let thresholds = thresholds.join(",");
    let backfill = Backfill { taskrouter, snapshots, thresholds, wanted: asked, found: sender, pause };
    (backfill, PastWindows { wanted, found, next: None, unsettled: None })
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

    async fn read(&self, of: AskedWindow) -> Result<PastWindow, TwilioError> {
        let window = Window {
            start: iso_seconds(timestamp(of.start)),
            end: Some(iso_seconds(timestamp(of.end))),
            split: self.thresholds.clone(),
        };
        let channels: Vec<Option<Box<str>>> =
            std::iter::once(None).chain(self.snapshots.borrow().channels.iter().cloned().map(Some)).collect();
        let mut scopes = Vec::new();
        for channel in channels {
            tokio::time::sleep(self.pause).await;
            let read = self.taskrouter.task_queues_statistics(channel.as_deref(), &window).await?.read;
            let counted = read.into_iter().map(|queue| (queue.task_queue_sid, queue.cumulative));
            scopes.push((channel, counted.collect()));
        }
        Ok(PastWindow { of, scopes })
    }
}

impl PastWindows {
    /// Forgets how far it came: what is stored counts, which may be less after a failure or in a new file.
    pub(super) fn begin_again(&mut self) {
        (self.next, self.unsettled) = (None, None);
    }

    /// Stores what came, and says what is wanted next; returns whether that was the last of the days before the first
    /// start. `since` is when the first sample was stored, `final_until` up to when intervals are.
    pub(super) async fn step(
        &mut self,
        store: &HistoryStore,
        calendar: &Calendar,
        names: &mut StoredNames,
        (since, final_until, now): (i64, i64, i64),
    ) -> Result<bool, StoreFault> {
        let wanted = match self.day_to_settle(store, calendar, since, now).await? {
            // Before that its last quarter hour is not stored.
            Some(day) if day.end <= final_until => Some(day),
            _ => self.quarter_to_fill(store, calendar, since, now).await?,
        };
        let found = self.found.try_recv().ok().filter(|found| wanted == Some(found.of));
        let (Some(found), Some(AskedWindow { start, end })) = (found, wanted) else {
            self.wanted.send_if_modified(|last| std::mem::replace(last, wanted) != wanted);
            return Ok(false);
        };
        let day = calendar.day(start);
        let known = store.intervals(day, day, None).await?;
        let mut batch = Batch::default();
        if end - start > QUARTER {
            batch.days = found.settled(&known, names).await;
            batch.facts = vec![(SETTLED, end)];
            self.unsettled = Some(end);
        } else {
            batch.days = found.filled(day, &known, names);
            let first_day = calendar.day(since);
            let next = following(calendar, start, first_day);
            batch.facts = vec![(BACKFILL, next)];
            if next == DONE {
                batch.facts.push((PACKED_UNTIL, i64::MIN));
                info!(days = DAYS, "Intervals of the days before the first start are stored");
            }
            self.next = Some(next);
        }
        batch.names = names.take_unsaved();
        store.write(&batch).await?;
        Ok(self.next == Some(DONE) && end - start <= QUARTER)
    }

    /// The first day that is over and was not compared with what Twilio counts of it now.
    async fn day_to_settle(
        &mut self,
        store: &HistoryStore,
        calendar: &Calendar,
        since: i64,
        now: i64,
    ) -> Result<Option<AskedWindow>, StoreFault> {
        let mut day = match self.unsettled {
            Some(day) => day,
            None => store.fact(SETTLED).await?.unwrap_or_else(|| calendar.day(since)),
        };
        // Days without the service have no intervals, and older ones Twilio does not count any more.
        if calendar.next_day(day) <= now {
            let stored = store.day_from(day).await?.unwrap_or_else(|| calendar.day(now));
            day = day.max(stored).max(calendar.next_day(now - OLDEST));
        }
        self.unsettled = Some(day);
        let end = calendar.next_day(day);
        // A day that begins within a quarter hour has other quarter hours than Twilio's.
        let comparable = quarter(day) == day && quarter(end) == end;
        Ok((comparable && end + COUNTED <= now).then_some(AskedWindow { start: day, end }))
    }

    /// The next quarter hour of the days before the first start.
    async fn quarter_to_fill(
        &mut self,
        store: &HistoryStore,
        calendar: &Calendar,
        since: i64,
        now: i64,
    ) -> Result<Option<AskedWindow>, StoreFault> {
        let next = match self.next {
            Some(next) => next,
            None => {
                let begins = first_quarter(calendar.day(calendar.day(since) - 1));
                let next = store.fact(BACKFILL).await?.unwrap_or(begins);
                self.next = Some(next);
                next
            }
        };
        if next != DONE && now - next > OLDEST {
            // What Twilio does not count any more is a gap up to the day's end.
            let gap = Gap { from: next, to: calendar.next_day(next), reason: GapReason::NotRunning };
            let facts = vec![(BACKFILL, DONE)];
            store.write(&Batch { gaps: vec![gap], facts, ..Batch::default() }).await?;
            self.next = Some(DONE);
            return Ok(None);
        }
        Ok((next != DONE).then_some(AskedWindow { start: next, end: next.saturating_add(QUARTER) }))
    }
}

/// The first of the days before the first start. Up to there nothing is known but what Twilio counts.
pub(super) fn oldest_day(calendar: &Calendar, first_day: i64) -> i64 {
    (0..DAYS).fold(first_day, |day, _| calendar.day(day - 1))
}

/// The first quarter hour that begins in a day. Where `STATS_DAY_START` lies within one, that one is of the day before.
fn first_quarter(day: i64) -> i64 {
    quarter(day + QUARTER - 1)
}

/// The quarter hour after one: those of a day in order, then the day before.
fn following(calendar: &Calendar, start: i64, first_day: i64) -> i64 {
    let day = calendar.day(start);
    if calendar.day(start + QUARTER) == day {
        return start + QUARTER;
    }
    let before = calendar.day(day - 1);
    if before < oldest_day(calendar, first_day) { DONE } else { first_quarter(before) }
}

impl PastWindow {
    /// What Twilio counts, by subject and scope.
    fn counts(&self, names: &mut StoredNames) -> BTreeMap<u32, Vec<(u32, Figures)>> {
        let mut found: BTreeMap<u32, Vec<(u32, Figures)>> = BTreeMap::new();
        for (channel, queues) in &self.scopes {
            let scope = channel.as_deref().map_or(0, |name| names.number(NameKind::Channel, name, ""));
            for (sid, cumulative) in queues {
                let known = names.find(NameKind::Subject, sid.as_str());
                let subject = known.unwrap_or_else(|| names.number(NameKind::Subject, sid.as_str(), ""));
                let counted = counted(cumulative, self.of.start, names);
                found.entry(subject).or_default().push((scope, counted));
            }
        }
        found
    }

    /// The day with this quarter hour at its end.
    fn filled(&self, day: i64, known: &[DayOfIntervals], names: &mut StoredNames) -> Vec<DayOfIntervals> {
        let index = u64::try_from((self.of.start - quarter(day)) / QUARTER).unwrap_or(0);
        let days = self.counts(names).into_iter().filter_map(|(subject, mut scopes)| {
            let stored = known.iter().find(|row| row.subject == subject);
            let mut data = stored.map_or_else(Vec::new, |row| unpacked(&row.data).into_owned());
            for (_, counted) in &mut scopes {
                // The service was not there.
                counted.set(field::COVERED, Some(0));
                counted.set(field::SOURCE, Some(1));
            }
            // A quarter hour that is stored stays.
            let is_stored = entries(&data, 0).any(|entry| entry.step >= index);
            (!is_stored && append(&mut data, index, &scopes)).then_some(DayOfIntervals { day, subject, data })
        });
        days.collect()
    }

    /// The day's rows, with what they lack of Twilio's figures put into the last quarter hour that the service did not see
    /// whole, else into the day's last: what happened after the last read of the day, and during an absence up to its end.
    async fn settled(&self, known: &[DayOfIntervals], names: &mut StoredNames) -> Vec<DayOfIntervals> {
        let (day, last) = (self.of.start, (self.of.end - 1 - quarter(self.of.start)) / QUARTER);
        let counts = self.counts(names);
        let mut settled = Vec::new();
        for row in known {
            // Each takes a millisecond, in which others have their turn.
            tokio::task::yield_now().await;
            let Some(twilios) = counts.get(&row.subject) else { continue };
            let mut sums: BTreeMap<u32, Figures> = BTreeMap::new();
            let mut unseen = last;
            for (start, scope, figures) in read_day(row, self.of.end, day, &|_| true) {
                let sum = sums.entry(scope).or_default();
                figures
                    .iter()
                    .filter(|(field, _)| is_counter(*field))
                    .for_each(|(field, n)| sum.add(field, n));
                if scope == 0 && figures.get(field::COVERED).is_some() {
                    unseen = (start - quarter(day)) / QUARTER;
                }
            }
            let none = Figures::default();
            let missing = twilios.iter().map(|(scope, twilio)| {
                let sum = sums.get(scope).unwrap_or(&none);
                let fields: BTreeSet<u32> = twilio.iter().chain(sum.iter()).map(|(field, _)| field).collect();
                let mut missing = Figures::default();
                for field in fields.into_iter().filter(|field| is_counter(*field)) {
                    missing.add(field, twilio.count(field).saturating_sub(sum.count(field)));
                }
                (*scope, missing)
            });
            let missing: Vec<(u32, Figures)> = missing.filter(|(_, missing)| !missing.is_empty()).collect();
            if missing.is_empty() {
                continue;
            }
            let index = u64::try_from(unseen).unwrap_or(0);
            let data = packed_as(&row.data, with_more(&unpacked(&row.data), index, &missing));
            settled.push(DayOfIntervals { day: row.day, subject: row.subject, data });
        }
        settled
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
    counted
}

/// The other half, which tests play.
#[cfg(test)]
pub(super) mod by_hand {
    use super::*;

    #[derive(Debug)]
    pub(in super::super) struct Twilio {
        wanted: watch::Receiver<Option<AskedWindow>>,
        found: mpsc::Sender<PastWindow>,
    }

    pub(in super::super) fn twilio() -> (Twilio, PastWindows) {
        let (wanted, asked) = watch::channel(None);
        let (sender, found) = mpsc::channel(1);
        (Twilio { wanted: asked, found: sender }, PastWindows { wanted, found, next: None, unsettled: None })
    }

    impl Twilio {
        /// Answers what is wanted, of all channels: what a function says of a window.
        pub(in super::super) fn answer(&self, count: impl Fn(i64, i64) -> Vec<CountedQueue>) {
            let wanted = *self.wanted.borrow();
            if let Some(of) = wanted {
                let _ = self.found.try_send(PastWindow { of, scopes: vec![(None, count(of.start, of.end))] });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    fn quarters_of_days(calendar: &Calendar, first_day: i64) -> Vec<u32> {
        let mut next = first_quarter(calendar.day(first_day - 1));
        let mut days: Vec<(i64, u32)> = Vec::new();
        while next != DONE {
            let day = calendar.day(next);
            match days.last_mut() {
                Some((last, count)) if *last == day => *count += 1,
                _ => days.push((day, 1)),
            }
            next = following(calendar, next, first_day);
        }
        assert!(days.windows(2).all(|pair| pair[1].0 < pair[0].0));
        days.into_iter().map(|(_, count)| count).collect()
    }

    #[test]
    fn quarter_hours_follow_each_other_day_by_day_into_the_past() {
        let mut calendar = Calendar::of(TimeZone::get("Europe/Berlin").unwrap());
        // Three days after the clocks went forward.
        let moment = "2026-04-01T10:00:00Z".parse::<Timestamp>().unwrap().as_second();
        assert_eq!(quarters_of_days(&calendar, calendar.day(moment)), [96, 96, 92, 96, 96, 96, 96]);
        calendar.day_start = jiff::civil::time(21, 10, 0, 0);
        assert_eq!(quarters_of_days(&calendar, calendar.day(moment)), [96, 96, 92, 96, 96, 96, 96]);
    }
}
