//! Curves: one TaskQueue's or tile's values at even steps, and everything at one moment.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

use super::archive::{Archive, HistoryError};
use super::calendar::{quarter, timestamp};
use super::figures::{Figures, field, from_tenths, statistics};
use super::gap::Gap;
use super::intervals::Known;
use super::names::{NameKind, StoredNames};
use super::rates::{WaitSplit, service_level};
use super::session::{ShownValue, tile_json, tile_name, tile_values};
use super::store::{DetailPart, HistoryStore};
use super::timeline::{STEP, Timeline, by_subject};
use super::worker::SINCE;
use crate::layout::queue_item;
use crate::service_level::ServiceLevel;
use crate::sid::TaskQueueSid;
use crate::stats::{QueueState, ScopeStats, Snapshot};
use crate::twilio::taskrouter::TaskQueue;

const USUAL_POINTS: i64 = 1500;
const MOST_POINTS: i64 = 10_000;
const SHORTEST_STEP: i64 = 10;
/// Steps that are easy to read on an axis, in seconds.
const STEPS: [i64; 12] = [10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400];
/// Longer ranges are reports.
const LONGEST_RANGE: i64 = 100 * 86_400;

/// A range of moments in seconds since 1970; `to` is not in it.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    pub from: i64,
    pub to: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueSeries {
    pub queue: String,
    pub friendly_name: String,
    pub channel: String,
    #[serde(flatten)]
    pub axis: Axis,
    pub series: BTreeMap<&'static str, Vec<Option<f64>>>,
    pub gaps: Vec<Gap>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricSeries {
    pub metric: String,
    #[serde(flatten)]
    pub axis: Axis,
    pub values: Vec<Option<f64>>,
    /// The thresholds that the tile passed in this time, with their style
    pub thresholds: Vec<Value>,
    pub gaps: Vec<Gap>,
}

/// The moments of a curve.
#[derive(Debug, Serialize)]
pub struct Axis {
    pub from: String,
    pub to: String,
    /// In seconds
    pub step: i64,
    pub timezone: String,
    /// Seconds since 1970
    pub times: Vec<i64>,
}

/// Everything as it was.
#[derive(Debug, Serialize)]
pub struct PastMoment {
    pub time: String,
    /// Whether anything is known of this moment
    pub known: bool,
    pub gap: Option<Gap>,
    pub queues: Vec<Value>,
    pub workspace: Option<Value>,
    pub tiles: Vec<Value>,
}

impl Archive {
    pub async fn queue(
        &self,
        queue: TaskQueueSid,
        channel: &str,
        range: Range,
        step: Option<i64>,
    ) -> Result<QueueSeries, HistoryError> {
        let step = checked_step(range, step)?;
        self.within(async {
            let store = self.reader().await?;
            let names = store.names().await?;
            let unknown = || HistoryError::Unknown("the history has no such TaskQueue".to_owned());
            let subject = names.find(NameKind::Subject, queue.as_str()).ok_or_else(unknown)?;
            let scope = match channel {
                "all" => Some(0),
                name => names.find(NameKind::Channel, name),
            };
            let scope =
                scope.ok_or_else(|| HistoryError::Unknown("the history has no such channel".to_owned()))?;
            let (axis, gaps, parts) = self.axis(&store, subject, range, step).await?;
            let statistics = &self.shared().statistics;
            let rule = statistics.service_levels.get(&queue).copied().unwrap_or(statistics.service_level);
            let threshold = statistics.sla_thresholds.first().map(u32::to_string).unwrap_or_default();
            let threshold = names.find(NameKind::Threshold, &threshold);
            let friendly_name = names.label(NameKind::Subject, subject).to_owned();
            let (queue, channel) = (queue.to_string(), channel.to_owned());
            apart(move || {
                let timeline = Timeline::of(&parts);
                let known = timeline.scopes.get(&scope).map(Vec::as_slice).unwrap_or_default();
                let series = curves(known, &axis.times, &gaps, rule, threshold);
                QueueSeries { queue, friendly_name, channel, axis, series, gaps }
            })
            .await
        })
        .await
    }

    pub async fn metric(
        &self,
        metric: &str,
        range: Range,
        step: Option<i64>,
    ) -> Result<MetricSeries, HistoryError> {
        let step = checked_step(range, step)?;
        self.within(async {
            let store = self.reader().await?;
            let names = store.names().await?;
            let unknown = || HistoryError::Unknown("the history has no such metric".to_owned());
            let subject = names.find(NameKind::Subject, &tile_name(metric)).ok_or_else(unknown)?;
            let (axis, gaps, parts) = self.axis(&store, subject, range, step).await?;
            let metric = metric.to_owned();
            apart(move || {
                let shown: Vec<(i64, ShownValue)> =
                    parts.iter().flat_map(|part| tile_values(&part.data, part.quarter)).collect();
                let values = at_times(&shown, &axis.times, &gaps, |shown| shown.value.as_f64());
                let looks: std::collections::BTreeSet<u32> =
                    shown.iter().map(|(_, shown)| shown.look).collect();
                let mut thresholds: Vec<Value> = Vec::new();
                for look in looks {
                    let look: Value =
                        serde_json::from_str(names.name(NameKind::Look, look)).unwrap_or_default();
                    let limit = &look["threshold"]["limit"];
                    let style = look["style"]["styleName"].as_str().unwrap_or_default();
                    if limit.is_number() && !thresholds.iter().any(|known| known["value"] == *limit) {
                        thresholds.push(json!({ "value": limit, "style": style }));
                    }
                }
                MetricSeries { metric, axis, values, thresholds, gaps }
            })
            .await
        })
        .await
    }

    /// Everything as it was at a moment.
    pub async fn at(&self, moment: i64) -> Result<PastMoment, HistoryError> {
        self.within(async {
            let store = self.reader().await?;
            let gap = store.gaps(moment, moment + 1).await?.into_iter().find(|gap| gap.hides(moment));
            let time = timestamp(moment).to_string();
            let mut shown =
                PastMoment { time, known: false, gap, queues: vec![], workspace: None, tiles: vec![] };
            let last = store.fact(super::worker::ALIVE).await?;
            if shown.gap.is_some() || last.is_none_or(|last| moment > last + STEP) {
                return Ok(shown);
            }
            let names = store.names().await?;
            let quarter = quarter(moment);
            let parts = store.details(quarter, quarter, None).await?;
            let archive = self.clone();
            apart(move || {
                archive.show(&mut shown, &parts, &names, moment);
                shown
            })
            .await
        })
        .await
    }

    fn show(&self, shown: &mut PastMoment, parts: &[DetailPart], names: &StoredNames, moment: i64) {
        let channels: Vec<String> = names.all(NameKind::Channel);
        let mut snapshot = Snapshot::empty(&channels, timestamp(moment));
        let mut tiles: Vec<(i64, Value)> = Vec::new();
        for (subject, parts) in by_subject(parts) {
            let name = names.name(NameKind::Subject, subject);
            if name.starts_with("tile:") {
                let values = parts.iter().flat_map(|part| tile_values(&part.data, part.quarter));
                if let Some((_, value)) = values.take_while(|(time, _)| *time <= moment).last() {
                    let tile = tile_json(&value, names.name(NameKind::Look, value.look), &shown.time);
                    tiles.push((tile["position"].as_i64().unwrap_or(i64::MAX), tile));
                }
                continue;
            }
            let timeline = Timeline::of(parts);
            let figures = timeline.at(moment);
            if figures.is_empty() {
                continue;
            }
            let of = |scope: u32| figures.get(&scope).map(|figures| statistics(figures, moment, names));
            let whole = of(0).unwrap_or_default();
            let Ok(sid) = name.parse::<TaskQueueSid>() else {
                snapshot.workspace = whole;
                continue;
            };
            let of_channel =
                |channel: &String| names.find(NameKind::Channel, channel).and_then(of).unwrap_or_default();
            let scopes: Vec<ScopeStats> =
                std::iter::once(whole).chain(channels.iter().map(of_channel)).map(tried).collect();
            let friendly_name = names.label(NameKind::Subject, subject).into();
            let queue = TaskQueue {
                sid,
                friendly_name,
                target_workers: None,
                task_order: None,
                assignment_activity_name: None,
            };
            let state = QueueState { queue: Arc::new(queue), scopes: scopes.into() };
            snapshot.queues.insert(sid, Arc::new(state));
        }
        shown.known = !snapshot.queues.is_empty() || !tiles.is_empty();
        let mut queues: Vec<&Arc<QueueState>> = snapshot.queues.values().collect();
        queues.sort_by(|a, b| a.queue.friendly_name.cmp(&b.queue.friendly_name));
        shown.queues = queues.into_iter().filter_map(|state| queue_item(state, &snapshot.channels)).collect();
        let workspace = &snapshot.workspace;
        shown.workspace = workspace.realtime.value.is_some().then(
            || json!({ "realtime": workspace.realtime.value, "cumulative": workspace.cumulative.value }),
        );
        tiles.sort_by_key(|(position, _)| *position);
        shown.tiles = tiles.into_iter().map(|(_, tile)| tile).collect();
    }

    async fn axis(
        &self,
        store: &HistoryStore,
        subject: u32,
        range: Range,
        step: i64,
    ) -> Result<(Axis, Vec<Gap>, Vec<DetailPart>), HistoryError> {
        let Range { from, to } = range;
        // Nothing is known before the first sample, or after the last.
        let (since, last) = (store.fact(SINCE).await?, store.fact(super::worker::ALIVE).await?);
        let known_until = last.map_or(from, |last| (last + 1).min(to));
        let known_from = since.map_or(to, |since| since.max(from));
        let parts = if known_from < known_until {
            store.details(quarter(known_from), quarter(known_until - 1), Some(subject)).await?
        } else {
            Vec::new()
        };
        let gaps = store.gaps(from, to).await?;
        let first = from + (step - from.rem_euclid(step)).rem_euclid(step);
        let times = (first..known_until.max(first)).step_by(usize::try_from(step).unwrap_or(1)).collect();
        let timezone = self.shared().calendar.zone_name();
        let (from, to) = (timestamp(from).to_string(), timestamp(to).to_string());
        Ok((Axis { from, to, step, timezone, times }, gaps, parts))
    }
}

/// Runs what takes up to seconds (a thousand TaskQueues, or a hundred days) on a thread of its own, so that no other task
/// waits for it.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, HistoryError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| HistoryError::Unreadable(error.to_string()))
}

/// A scope without values counts as read: else a TaskQueue without statistics of a channel would not be shown.
fn tried(mut stats: ScopeStats) -> ScopeStats {
    let missing = || {
        let reason = "not in the history".into();
        Some(crate::stats::Stale { reason, since: jiff::Timestamp::UNIX_EPOCH })
    };
    if stats.realtime.value.is_none() {
        stats.realtime.stale = missing();
    }
    if stats.cumulative.value.is_none() {
        stats.cumulative.stale = missing();
    }
    stats
}

fn checked_step(range: Range, step: Option<i64>) -> Result<i64, HistoryError> {
    let lasts = range.to.saturating_sub(range.from);
    if lasts <= 0 || lasts > LONGEST_RANGE {
        return Err(HistoryError::Parameter("to must be later than from, by 100 days at most".to_owned()));
    }
    let usual = || STEPS.into_iter().find(|step| lasts / step <= USUAL_POINTS).unwrap_or(14_400);
    let step = step.unwrap_or_else(usual);
    if step < SHORTEST_STEP || lasts / step > MOST_POINTS {
        let message =
            format!("step must be {SHORTEST_STEP} seconds or more, and give at most {MOST_POINTS} points");
        return Err(HistoryError::Parameter(message));
    }
    Ok(step)
}

/// The value at each time: the last one known; none within a gap and before the first.
fn at_times<T, V>(
    known: &[(i64, T)],
    times: &[i64],
    gaps: &[Gap],
    value: impl Fn(&T) -> Option<V>,
) -> Vec<Option<V>> {
    let mut next = 0;
    let mut gap = 0;
    let at = |time: &i64| {
        while known.get(next).is_some_and(|(at, _)| at <= time) {
            next += 1;
        }
        while gaps.get(gap).is_some_and(|gap| gap.to <= *time) {
            gap += 1;
        }
        if gaps.get(gap).is_some_and(|gap| gap.hides(*time)) {
            return None;
        }
        value(&known.get(next.checked_sub(1)?)?.1)
    };
    times.iter().map(at).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts and seconds are exact")]
fn float(value: i64) -> f64 {
    value as f64
}

fn curves(
    known: &[Known],
    times: &[i64],
    gaps: &[Gap],
    rule: ServiceLevel,
    threshold: Option<u32>,
) -> BTreeMap<&'static str, Vec<Option<f64>>> {
    let plain = |fields: &'static [u32]| {
        at_times(known, times, gaps, move |figures: &Figures| {
            let found: Vec<i64> = fields.iter().filter_map(|field| figures.get(*field)).collect();
            (!found.is_empty()).then(|| float(found.iter().sum()))
        })
    };
    let mut curves: BTreeMap<&'static str, Vec<Option<f64>>> =
        CURVES.map(|(name, fields)| (name, plain(fields))).into();
    let since = at_times(known, times, gaps, |figures: &Figures| figures.get(field::OLDEST));
    let oldest = since.iter().zip(times).map(|(since, time)| since.map(|since| float((time - since).max(0))));
    curves.insert("oldest", oldest.collect());
    let level = at_times(known, times, gaps, |figures: &Figures| {
        let split = WaitSplit::of(figures, threshold?);
        service_level(rule, &split)
    });
    curves.insert("serviceLevel", level);
    let mean = at_times(known, times, gaps, |figures: &Figures| {
        let accepted = figures.count(field::ACCEPTED);
        (accepted > 0).then(|| from_tenths(figures.count(field::WAIT_ACCEPTED)) / float(accepted))
    });
    curves.insert("waitMean", mean);
    curves
}

const CURVES: [(&str, &[u32]); 10] = [
    ("waiting", &[field::PENDING, field::RESERVED]),
    ("offered", &[field::RESERVED]),
    ("inProgress", &[field::ASSIGNED]),
    ("wrapping", &[field::WRAPPING]),
    ("available", &[field::AVAILABLE]),
    ("eligible", &[field::ELIGIBLE]),
    ("entered", &[field::ENTERED]),
    ("accepted", &[field::ACCEPTED]),
    ("abandoned", &[field::ABANDONED]),
    ("completed", &[field::COMPLETED]),
];
