//! Reports: intervals by TaskQueue and channel, and their totals.

use std::collections::{BTreeMap, HashMap};

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
pub const MOST_ROWS: usize = 100_000;
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
    workers: HashMap<u32, i64>,
    from_twilio: bool,
}

impl Sum {
    fn add(&mut self, figures: &Figures, seconds: i64) {
        let covered = figures.get(field::COVERED).unwrap_or(seconds).clamp(0, seconds);
        self.seconds += seconds;
        self.covered += covered;
        self.from_twilio |= figures.get(field::SOURCE) == Some(1);
        for (number, value) in figures.iter() {
            if adds_up(number) {
                self.figures.add(number, value);
            } else if is_workers(number) {
                *self.workers.entry(number).or_default() += value.saturating_mul(covered);
            }
        }
        self.waiting += figures.count(field::WAITING_MEAN).saturating_mul(covered);
        for most in [field::WAITING_MAX, field::WAIT_MAX] {
            let longest = self.figures.get(most).max(figures.get(most));
            self.figures.set(most, longest);
        }
    }
}

type RowKey = (i64, u32, u32);

impl Archive {
    /// A page of intervals, and totals over all of them.
    pub async fn report(&self, query: &ReportQuery) -> Result<IntervalReport, HistoryError> {
        let Range { from, to } = query.range;
        if to <= from {
            return Err(HistoryError::Parameter("to must be later than from".to_owned()));
        }
        self.within(async {
            let names = self.reader().await?.names().await?;
            let sums = self.sums(query, &names).await?;
            let shared = self.shared();
            let shown_by =
                RowMaker { names: &names, statistics: &shared.statistics, calendar: &shared.calendar };
            let mut totals: BTreeMap<u32, Sum> = BTreeMap::new();
            let mut keys: Vec<&RowKey> = sums.keys().collect();
            let label = |key: &RowKey| names.label(NameKind::Subject, key.1);
            keys.sort_by(|a, b| (a.0, label(a), a.1, a.2).cmp(&(b.0, label(b), b.1, b.2)));
            for key in &keys {
                if let Some(sum) = sums.get(*key) {
                    totals.entry(key.2).or_default().join(sum);
                }
            }
            let page = keys.iter().skip(query.skip).take(query.limit);
            let rows = page.filter_map(|key| Some(shown_by.row(**key, sums.get(*key)?))).collect();
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
                totals: totals.iter().map(|(scope, sum)| shown_by.total(*scope, sum)).collect(),
                next: (read < keys.len()).then(|| read.to_string()),
            })
        })
        .await
    }

    /// The sums of each interval, subject and scope.
    async fn sums(
        &self,
        query: &ReportQuery,
        names: &StoredNames,
    ) -> Result<HashMap<RowKey, Sum>, HistoryError> {
        let store = self.reader().await?;
        let Range { from, to } = query.range;
        let calendar = &self.shared().calendar;
        let workspace = names.find(NameKind::Subject, &self.shared().workspace);
        let wanted: Vec<u32> =
            query.queues.iter().filter_map(|queue| names.find(NameKind::Subject, queue.as_str())).collect();
        let only = (!query.queues.is_empty()).then_some(wanted.as_slice());
        if only.is_some_and(<[u32]>::is_empty) {
            return Ok(HashMap::new());
        }
        let Some(last) = store.fact(ALIVE).await?.map(|last| last + 1) else { return Ok(HashMap::new()) };
        let oldest = store.day_from(i64::MIN).await?.unwrap_or_else(|| calendar.day(last));
        let (from, to) = (from.max(quarter(oldest)), to.min(last));
        let days = (to - from) / QUARTER;
        let subjects = only.map_or_else(|| names.subjects(), <[u32]>::len);
        if days.saturating_mul(i64::try_from(subjects).unwrap_or(i64::MAX)) > MOST_CELLS {
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
        let wants = |subject: u32, scope: u32| {
            Some(subject) != workspace
                && only.is_none_or(|only| only.contains(&subject))
                && scopes.as_ref().is_none_or(|scopes| scopes.contains(&scope))
        };
        let mut sums: HashMap<RowKey, Sum> = HashMap::new();
        let mut starts: HashMap<i64, i64> = HashMap::new();
        let mut add = |start: i64, subject: u32, scope: u32, figures: &Figures, seconds: i64| {
            if from <= start && start < to && wants(subject, scope) {
                let of = *starts.entry(start).or_insert_with(|| calendar.interval(start, query.step));
                sums.entry((of, subject, scope)).or_default().add(figures, seconds);
            }
        };
        let final_until = store.fact(FINAL_UNTIL).await?.unwrap_or(i64::MAX);
        let gaps = store.gaps(from, to).await?;
        let mut next_day = store.day_from(calendar.day(from)).await?;
        while let Some(day) = next_day.filter(|day| *day < to.min(final_until)) {
            let next = calendar.next_day(day);
            for row in store.intervals(day, day, only).await? {
                let until = next.min(final_until).min(to);
                for (start, scope, figures) in read_day(&row, until, from) {
                    add(start, row.subject, scope, &with_cover(figures, &gaps, start), QUARTER);
                }
            }
            next_day = store.day_from(day + 1).await?;
        }
        // What is not stored yet.
        let mut start = quarter(from).max(final_until.min(last));
        while start < to {
            let end = (start + QUARTER).min(last);
            let subject = only.filter(|only| only.len() == 1).and_then(|only| only.first().copied());
            for (subject, scopes) in compute(&store, names, start, end, subject).await? {
                for (scope, figures) in scopes {
                    if scope == 0 || figures.iter().any(|(number, _)| number != field::COVERED) {
                        add(start, subject, scope, &figures, end - start);
                    }
                }
            }
            start += QUARTER;
        }
        Ok(sums)
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
            *self.workers.entry(*number).or_default() += time;
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
    fn row(&self, (start, subject, scope): RowKey, sum: &Sum) -> IntervalRow {
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
        let agent = |(number, time): (&u32, &i64)| {
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
            cells.extend([(row.covered * 100.0).to_string(), row.source.to_owned()]);
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
    use super::*;

    #[test]
    fn cells_are_quoted_as_rfc_4180_has_it_and_are_no_formulas() {
        let cells = ["plain", "a,b", "say \"hi\"", "two\nlines", "=1+1", "-5", ""];
        assert_eq!(line(cells.into_iter()), "plain,\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",'=1+1,-5,\r\n");
    }

    #[test]
    fn totals_are_weighted() {
        let quarter = |figures: &[(u32, i64)]| figures.iter().copied().collect::<Figures>();
        let mut sum = Sum::default();
        sum.add(
            &quarter(&[
                (field::WAITING_MEAN, 400),
                (field::WAITING_MAX, 9),
                (field::ACCEPTED, 10),
                (field::WAIT_ACCEPTED, 1000),
            ]),
            900,
        );
        sum.add(
            &quarter(&[
                (field::WAITING_MEAN, 100),
                (field::COVERED, 300),
                (field::ACCEPTED, 1),
                (field::WAIT_ACCEPTED, 500),
            ]),
            900,
        );
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
