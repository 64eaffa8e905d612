//! Reports: intervals by TaskQueue and channel, and their totals.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use serde_json::{Value, json};

use super::archive::{Archive, HistoryError};
use super::calendar::{Calendar, QUARTER, quarter, timestamp};
use super::figures::{Figures, field, from_tenths, name_of};
use super::finish::{adds_up, compute, is_workers, read_day};
use super::gap::Gap;
use super::names::{NameKind, StoredNames};
use super::rates::{WaitSplit, service_level};
use super::series::Range;
use super::worker::{ALIVE, FINAL_UNTIL};
use crate::config::StatisticsConfig;
use crate::service_level::ServiceLevel;
use crate::sid::TaskQueueSid;

pub const STEPS: [i64; 4] = [900, 1800, 3600, 86_400];
/// A page of rows, where the caller does not say, and at most.
pub const USUAL_ROWS: usize = 5000;
/// A row takes about a kilobyte until it is written, and the smallest deployment has 256 MiB.
pub const MOST_ROWS: usize = 20_000;
/// Most quarter hours times subjects of one query: about 40 days of a thousand TaskQueues, or three years of thirty.
const MOST_CELLS: i64 = 4_000_000;

/// What a report shows.
#[derive(Debug, Clone)]
pub struct ReportQuery {
    pub range: Range,
    pub step: i64,
    /// All if empty.
    pub queues: Vec<TaskQueueSid>,
    /// `all` and TaskChannels; every one if empty.
    pub channels: Vec<String>,
    /// How many rows come before this page.
    pub skip: usize,
    pub limit: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IntervalReport {
    pub from: String,
    pub to: String,
    pub step: i64,
    pub timezone: String,
    pub sla_seconds: Vec<u32>,
    pub short_abandon_seconds: Option<u32>,
    /// All Activities that the history knows, so that each page of CSV has the same columns.
    #[serde(skip)]
    pub activities: Vec<String>,
    pub rows: Vec<IntervalRow>,
    pub totals: Vec<IntervalRow>,
    /// The cursor of the next page
    pub next: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IntervalRow {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub friendly_name: Option<String>,
    pub channel: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    pub seconds: i64,
    pub entered: i64,
    pub accepted: i64,
    pub abandoned: i64,
    pub short_abandons: Option<i64>,
    pub completed: i64,
    /// Accepted within each threshold
    pub within: BTreeMap<u32, i64>,
    /// In per cent at the first threshold
    pub service_level: Option<f64>,
    /// The same at each threshold
    pub service_levels: BTreeMap<u32, Option<f64>>,
    /// Seconds, as is the next
    pub wait_mean: Option<f64>,
    pub wait_max: Option<i64>,
    /// Tasks that waited: by time
    pub waiting_mean: Option<f64>,
    pub waiting_max: Option<i64>,
    /// Workers by Activity: by time
    pub agents: BTreeMap<String, f64>,
    /// `measured`, or `twilio` where Twilio's statistics of the past were read
    pub source: &'static str,
    /// The share of the time in which the service was there
    pub covered: f64,
    /// Corrections by Twilio that took more away than the interval has
    pub difference: Option<Value>,
}

/// Sums over quarter hours.
#[derive(Debug, Clone, Default)]
struct Sum {
    figures: Figures,
    seconds: i64,
    covered: i64,
    /// Hundredths times seconds.
    waiting: i64,
    /// The same, by Activity.
    workers: Vec<(u32, i64)>,
    from_twilio: bool,
}

impl Sum {
    fn of(figures: &Figures, seconds: i64) -> Self {
        let covered = figures.get(field::COVERED).unwrap_or(seconds).clamp(0, seconds);
        let shown =
            |number: &u32| adds_up(*number) || matches!(*number, field::WAITING_MAX | field::WAIT_MAX);
        let workers = figures.iter().filter(|(number, _)| is_workers(*number));
        Self {
            figures: figures.iter().filter(|(number, _)| shown(number)).collect(),
            seconds,
            covered,
            waiting: figures.count(field::WAITING_MEAN).saturating_mul(covered),
            workers: workers.map(|(number, mean)| (number, mean.saturating_mul(covered))).collect(),
            from_twilio: figures.get(field::SOURCE) == Some(1),
        }
    }
}

/// The interval's beginning, the subject's rank by name, and the scope: the order of rows.
type RowKey = (i64, u32, u32);
/// Sums that are added before all are put in order and cut.
const UNSORTED: usize = 50_000;

/// The rows of a page, and totals over all rows. Of a long range it keeps no more than the page and a day.
struct Rows {
    /// Rows that are still to come before the page.
    skip: usize,
    /// One more than the page says that there is a next one.
    most: usize,
    found: Vec<(RowKey, Sum)>,
    in_order: usize,
    totals: BTreeMap<u32, Sum>,
}

impl Rows {
    fn new(query: &ReportQuery) -> Self {
        let most = query.limit.saturating_add(1);
        Self { skip: query.skip, most, found: Vec::new(), in_order: 0, totals: BTreeMap::new() }
    }

    fn add(&mut self, key: RowKey, sum: Sum) {
        self.totals.entry(key.2).or_default().join(&sum);
        match self.found.last_mut() {
            Some((last, joined)) if *last == key => joined.join(&sum),
            _ => self.found.push((key, sum)),
        }
        if self.found.len() >= self.in_order + UNSORTED {
            self.put_in_order();
        }
    }

    fn put_in_order(&mut self) {
        self.found.sort_by_key(|(key, _)| *key);
        self.found.dedup_by(|(key, sum), (kept, joined)| {
            let same = key == kept;
            if same {
                joined.join(sum);
            }
            same
        });
        // Later ones of the same rows are cut too: they come after as many others.
        self.found.truncate(self.skip.saturating_add(self.most));
        self.in_order = self.found.len();
    }

    /// No row that begins before `start` is added any more: those before the page are counted off.
    fn done_before(&mut self, start: i64) {
        self.put_in_order();
        let done = self.found.partition_point(|(key, _)| key.0 < start).min(self.skip);
        self.found.drain(..done);
        (self.skip, self.in_order) = (self.skip - done, self.found.len());
    }
}

/// Which subjects a report shows, in the order of their names.
struct Subjects {
    ranks: HashMap<u32, u32>,
    by_rank: Vec<u32>,
}

impl Subjects {
    fn new(names: &StoredNames, mut numbers: Vec<u32>) -> Self {
        let label = |number: &u32| names.label(NameKind::Subject, *number);
        numbers.sort_by(|a, b| (label(a), a).cmp(&(label(b), b)));
        let ranks = (0_u32..).zip(&numbers).map(|(rank, number)| (*number, rank)).collect();
        Self { ranks, by_rank: numbers }
    }
}

impl Archive {
    /// A page of intervals, and totals over all of them.
    pub async fn report(&self, query: &ReportQuery) -> Result<IntervalReport, HistoryError> {
        let Range { from, to } = query.range;
        if to <= from {
            return Err(HistoryError::Parameter("to must be later than from".to_owned()));
        }
        self.within(async {
            let names = self.reader().await?.names().await?;
            let subjects = Subjects::new(&names, self.subjects(query, &names));
            let mut found = Rows::new(query);
            self.collect(query, &names, &subjects, &mut found).await?;
            found.put_in_order();
            let shared = self.shared();
            let shown_by =
                RowMaker { names: &names, statistics: &shared.statistics, calendar: &shared.calendar };
            let mut rows = Vec::new();
            for (number, ((start, rank, scope), sum)) in
                found.found.iter().skip(found.skip).take(query.limit).enumerate()
            {
                let Some(subject) = subjects.by_rank.get(*rank as usize) else { continue };
                rows.push(shown_by.row((*start, *subject, *scope), sum));
                if number % 200 == 199 {
                    tokio::task::yield_now().await;
                }
            }
            let read = query.skip.saturating_add(query.limit);
            Ok(IntervalReport {
                from: timestamp(from).to_string(),
                to: timestamp(to).to_string(),
                step: query.step,
                timezone: shared.calendar.zone_name(),
                sla_seconds: shared.statistics.sla_thresholds.clone(),
                short_abandon_seconds: shared.statistics.sla_thresholds.first().copied(),
                activities: names.all(NameKind::Activity),
                rows,
                totals: found.totals.iter().map(|(scope, sum)| shown_by.total(*scope, sum)).collect(),
                next: (found.found.len() > found.skip.saturating_add(query.limit)).then(|| read.to_string()),
            })
        })
        .await
    }

    /// The numbers of those TaskQueues that a query names, or of all.
    fn subjects(&self, query: &ReportQuery, names: &StoredNames) -> Vec<u32> {
        if query.queues.is_empty() {
            let workspace = names.find(NameKind::Subject, &self.shared().workspace);
            return names.subjects().filter(|subject| Some(*subject) != workspace).collect();
        }
        let named = query.queues.iter().filter_map(|queue| names.find(NameKind::Subject, queue.as_str()));
        named.collect::<BTreeSet<u32>>().into_iter().collect()
    }

    /// Adds every interval of a query.
    async fn collect(
        &self,
        query: &ReportQuery,
        names: &StoredNames,
        subjects: &Subjects,
        found: &mut Rows,
    ) -> Result<(), HistoryError> {
        let store = self.reader().await?;
        let Range { from, to } = query.range;
        let calendar = &self.shared().calendar;
        let only = (!query.queues.is_empty()).then_some(subjects.by_rank.as_slice());
        if subjects.by_rank.is_empty() {
            return Ok(());
        }
        let Some(last) = store.fact(ALIVE).await?.map(|last| last + 1) else { return Ok(()) };
        let oldest = store.day_from(i64::MIN).await?.unwrap_or_else(|| calendar.day(last));
        let (from, to) = (from.max(quarter(oldest)), to.min(last));
        let days = (to - from) / QUARTER;
        if days.saturating_mul(i64::try_from(subjects.by_rank.len()).unwrap_or(i64::MAX)) > MOST_CELLS {
            let message = "the range is too long for this many TaskQueues; ask for fewer or for a part";
            return Err(HistoryError::Parameter(message.to_owned()));
        }
        let scopes: Option<Vec<u32>> = (!query.channels.is_empty()).then(|| {
            let number = |channel: &String| match channel.as_str() {
                "all" => Some(0),
                name => names.find(NameKind::Channel, name),
            };
            query.channels.iter().filter_map(number).collect()
        });
        let wanted = |scope: u32| scopes.as_ref().is_none_or(|scopes| scopes.contains(&scope));
        let mut starts: HashMap<i64, i64> = HashMap::new();
        let mut add =
            |found: &mut Rows, start: i64, rank: u32, scope: u32, figures: &Figures, seconds: i64| {
                if from <= start && start < to && wanted(scope) {
                    let of = *starts.entry(start).or_insert_with(|| calendar.interval(start, query.step));
                    found.add((of, rank, scope), Sum::of(figures, seconds));
                }
            };
        let final_until = store.fact(FINAL_UNTIL).await?.unwrap_or(i64::MAX);
        let gaps = store.gaps(from, to).await?;
        let mut next_day = store.day_from(calendar.day(from)).await?;
        while let Some(day) = next_day.filter(|day| *day < to.min(final_until)) {
            let next = calendar.next_day(day);
            for (number, row) in store.intervals(day, day, only).await?.into_iter().enumerate() {
                let Some(rank) = subjects.ranks.get(&row.subject) else { continue };
                let until = next.min(final_until).min(to);
                for (start, scope, figures) in read_day(&row, until, from, &wanted) {
                    add(found, start, *rank, scope, &with_cover(figures, &gaps, start), QUARTER);
                }
                if number % 10 == 9 {
                    // Each takes up to a millisecond, in which others have their turn.
                    tokio::task::yield_now().await;
                }
            }
            next_day = store.day_from(day + 1).await?;
            found.done_before(calendar.interval(next, query.step));
        }
        // What is not stored yet.
        let mut start = quarter(from).max(final_until.min(last));
        while start < to {
            let end = (start + QUARTER).min(last);
            let subject = only.filter(|only| only.len() == 1).and_then(|only| only.first().copied());
            for (subject, scopes) in compute(&store, names, start, end, subject).await? {
                let Some(rank) = subjects.ranks.get(&subject) else { continue };
                for (scope, figures) in scopes {
                    if scope == 0 || figures.iter().any(|(number, _)| number != field::COVERED) {
                        add(found, start, *rank, scope, &figures, end - start);
                    }
                }
            }
            start += QUARTER;
        }
        Ok(())
    }
}

/// A quarter hour that was left out because nothing happened still says how much of it the service was there.
fn with_cover(mut figures: Figures, gaps: &[Gap], start: i64) -> Figures {
    if figures.get(field::COVERED).is_none() {
        let hidden: i64 =
            gaps.iter().map(|gap| (gap.to.min(start + QUARTER) - gap.from.max(start)).max(0)).sum();
        if hidden > 0 {
            figures.set(field::COVERED, Some((QUARTER - hidden).max(0)));
        }
    }
    figures
}

impl Sum {
    fn join(&mut self, other: &Self) {
        self.seconds += other.seconds;
        self.covered += other.covered;
        self.waiting += other.waiting;
        self.from_twilio |= other.from_twilio;
        for (number, value) in other.figures.iter() {
            if adds_up(number) {
                self.figures.add(number, value);
            } else {
                self.figures.set(number, self.figures.get(number).max(Some(value)));
            }
        }
        for (number, time) in &other.workers {
            match self.workers.iter_mut().find(|(known, _)| known == number) {
                Some((_, sum)) => *sum += time,
                None => self.workers.push((*number, *time)),
            }
        }
    }
}

struct RowMaker<'s> {
    names: &'s StoredNames,
    statistics: &'s StatisticsConfig,
    calendar: &'s Calendar,
}

#[expect(clippy::cast_precision_loss, reason = "seconds and counts are exact")]
fn ratio(sum: i64, of: i64) -> f64 {
    if of == 0 { 0.0 } else { (sum as f64 / of as f64 * 100.0).round() / 100.0 }
}

impl RowMaker<'_> {
    fn row(&self, (start, subject, scope): (i64, u32, u32), sum: &Sum) -> IntervalRow {
        let queue = self.names.name(NameKind::Subject, subject);
        let own = queue.parse().ok().and_then(|sid: TaskQueueSid| self.statistics.service_levels.get(&sid));
        let rule = own.copied().unwrap_or(self.statistics.service_level);
        IntervalRow {
            queue: Some(queue.to_owned()),
            friendly_name: Some(self.names.label(NameKind::Subject, subject).to_owned()),
            start: Some(self.calendar.shown(start)),
            ..self.figures(scope, sum, rule)
        }
    }

    fn total(&self, scope: u32, sum: &Sum) -> IntervalRow {
        self.figures(scope, sum, self.statistics.service_level)
    }

    fn figures(&self, scope: u32, sum: &Sum, rule: ServiceLevel) -> IntervalRow {
        let figures = &sum.figures;
        let mut missing = serde_json::Map::new();
        let mut count = |name: &str, number: u32| {
            let net = figures.count(number);
            if net < 0 {
                missing.insert(name.to_owned(), json!(net));
            }
            net.max(0)
        };
        let (entered, accepted) = (count("entered", field::ENTERED), count("accepted", field::ACCEPTED));
        let (abandoned, completed) =
            (count("abandoned", field::ABANDONED), count("completed", field::COMPLETED));
        let thresholds = self.statistics.sla_thresholds.iter();
        let split = |seconds: &u32| {
            let id = self.names.find(NameKind::Threshold, &seconds.to_string())?;
            Some(WaitSplit::of(figures, id))
        };
        let splits: Vec<(u32, WaitSplit)> =
            thresholds.filter_map(|seconds| Some((*seconds, split(seconds)?))).collect();
        let levels: BTreeMap<u32, Option<f64>> =
            splits.iter().map(|(seconds, split)| (*seconds, service_level(rule, split))).collect();
        let first = splits.first();
        let known = sum.covered > 0;
        let agent = |(number, time): &(u32, i64)| {
            let (id, _) = name_of(*number)?;
            (*time != 0).then(|| {
                (self.names.name(NameKind::Activity, id).to_owned(), ratio(*time, sum.covered) / 100.0)
            })
        };
        let rounded = |value: f64| (value * 100.0).round() / 100.0;
        IntervalRow {
            queue: None,
            friendly_name: None,
            channel: self.names.channel(scope).to_owned(),
            start: None,
            seconds: sum.seconds,
            entered,
            accepted,
            abandoned,
            short_abandons: first.map(|(_, split)| split.within_abandoned.max(0)),
            completed,
            within: splits.iter().map(|(seconds, split)| (*seconds, split.within_accepted.max(0))).collect(),
            service_level: first.and_then(|(seconds, _)| levels.get(seconds).copied().flatten()),
            service_levels: levels,
            wait_mean: (accepted > 0)
                .then(|| rounded(from_tenths(figures.count(field::WAIT_ACCEPTED)) / ratio(accepted, 1))),
            wait_max: figures.get(field::WAIT_MAX),
            waiting_mean: known.then(|| rounded(ratio(sum.waiting, sum.covered) / 100.0)),
            waiting_max: known.then(|| figures.count(field::WAITING_MAX)),
            agents: sum.workers.iter().filter_map(agent).map(|(name, mean)| (name, rounded(mean))).collect(),
            source: if sum.from_twilio { "twilio" } else { "measured" },
            covered: ratio(sum.covered, sum.seconds),
            difference: (!missing.is_empty()).then_some(Value::Object(missing)),
        }
    }
}

impl IntervalReport {
    /// The rows as CSV (RFC 4180), units in the header.
    pub fn to_csv(&self) -> String {
        let activities = &self.activities;
        let sla = |name: &'static str| {
            self.sla_seconds.iter().map(move |seconds| name.replace("{}", &seconds.to_string()))
        };
        let mut header: Vec<String> =
            ["start", "interval_s", "queue_sid", "queue", "channel", "entered", "accepted"]
                .into_iter()
                .chain(["abandoned", "short_abandons", "completed"])
                .map(str::to_owned)
                .collect();
        header.extend(sla("accepted_within_{}s"));
        header.extend(sla("service_level_{}s_pct"));
        header.extend(["wait_mean_s", "wait_max_s", "waiting_mean", "waiting_max"].map(str::to_owned));
        header.extend(activities.iter().map(|activity| format!("agents_{activity}_mean")));
        header.extend(["covered_pct", "source", "difference"].map(str::to_owned));
        let mut csv = line(header.iter().map(String::as_str));
        for row in &self.rows {
            let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
            let whole = |value: Option<i64>| value.map(|value| value.to_string()).unwrap_or_default();
            let text = |value: &Option<String>| value.clone().unwrap_or_default();
            let mut cells = vec![text(&row.start), row.seconds.to_string(), text(&row.queue)];
            cells.extend([text(&row.friendly_name), row.channel.clone()]);
            cells.extend([row.entered, row.accepted, row.abandoned].map(|count| count.to_string()));
            cells.extend([whole(row.short_abandons), row.completed.to_string()]);
            cells.extend(self.sla_seconds.iter().map(|seconds| whole(row.within.get(seconds).copied())));
            cells.extend(
                self.sla_seconds
                    .iter()
                    .map(|seconds| number(row.service_levels.get(seconds).copied().flatten())),
            );
            cells.extend([number(row.wait_mean), whole(row.wait_max)]);
            cells.extend([number(row.waiting_mean), whole(row.waiting_max)]);
            cells.extend(activities.iter().map(|activity| number(row.agents.get(activity).copied())));
            cells.extend([(row.covered * 100.0).round().to_string(), row.source.to_owned()]);
            cells.push(row.difference.as_ref().map(Value::to_string).unwrap_or_default());
            csv += &line(cells.iter().map(String::as_str));
        }
        csv
    }
}

/// One line of CSV. A text that a spreadsheet would take for a formula gets an apostrophe before it.
fn line<'c>(cells: impl Iterator<Item = &'c str>) -> String {
    let cell = |cell: &str| {
        let is_number = cell.parse::<f64>().is_ok();
        let guarded = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number {
            format!("'{cell}")
        } else {
            cell.to_owned()
        };
        if guarded.contains([',', '"', '\r', '\n']) {
            format!("\"{}\"", guarded.replace('"', "\"\""))
        } else {
            guarded
        }
    };
    cells.map(cell).collect::<Vec<_>>().join(",") + "\r\n"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// However rows come within a day, and wherever a page begins, it has the rows that a report of all has there.
        #[test]
        fn pages_are_parts_of_the_whole(
            added in proptest::collection::vec((0_i64..6, 0_u32..5, 0_u32..2, 1_i64..9), 0..120),
            skip in 0_usize..70,
            limit in 1_usize..20,
        ) {
            let query = |skip, limit| ReportQuery {
                range: Range { from: 0, to: 1 }, step: 900, queues: vec![], channels: vec![], skip, limit,
            };
            let collected = |skip, limit| {
                let mut rows = Rows::new(&query(skip, limit));
                // Two starts are a day.
                for day in 0..3 {
                    for (start, rank, scope, count) in added.iter().filter(|row| row.0 / 2 == day) {
                        let figures = [(field::ENTERED, *count)].into_iter().collect();
                        rows.add((*start, *rank, *scope), Sum::of(&figures, 900));
                        if count % 3 == 0 {
                            rows.put_in_order();
                        }
                    }
                    rows.done_before(2 * day + 2);
                }
                let page: Vec<_> = rows.found.iter().skip(rows.skip).take(limit)
                    .map(|(key, sum)| (*key, sum.figures.count(field::ENTERED))).collect();
                let more = rows.found.len() > rows.skip + limit;
                let total: i64 = rows.totals.values().map(|sum| sum.figures.count(field::ENTERED)).sum();
                (page, more, total)
            };
            let (all, _, total) = collected(0, 1000);
            let (page, more, same) = collected(skip, limit);
            prop_assert_eq!(same, total);
            prop_assert_eq!(more, all.len() > skip + limit);
            let expected: Vec<_> = all.into_iter().skip(skip).take(limit).collect();
            prop_assert_eq!(page, expected);
        }
    }

    #[test]
    fn cells_are_quoted_as_rfc_4180_has_it_and_are_no_formulas() {
        let cells = ["plain", "a,b", "say \"hi\"", "two\nlines", "=1+1", "-5", ""];
        assert_eq!(line(cells.into_iter()), "plain,\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",'=1+1,-5,\r\n");
    }

    #[test]
    fn totals_are_weighted() {
        let quarter = |figures: &[(u32, i64)]| figures.iter().copied().collect::<Figures>();
        let mut sum = Sum::default();
        sum.join(&Sum::of(
            &quarter(&[
                (field::WAITING_MEAN, 400),
                (field::WAITING_MAX, 9),
                (field::ACCEPTED, 10),
                (field::WAIT_ACCEPTED, 1000),
            ]),
            900,
        ));
        sum.join(&Sum::of(
            &quarter(&[
                (field::WAITING_MEAN, 100),
                (field::COVERED, 300),
                (field::ACCEPTED, 1),
                (field::WAIT_ACCEPTED, 500),
            ]),
            900,
        ));
        assert_eq!((sum.seconds, sum.covered), (1800, 1200));
        assert_eq!(sum.waiting / sum.covered, 325, "by the time that was covered");
        assert_eq!(sum.figures.count(field::WAITING_MAX), 9);
        assert_eq!(
            sum.figures.count(field::WAIT_ACCEPTED) / sum.figures.count(field::ACCEPTED),
            136,
            "by Tasks"
        );
    }
}
