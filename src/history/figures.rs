//! Statistics as numbered whole figures: made from a snapshot, and turned back into one.

use std::sync::Arc;

use jiff::Timestamp;

use super::names::{NameKind, StoredNames};
use crate::stats::{Age, Reading, Scope, ScopeStats};
use crate::twilio::taskrouter::{ActivityCount, Counts, Cumulative, Realtime, Split, Table, WaitDuration};

/// The numbers of fields. They stand in stored data and never change.
pub(super) mod field {
    pub const PENDING: u32 = 0;
    pub const RESERVED: u32 = 1;
    pub const ASSIGNED: u32 = 2;
    pub const WRAPPING: u32 = 3;
    pub const TOTAL: u32 = 4;
    pub const AVAILABLE: u32 = 5;
    pub const ELIGIBLE: u32 = 6;
    pub const WORKERS: u32 = 7;
    /// Since when the oldest Task waits.
    pub const OLDEST: u32 = 8;
    /// When the window of the cumulative figures began.
    pub const WINDOW: u32 = 9;
    pub const CREATED: u32 = 10;
    pub const ACCEPTED: u32 = 11;
    pub const REJECTED: u32 = 12;
    pub const TIMED_OUT: u32 = 13;
    pub const RESERVATIONS_CANCELED: u32 = 14;
    pub const RESCINDED: u32 = 15;
    pub const ABANDONED: u32 = 16;
    pub const COMPLETED: u32 = 17;
    pub const DELETED: u32 = 18;
    pub const ENTERED: u32 = 19;
    pub const MOVED: u32 = 20;
    /// Tenths of seconds, as are the next three.
    pub const WAIT_ACCEPTED: u32 = 21;
    pub const WAIT_ACCEPTED_MAX: u32 = 22;
    pub const WAIT_ABANDONED: u32 = 23;
    pub const WAIT_ABANDONED_MAX: u32 = 24;
    /// Of intervals: hundredths.
    pub const WAITING_MEAN: u32 = 40;
    pub const WAITING_MAX: u32 = 41;
    /// Of intervals: the longest wait in seconds.
    pub const WAIT_MAX: u32 = 42;
    /// Of intervals: seconds in which the service was there, where it was not for all of it.
    pub const COVERED: u32 = 43;
    /// Of intervals: 1 where Twilio's statistics of the past were read.
    pub const SOURCE: u32 = 44;
    /// Of intervals: 1 where a channel's counts are those of all channels.
    pub const SAME_AS_ALL: u32 = 45;
    /// From here on eight for each name: Workers in an Activity, then a threshold's counts.
    pub const NAMED: u32 = 64;
    pub const ACTIVITY: u32 = 0;
    pub const WITHIN_ACCEPTED: u32 = 1;
    pub const WITHIN_ABANDONED: u32 = 2;
    pub const AFTER_ACCEPTED: u32 = 3;
    pub const AFTER_ABANDONED: u32 = 4;
}

/// The field of a name's slot.
pub(super) fn named(id: u32, slot: u32) -> u32 {
    field::NAMED.saturating_add(id.saturating_mul(8)).saturating_add(slot)
}

/// The name's number and the slot of a field, if it has a name.
pub(super) fn name_of(field: u32) -> Option<(u32, u32)> {
    let above = field.checked_sub(field::NAMED)?;
    Some((above / 8, above % 8))
}

pub(super) fn is_moment(field: u32) -> bool {
    matches!(field, field::OLDEST | field::WINDOW)
}

/// Whether a field counts from the window's beginning.
pub(super) fn is_counter(field: u32) -> bool {
    match name_of(field) {
        Some((_, slot)) => slot != field::ACTIVITY,
        None => {
            (field::CREATED..=field::MOVED).contains(&field)
                || matches!(field, field::WAIT_ACCEPTED | field::WAIT_ABANDONED)
        }
    }
}

/// Figures by field, in the fields' order; one that is not there is not known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Figures(Vec<(u32, i64)>);

impl Figures {
    pub(super) fn get(&self, field: u32) -> Option<i64> {
        let at = self.0.binary_search_by_key(&field, |(field, _)| *field).ok()?;
        self.0.get(at).map(|(_, value)| *value)
    }

    pub(super) fn count(&self, field: u32) -> i64 {
        self.get(field).unwrap_or(0)
    }

    pub(super) fn set(&mut self, field: u32, value: Option<i64>) {
        match (self.0.binary_search_by_key(&field, |(field, _)| *field), value) {
            (Ok(at), Some(value)) => self.0[at].1 = value,
            (Ok(at), None) => {
                self.0.remove(at);
            }
            (Err(at), Some(value)) => self.0.insert(at, (field, value)),
            (Err(_), None) => {}
        }
    }

    pub(super) fn add(&mut self, field: u32, value: i64) {
        if value != 0 {
            self.set(field, Some(self.count(field).saturating_add(value)));
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, i64)> {
        self.0.iter().copied()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn apply(&mut self, fields: &[(u32, Option<i64>)]) {
        for (field, value) in fields {
            self.set(*field, *value);
        }
    }

    /// The fields that differ from `before`, with their values here.
    pub(super) fn changes_since(&self, before: &Self) -> Vec<(u32, Option<i64>)> {
        let gone =
            before.iter().filter(|(field, _)| self.get(*field).is_none()).map(|(field, _)| (field, None));
        let moved = self.iter().filter(|(field, value)| before.get(*field) != Some(*value));
        gone.chain(moved.map(|(field, value)| (field, Some(value)))).collect()
    }
}

impl FromIterator<(u32, i64)> for Figures {
    fn from_iter<I: IntoIterator<Item = (u32, i64)>>(figures: I) -> Self {
        let mut found: Vec<(u32, i64)> = figures.into_iter().collect();
        // Mostly they are in order. Of two values of a field the last one counts.
        if !found.is_sorted_by(|a, b| a.0 < b.0) {
            found.reverse();
            found.sort_by_key(|(field, _)| *field);
            found.dedup_by_key(|(field, _)| *field);
        }
        Self(found)
    }
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[expect(clippy::cast_possible_truncation, reason = "a conversion of a float saturates")]
fn tenths(seconds: f64) -> i64 {
    (seconds * 10.0).round() as i64
}

#[expect(clippy::cast_precision_loss, reason = "seconds of a day are exact")]
pub(super) fn from_tenths(tenths: i64) -> f64 {
    tenths as f64 / 10.0
}

/// The total of waits in tenths of seconds; where Twilio leaves it out, from the mean.
fn total_wait(wait: Option<&WaitDuration>, mean: Option<f64>, of: u64) -> Option<i64> {
    #[expect(clippy::cast_precision_loss, reason = "a count of Tasks of one day is exact")]
    let by_mean = |mean: f64| mean * of as f64;
    let total = wait.and_then(|wait| wait.total.or_else(|| wait.avg.map(by_mean)));
    total.or_else(|| mean.map(by_mean)).map(tenths)
}

/// The figures of one scope; `today` is when the window began, where Twilio does not say.
pub(super) fn figures(stats: &ScopeStats, today: i64, names: &mut StoredNames) -> Figures {
    let mut found: Vec<(u32, i64)> = Vec::with_capacity(40);
    if let Some(realtime) = stats.realtime.value.as_deref() {
        for (field, status) in STATUSES {
            found.push((field, whole(realtime.tasks_by_status.count(status))));
        }
        found.push((field::TOTAL, whole(realtime.total_tasks)));
        let workers = [
            (field::AVAILABLE, realtime.total_available_workers),
            (field::ELIGIBLE, realtime.total_eligible_workers),
            (field::WORKERS, realtime.total_workers),
        ];
        found.extend(workers.into_iter().filter_map(|(field, count)| Some((field, whole(count?)))));
        found.extend(stats.oldest.map(|oldest| (field::OLDEST, oldest.since.as_second())));
        for (name, workers) in realtime.workers_by_activity() {
            let id = names.number(NameKind::Activity, name, "");
            found.push((named(id, field::ACTIVITY), whole(workers)));
        }
    }
    if let Some(cumulative) = stats.cumulative.value.as_deref() {
        let said = cumulative.start_time.as_deref().and_then(|start| start.parse::<Timestamp>().ok());
        found.push((field::WINDOW, said.map_or(today, Timestamp::as_second)));
        let c = cumulative;
        let counts = [
            (field::CREATED, Some(c.reservations_created)),
            (field::ACCEPTED, Some(c.reservations_accepted)),
            (field::REJECTED, Some(c.reservations_rejected)),
            (field::TIMED_OUT, Some(c.reservations_timed_out)),
            (field::RESERVATIONS_CANCELED, Some(c.reservations_canceled)),
            (field::RESCINDED, Some(c.reservations_rescinded)),
            (field::ABANDONED, Some(c.tasks_canceled)),
            (field::COMPLETED, c.tasks_completed),
            (field::DELETED, c.tasks_deleted),
            (field::ENTERED, c.tasks_entered),
            (field::MOVED, c.tasks_moved),
        ];
        found.extend(counts.into_iter().filter_map(|(field, count)| Some((field, whole(count?)))));
        let (accepted, abandoned) =
            (c.wait_duration_until_accepted.as_ref(), c.wait_duration_until_canceled.as_ref());
        let waits = [
            (field::WAIT_ACCEPTED, total_wait(accepted, c.avg_task_acceptance_time, c.reservations_accepted)),
            (field::WAIT_ACCEPTED_MAX, accepted.and_then(|wait| wait.max).map(tenths)),
            (field::WAIT_ABANDONED, total_wait(abandoned, None, c.tasks_canceled)),
            (field::WAIT_ABANDONED_MAX, abandoned.and_then(|wait| wait.max).map(tenths)),
        ];
        found.extend(waits.into_iter().filter_map(|(field, wait)| Some((field, wait?))));
        for (threshold, split) in c.split_by_wait_time.iter().flat_map(Table::iter) {
            let id = names.number(NameKind::Threshold, threshold, "");
            let counts = [
                (field::WITHIN_ACCEPTED, split.below.count(RESERVATIONS_ACCEPTED)),
                (field::WITHIN_ABANDONED, split.below.count(TASKS_CANCELED)),
                (field::AFTER_ACCEPTED, split.above.count(RESERVATIONS_ACCEPTED)),
                (field::AFTER_ABANDONED, split.above.count(TASKS_CANCELED)),
            ];
            found.extend(counts.map(|(slot, count)| (named(id, slot), whole(count))));
        }
    }
    found.into_iter().collect()
}

const STATUSES: [(u32, &str); 4] = [
    (field::PENDING, "pending"),
    (field::RESERVED, "reserved"),
    (field::ASSIGNED, "assigned"),
    (field::WRAPPING, "wrapping"),
];
const RESERVATIONS_ACCEPTED: &str = "reservations_accepted";
const TASKS_CANCELED: &str = "tasks_canceled";

/// The statistics that these figures were made from, as far as they were kept.
pub(super) fn statistics(figures: &Figures, at: i64, names: &StoredNames) -> ScopeStats {
    let moment = Timestamp::from_second(at).unwrap_or_default();
    let count = |field| u64::try_from(figures.count(field)).unwrap_or(0);
    let known = |field| figures.get(field).and_then(|count| u64::try_from(count).ok());
    let mut stats = ScopeStats::default();
    let oldest = figures.get(field::OLDEST);
    let age = oldest.map_or(0, |since| u64::try_from(at.saturating_sub(since)).unwrap_or(0));
    if figures.get(field::TOTAL).is_some() {
        let by_name = |slot_of: u32| {
            figures.iter().filter_map(move |(field, value)| {
                let (id, slot) = name_of(field)?;
                (slot == slot_of).then_some((id, u64::try_from(value).unwrap_or(0)))
            })
        };
        let activity = |(id, workers)| ActivityCount {
            friendly_name: names.name(NameKind::Activity, id).into(),
            sid: "".into(),
            workers,
        };
        let statuses = STATUSES.map(|(field, status)| (status.into(), count(field)));
        let value = Realtime {
            activity_statistics: by_name(field::ACTIVITY).map(activity).collect(),
            longest_task_waiting_age: age,
            longest_task_waiting_sid: None,
            tasks_by_priority: Counts::default(),
            tasks_by_status: statuses.to_vec().into(),
            total_available_workers: known(field::AVAILABLE),
            total_eligible_workers: known(field::ELIGIBLE),
            total_tasks: count(field::TOTAL),
            total_workers: known(field::WORKERS),
            extra: Table::default(),
        };
        stats.realtime = reading(value, moment);
        let since = oldest.and_then(|since| Timestamp::from_second(since).ok());
        stats.oldest = since.map(|since| Age { since, seconds: age });
    }
    if let Some(window) = figures.get(field::WINDOW) {
        let iso =
            |second| Timestamp::from_second(second).map(|moment| moment.to_string()).unwrap_or_default();
        let seconds = |field| figures.get(field).map(from_tenths);
        let wait = |total, longest, of: u64| {
            #[expect(clippy::cast_precision_loss, reason = "a count of Tasks of one day is exact")]
            let mean = |total: f64| if of == 0 { 0.0 } else { (total / of as f64 * 10.0).round() / 10.0 };
            seconds(total).map(|total| WaitDuration {
                avg: Some(mean(total)),
                min: None,
                max: seconds(longest),
                total: Some(total),
            })
        };
        let accepted = wait(field::WAIT_ACCEPTED, field::WAIT_ACCEPTED_MAX, count(field::ACCEPTED));
        let split = |id: u32| {
            let pair = |accepted, abandoned| -> Counts {
                let accepted = (RESERVATIONS_ACCEPTED.into(), count(named(id, accepted)));
                vec![accepted, (TASKS_CANCELED.into(), count(named(id, abandoned)))].into()
            };
            let below = pair(field::WITHIN_ACCEPTED, field::WITHIN_ABANDONED);
            Split { above: pair(field::AFTER_ACCEPTED, field::AFTER_ABANDONED), below }
        };
        let thresholds = figures.iter().filter_map(|(field, _)| name_of(field));
        let thresholds = thresholds.filter(|(_, slot)| *slot == field::WITHIN_ACCEPTED);
        let splits: Vec<_> =
            thresholds.map(|(id, _)| (names.name(NameKind::Threshold, id).into(), split(id))).collect();
        let value = Cumulative {
            avg_task_acceptance_time: accepted.as_ref().and_then(|wait| wait.avg),
            start_time: Some(iso(window).as_str().into()),
            end_time: Some(iso(at).into()),
            reservations_accepted: count(field::ACCEPTED),
            reservations_canceled: count(field::RESERVATIONS_CANCELED),
            reservations_created: count(field::CREATED),
            reservations_rejected: count(field::REJECTED),
            reservations_rescinded: count(field::RESCINDED),
            reservations_timed_out: count(field::TIMED_OUT),
            tasks_canceled: count(field::ABANDONED),
            tasks_completed: known(field::COMPLETED),
            tasks_deleted: known(field::DELETED),
            tasks_entered: known(field::ENTERED),
            tasks_moved: known(field::MOVED),
            wait_duration_until_accepted: accepted,
            wait_duration_until_canceled: wait(
                field::WAIT_ABANDONED,
                field::WAIT_ABANDONED_MAX,
                count(field::ABANDONED),
            ),
            split_by_wait_time: (!splits.is_empty()).then(|| splits.into()),
            extra: Table::default(),
        };
        stats.cumulative = reading(value, moment);
    }
    stats
}

fn reading<T>(value: T, at: Timestamp) -> Reading<T> {
    let mut reading = Reading::default();
    reading.value = Some(Arc::new(value));
    reading.as_of = Some(at);
    reading
}

/// The number of a scope in stored data: 0 for all channels, or the channel's.
pub(super) fn scope_number(scope: Scope, channels: &[Box<str>], names: &mut StoredNames) -> u32 {
    scope.name(channels).map_or(0, |name| names.number(NameKind::Channel, name, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_kept_in_order_and_the_last_value_of_each() {
        let figures: Figures = [(5, 1), (3, 2), (5, 3), (1, 4)].into_iter().collect();
        assert_eq!(figures.iter().collect::<Vec<_>>(), [(1, 4), (3, 2), (5, 3)]);
    }
}
